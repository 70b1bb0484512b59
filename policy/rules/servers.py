"""Servers and what they are started from."""

import re
from collections.abc import Iterator

from policy.documents import boot_script
from policy.model import Block, Resource, Stack
from policy.rule import Found, Severity, rule, stack_rule
from policy.types import (
    ADDRESS,
    ADDRESS_ASSOCIATION,
    DISK_DEFAULT,
    INSTANCE,
    INSTANCE_STATE,
    INTERFACE,
    INTERFACE_ATTACHMENT,
    LAUNCH_CONFIGURATION,
    POLICY,
    PROFILE,
    ROLE,
    ROLE_ATTACHMENT,
    SCALING_GROUP,
    SPOT_INSTANCE,
    TEMPLATE,
    VOLUME,
)

SERVERS = (INSTANCE, SPOT_INSTANCE, TEMPLATE)
_HIDDEN = r"""(?:["'][^"'\s${}]{8,}["']|(?=[^\s"']*\d)[^\s"'$({<]{8,}(?=["'\s]|$))"""  # no call, no variable
SECRETS = (
    ("an AWS access key", re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a private key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")),
    ("an AWS secret key", re.compile(r"(?i)aws_secret_access_key\W{1,4}[A-Za-z0-9/+]{40}\b")),
    ("a password", re.compile(r"(?i)\b\w*(?:password|passwd|secret|token)[\"']?\s*[=:]\s*" + _HIDDEN)),
)
SSM_POLICY = "AmazonSSMManagedInstanceCore"
MAX_HOPS = 1


def is_left_to_template(server: Resource, *names: str) -> bool:
    """Whether an instance takes these properties from a launch template, which is judged by itself."""
    return server.given("launchTemplate") and not any(server.given(name) for name in names)


def secrets_in(text: str) -> Iterator[str]:
    """The kinds of secrets that a text seems to hold; never the secrets themselves."""
    return (kind for kind, pattern in SECRETS if pattern.search(text))


@rule(
    "imdsv2-required", 12, *SERVERS, LAUNCH_CONFIGURATION,
    title="The metadata service answers to session tokens only (IMDSv2)",
    reason="Version 1 hands the server's credentials to whoever can make it fetch a URL.",
    remedy='Set metadata_options={"http_tokens": "required"}.',
    severity=Severity.HIGH,
)  # fmt: skip
def imdsv2_required(server: Resource) -> Found:
    """Asks for required tokens, or for no metadata service."""
    if is_left_to_template(server, "metadataOptions"):
        return
    options = server.block("metadataOptions")
    if options.text("httpTokens") != "required" and options.text("httpEndpoint") != "disabled":
        yield "metadataOptions.httpTokens is not required"


@rule(
    "imds-hop-limit", 13, *SERVERS, LAUNCH_CONFIGURATION,
    title="The metadata service is out of containers' reach",
    reason="With a second hop, whatever runs in a container has the server's role.",
    remedy='Set metadata_options={"http_put_response_hop_limit": 1}.',
)  # fmt: skip
def imds_hop_limit(server: Resource) -> Found:
    """Asks for a hop limit of 1, said outright: an image's own default may be 2."""
    if is_left_to_template(server, "metadataOptions"):
        return
    options = server.block("metadataOptions")
    if options.number("httpPutResponseHopLimit", 2) > MAX_HOPS and options.text("httpEndpoint") != "disabled":
        yield "metadataOptions.httpPutResponseHopLimit is not 1"


@rule(
    "server-private-address", 14, *SERVERS, LAUNCH_CONFIGURATION, ADDRESS, ADDRESS_ASSOCIATION,
    title="Servers have no public address",
    reason="What the load balancer reaches need not be reached by everyone.",
    remedy="Put servers into private subnets, with associate_public_ip_address off and no Elastic IP.",
    severity=Severity.HIGH,
)  # fmt: skip
def server_private_address(resource: Resource) -> Found:
    """Forbids public addresses, by the server's own settings and by Elastic IPs of instances."""
    if resource.type == ADDRESS:
        is_public = resource.given("instance")
    elif resource.type == ADDRESS_ASSOCIATION:
        is_public = resource.given("instanceId")
    else:
        parts: list[Block] = [resource, *resource.blocks("networkInterfaces")]
        is_public = any(part.flag("associatePublicIpAddress") for part in parts)
    if is_public:
        yield "it gives a server a public address"


def disks(server: Resource) -> list[Block]:
    """The disks that a server is started with."""
    mapped = [part.block("ebs") for part in server.blocks("blockDeviceMappings") if part.given("ebs")]
    return [*server.blocks("rootBlockDevice"), *server.blocks("ebsBlockDevices"), *mapped]


@rule(
    "disk-encrypted", 15, *SERVERS, LAUNCH_CONFIGURATION, VOLUME, DISK_DEFAULT,
    title="Disks are encrypted",
    reason="A snapshot that gets out should be worth nothing.",
    remedy='Name the root disk and each further one with "encrypted": True.',
    severity=Severity.HIGH,
)  # fmt: skip
def disk_encrypted(resource: Resource) -> Found:
    """Asks for encryption of each disk, said outright; the account's default must not be switched off."""
    if resource.type == VOLUME:
        is_plain = not resource.flag("encrypted")
    elif resource.type == DISK_DEFAULT:
        is_plain = not resource.flag("enabled", default=True)
    else:
        found = disks(resource)
        is_silent = not found and not is_left_to_template(resource)
        is_plain = is_silent or not all(disk.flag("encrypted") for disk in found)
    if is_plain:
        yield "a disk is not said to be encrypted"


@rule(
    "server-single-interface", 16, *SERVERS, INTERFACE_ATTACHMENT,
    title="Servers have one network interface",
    reason="A server in two networks is a way around the walls between them.",
    remedy="Declare one network interface; route between networks instead.",
    severity=Severity.LOW,
)  # fmt: skip
def server_single_interface(resource: Resource) -> Found:
    """Forbids further interfaces, in place or attached."""
    if resource.type == INTERFACE_ATTACHMENT or len(resource.blocks("networkInterfaces")) > 1:
        yield "it gives a server a further network interface"


@rule(
    "source-dest-check", 17, INSTANCE, SPOT_INSTANCE, INTERFACE,
    title="Servers take and send only what is theirs",
    reason="One that passes on others' packets can listen to them.",
    remedy="Leave source_dest_check on; a NAT instance is a written exemption.",
)  # fmt: skip
def source_dest_check(resource: Resource) -> Found:
    """Forbids switching the source and destination check off."""
    if not resource.flag("sourceDestCheck", default=True):
        yield "sourceDestCheck is off"


@rule(
    "no-stopped-servers", 18, INSTANCE_STATE, SCALING_GROUP,
    title="No stopped servers are kept",
    reason="They are not patched while they are down, and come back as old as they were.",
    remedy="Start new servers from the template; drop the warm pool or keep it running.",
    severity=Severity.LOW,
)  # fmt: skip
def no_stopped_servers(resource: Resource) -> Found:
    """Forbids servers and warm pools that are declared as stopped."""
    if resource.type == INSTANCE_STATE:
        is_stopped = resource.text("state") == "stopped"
    else:
        state = resource.block("warmPool").text("poolState", "Stopped")
        is_stopped = resource.given("warmPool") and state in ("Stopped", "Hibernated")
    if is_stopped:
        yield "it keeps stopped servers"


@rule(
    "user-data-no-secrets", 19, *SERVERS, LAUNCH_CONFIGURATION,
    title="User data holds no secrets",
    reason="Whoever may describe the server, or run anything on it, reads its user data.",
    remedy="Let the server fetch secrets from SSM or Secrets Manager by its role.",
    severity=Severity.CRITICAL,
)  # fmt: skip
def user_data_no_secrets(server: Resource) -> Found:
    """Looks for what keys, tokens and passwords look like."""
    for kind in secrets_in(boot_script(server)):
        yield f"its user data seems to hold {kind}"


@rule(
    "server-has-role", 40, *SERVERS, LAUNCH_CONFIGURATION,
    title="Servers have a role",
    reason="Without one, somebody will put keys on them.",
    remedy="Set iam_instance_profile to a profile whose role may do what the server needs.",
)  # fmt: skip
def server_has_role(server: Resource) -> Found:
    """Asks for an instance profile."""
    if not server.given("iamInstanceProfile") and not is_left_to_template(server):
        yield "it has no instance profile"


@stack_rule(
    "server-managed", 48, INSTANCE, TEMPLATE,
    title="Servers are managed by Systems Manager",
    reason="What is not managed is not patched, and is administered over an open port.",
    remedy=f"Attach {SSM_POLICY} to the role of the server's instance profile.",
)  # fmt: skip
def server_managed(server: Resource, stack: Stack) -> Found:
    """Follows server, profile and role to the managed policy of Systems Manager."""
    if is_left_to_template(server, "iamInstanceProfile"):
        return
    roles = [
        role
        for profile in stack.behind(server, "iamInstanceProfile", PROFILE)
        for role in stack.behind(profile, "role", ROLE)
    ]
    attached = [each for role in roles for each in stack.pointing(role, "role", ROLE_ATTACHMENT)]
    listed = [arn for role in roles for arn in role.texts("managedPolicyArns")]
    arns = [*listed, *(each.text("policyArn") for each in attached if not stack.behind(each, "policyArn", POLICY))]
    if not any(arn.endswith(f"/{SSM_POLICY}") for arn in arns):
        yield f"its role lacks {SSM_POLICY}"
