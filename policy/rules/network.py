"""Networks: who reaches what, and whether anyone would know."""

from collections.abc import Iterator

from policy.model import Block, Resource, Stack
from policy.rule import Found, Severity, rule, stack_rule
from policy.types import (
    DEFAULT_GROUP,
    DEFAULT_NACL,
    EGRESS_RULE,
    ENDPOINT,
    FLOW_LOG,
    GROUP,
    GROUP_RULE,
    INGRESS_RULE,
    NACL,
    NACL_ASSOCIATION,
    NACL_RULE,
    PUBLIC_ACCESS,
    SUBNET,
    VPC,
)

EVERYONE = frozenset({"0.0.0.0/0", "::/0"})
WEB_PORTS = frozenset({80, 443})
ADMIN_PORTS = (22, 3389)
HIGH_RISK_PORTS = (
    *(20, 21, 22, 23, 25, 110, 135, 143, 445, 1433, 1434, 3000, 3306, 3389),
    *(4333, 5000, 5432, 5500, 5601, 8080, 8088, 8888, 9200, 9300),
)
WITHOUT_PORTS = frozenset({"icmp", "icmpv6", "1", "58"})
CONTAINER_SERVICES = ("ecr.api", "ecr.dkr", "ssm")
STOCK_DESCRIPTIONS = frozenset({"", "managed by pulumi", "managed by terraform"})


def ports(part: Block) -> range:
    """The ports that a rule of a security group or of a network ACL is about."""
    spoken = part.text("ipProtocol", part.text("protocol", "-1")).lower()
    if spoken in ("-1", "all"):
        return range(65_536)
    if spoken in WITHOUT_PORTS:
        return range(0)
    return range(int(part.number("fromPort", 0)), int(part.number("toPort", 65_535)) + 1)


def is_for_everyone(part: Block) -> bool:
    """Whether a rule is about the whole internet."""
    names = ("cidrIpv4", "cidrIpv6", "cidrBlock", "ipv6CidrBlock", "cidrBlocks", "ipv6CidrBlocks")
    return any(EVERYONE.intersection(part.texts(name)) for name in names)


def ingress(resource: Resource) -> Iterator[Block]:
    """What a security group, or a rule of one, lets in."""
    if resource.type in (GROUP, DEFAULT_GROUP):
        yield from resource.blocks("ingress")
    elif resource.type == INGRESS_RULE or resource.text("type") == "ingress":
        yield resource


def egress(resource: Resource) -> Iterator[Block]:
    """What a security group, or a rule of one, lets out."""
    if resource.type in (GROUP, DEFAULT_GROUP):
        yield from resource.blocks("egress")
    elif resource.type == EGRESS_RULE or resource.text("type") == "egress":
        yield resource


@stack_rule(
    "default-group-closed", 1, VPC,
    title="A VPC's default security group has no rules",
    reason="Whoever forgets to name a group gets the default one, and with it whatever that lets through.",
    remedy="Adopt it with aws.ec2.DefaultSecurityGroup(vpc_id=...) and give it no ingress and no egress.",
    severity=Severity.HIGH,
)  # fmt: skip
def default_group_closed(vpc: Resource, stack: Stack) -> Found:
    """Asks for an adopted default group without rules."""
    adopted = stack.pointing(vpc, "vpcId", DEFAULT_GROUP)
    if not adopted:
        yield "its default security group is as AWS made it, with rules"
    if any(group.blocks("ingress") or group.blocks("egress") for group in adopted):
        yield "its default security group has rules"


@stack_rule(
    "vpc-flow-logs", 2, VPC,
    title="A VPC keeps flow logs of all traffic",
    reason="Without them nobody can tell who talked to whom when something was broken into.",
    remedy='Add aws.ec2.FlowLog(vpc_id=..., traffic_type="ALL") with a log group or a bucket.',
)  # fmt: skip
def vpc_flow_logs(vpc: Resource, stack: Stack) -> Found:
    """Asks for a flow log of accepted and rejected traffic."""
    logs = stack.pointing(vpc, "vpcId", FLOW_LOG)
    if not any(log.text("trafficType") in ("ALL", "REJECT") for log in logs):
        yield "it has no flow log of rejected traffic"


@rule(
    "subnet-private-addresses", 3, SUBNET,
    title="Subnets give no public addresses by themselves",
    reason="A server started there by mistake would be on the internet at once.",
    remedy="Set map_public_ip_on_launch=False and give an address to what needs one.",
)  # fmt: skip
def subnet_private_addresses(subnet: Resource) -> Found:
    """Forbids public addresses on launch."""
    if subnet.flag("mapPublicIpOnLaunch"):
        yield "mapPublicIpOnLaunch is true"


@rule(
    "ingress-authorised-ports", 4, GROUP, GROUP_RULE, INGRESS_RULE, DEFAULT_GROUP,
    title="The internet reaches web ports only",
    reason="Every other open port is a service that was not made to be attacked by everyone.",
    remedy="Open only 80 and 443 to 0.0.0.0/0 and ::/0; name the source of everything else.",
    severity=Severity.HIGH,
)  # fmt: skip
def ingress_authorised_ports(resource: Resource) -> Found:
    """Lets 0.0.0.0/0 and ::/0 in on ports 80 and 443 alone."""
    for part in ingress(resource):
        if is_for_everyone(part) and not WEB_PORTS.issuperset(ports(part)):
            yield f"ports {ports(part)[0]} to {ports(part)[-1]} are open to everyone"


@rule(
    "ingress-high-risk-ports", 5, GROUP, GROUP_RULE, INGRESS_RULE, DEFAULT_GROUP,
    title="No remote shell, desktop or database is open to the internet",
    reason="These ports are scanned all the time, and their passwords guessed.",
    remedy="Use Session Manager in place of SSH and RDP; let databases be reached from their clients' group only.",
    severity=Severity.CRITICAL,
)  # fmt: skip
def ingress_high_risk_ports(resource: Resource) -> Found:
    """Forbids 22, 3389 and two dozen others to 0.0.0.0/0 and ::/0."""
    for part in ingress(resource):
        risky = [port for port in HIGH_RISK_PORTS if port in ports(part)]
        if risky and is_for_everyone(part):
            yield f"open to everyone: {', '.join(map(str, risky))}"


@rule(
    "nacl-admin-ports", 6, NACL, DEFAULT_NACL, NACL_RULE,
    title="Network ACLs keep the internet from ports 22 and 3389",
    reason="They are the second wall when a security group is opened by mistake.",
    remedy="Deny 22 and 3389 from 0.0.0.0/0 before what is allowed, or allow narrower ports.",
)  # fmt: skip
def nacl_admin_ports(resource: Resource) -> Found:
    """Forbids an allowing entry for everyone that holds 22 or 3389, unless an earlier one denies them."""
    if resource.type == NACL_RULE:
        entries: list[Block] = [] if resource.flag("egress") else [resource]
    else:
        entries = sorted(resource.blocks("ingress"), key=lambda part: part.number("ruleNo", 0))
    for port in ADMIN_PORTS:
        first = next((part for part in entries if port in ports(part) and is_for_everyone(part)), None)
        if first is not None and "allow" in (first.text("action"), first.text("ruleAction")):
            yield f"port {port} is allowed from everywhere"


@stack_rule(
    "nacl-in-use", 7, NACL,
    title="Every network ACL belongs to a subnet",
    reason="One that belongs to none protects nothing and reads as if it did.",
    remedy="Name its subnets in subnet_ids, or remove it.",
    severity=Severity.LOW,
)  # fmt: skip
def nacl_in_use(nacl: Resource, stack: Stack) -> Found:
    """Asks for a subnet, in place or by an association."""
    if not nacl.given("subnetIds") and not stack.pointing(nacl, "networkAclId", NACL_ASSOCIATION):
        yield "no subnet uses it"


@rule(
    "group-described", 8, GROUP, GROUP_RULE, INGRESS_RULE, EGRESS_RULE,
    title="Security groups and their rules say what they are for",
    reason="Nobody dares to remove a rule whose purpose nobody knows.",
    remedy="Give the group and each of its rules a description of their own.",
    severity=Severity.LOW,
)  # fmt: skip
def group_described(resource: Resource) -> Found:
    """Asks for descriptions other than the provider's stock text."""
    if resource.text("description").lower() in STOCK_DESCRIPTIONS:
        yield "it has no description"
    if resource.type == GROUP:
        parts = [*resource.blocks("ingress"), *resource.blocks("egress")]
        if any(part.text("description").lower() in STOCK_DESCRIPTIONS for part in parts):
            yield "a rule of it has no description"


@rule(
    "group-egress-narrow", 8, GROUP, GROUP_RULE, EGRESS_RULE, DEFAULT_GROUP,
    title="Security groups do not let everything out to everywhere",
    reason="What breaks in wants to talk home, by whatever port is open.",
    remedy="Allow the ports that are needed, such as 443, and the addresses that are known.",
)  # fmt: skip
def group_egress_narrow(resource: Resource) -> Found:
    """Forbids all ports to 0.0.0.0/0 or ::/0."""
    for part in egress(resource):
        if is_for_everyone(part) and len(ports(part)) >= 65_535:
            yield "every port is open to everywhere"


def reachable(vpc: Resource, stack: Stack) -> list[str]:
    """The services, by full name, that a VPC has interface endpoints for."""
    return [each.text("serviceName") for each in stack.pointing(vpc, "vpcId", ENDPOINT)]


@stack_rule(
    "endpoint-ec2", 9, VPC,
    title="A VPC reaches the EC2 API by an endpoint of its own",
    reason="Calls that never leave the VPC can neither be cut off with the internet nor watched on it.",
    remedy='Add an interface endpoint for ec2; in Teal, name "ec2" in teal:interfaceEndpoints.',
    severity=Severity.LOW,
)  # fmt: skip
def endpoint_ec2(vpc: Resource, stack: Stack) -> Found:
    """Asks for an interface endpoint of EC2."""
    if not any(name.endswith(".ec2") for name in reachable(vpc, stack)):
        yield "it has no endpoint for ec2"


@stack_rule(
    "endpoints-of-containers", 10, VPC,
    title="A VPC reaches image registry and Systems Manager by endpoints of its own",
    reason="Servers should get their image and be administered while the way to the internet is closed.",
    remedy="Add interface endpoints; in Teal, name ecr.api, ecr.dkr and ssm in teal:interfaceEndpoints.",
    severity=Severity.LOW,
)  # fmt: skip
def endpoints_of_containers(vpc: Resource, stack: Stack) -> Found:
    """Asks for interface endpoints of ECR's API, ECR's registry and SSM."""
    found = reachable(vpc, stack)
    missing = [service for service in CONTAINER_SERVICES if not any(name.endswith(f".{service}") for name in found)]
    if missing:
        yield f"it has no endpoint for {', '.join(missing)}"


@rule(
    "public-access-blocked", 11, PUBLIC_ACCESS,
    title="A region's block on public access to VPCs stays on",
    reason="It is what holds when a route or a gateway is added by mistake.",
    remedy='Set internet_gateway_block_mode to "block-ingress" or "block-bidirectional", with exclusions by name.',
    severity=Severity.HIGH,
)  # fmt: skip
def public_access_blocked(options: Resource) -> Found:
    """Forbids mode off, where a stack owns the setting."""
    if options.text("internetGatewayBlockMode", "off") not in ("block-ingress", "block-bidirectional"):
        yield "internetGatewayBlockMode is off"
