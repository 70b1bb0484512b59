"""Load balancers, listeners and target groups."""

from policy.model import Resource, Stack
from policy.rule import Found, Severity, rule, stack_rule
from policy.rules.scaling import FEWEST, zones
from policy.types import BALANCER, LISTENER, TARGET_GROUP, WEB_ACL_ASSOCIATION

SECURE = frozenset({"HTTPS", "TLS", "QUIC"})
TLS_POLICIES = frozenset(
    f"ELBSecurityPolicy-TLS13-1-{rest}"
    for rest in (
        *("3-2021-06", "2-Res-2021-06", "3-FIPS-2023-04", "2-Res-FIPS-2023-04"),
        *("3-PQ-2025-09", "2-Res-PQ-2025-09", "3-FIPS-PQ-2025-09", "2-Res-FIPS-PQ-2025-09"),
    )
)


def is_application(balancer: Resource) -> bool:
    """Whether it is one for HTTP."""
    return balancer.text("loadBalancerType", "application") == "application"


def protocol(listener: Resource) -> str:
    """What a listener speaks; a load balancer for HTTP guesses it from the port."""
    guessed = {443: "HTTPS", 80: "HTTP"}.get(int(listener.number("port", 0)), "")
    return listener.text("protocol", guessed).upper()


@rule(
    "http-redirects", 24, LISTENER,
    title="HTTP does nothing but redirect to HTTPS",
    reason="What is sent in clear can be read and changed on the way.",
    remedy="Redirect port 80 to HTTPS; in Teal, set teal:domain, and TrafficSplit does it.",
    severity=Severity.HIGH,
)  # fmt: skip
def http_redirects(listener: Resource) -> Found:
    """Asks that every action of an HTTP listener redirects to HTTPS."""
    if protocol(listener) != "HTTP":
        return
    actions = listener.blocks("defaultActions")
    if not actions or not all(action.block("redirect").text("protocol") == "HTTPS" for action in actions):
        yield "it answers in clear"


@rule(
    "balancer-drops-headers", 25, BALANCER,
    title="Load balancers drop malformed headers",
    reason="Load balancer and server may read one differently, and that is how requests are smuggled.",
    remedy="Set drop_invalid_header_fields=True.",
)  # fmt: skip
def balancer_drops_headers(balancer: Resource) -> Found:
    """Asks for it of load balancers for HTTP."""
    if is_application(balancer) and not balancer.flag("dropInvalidHeaderFields"):
        yield "dropInvalidHeaderFields is off"


@rule(
    "balancer-access-logs", 26, BALANCER,
    title="Load balancers keep access logs",
    reason="They tell who asked for what, when nothing else was up to tell.",
    remedy='Set access_logs={"bucket": ..., "enabled": True}.',
)  # fmt: skip
def balancer_access_logs(balancer: Resource) -> Found:
    """Asks for enabled access logs."""
    if not balancer.block("accessLogs").flag("enabled"):
        yield "accessLogs is not enabled"


@rule(
    "balancer-protected", 27, BALANCER,
    title="Load balancers are protected from deletion",
    reason="Everybody's address hangs on it, and a new one has another.",
    remedy="Set enable_deletion_protection=True; in Teal, teal:protects.",
)  # fmt: skip
def balancer_protected(balancer: Resource) -> Found:
    """Asks for deletion protection."""
    if not balancer.flag("enableDeletionProtection"):
        yield "enableDeletionProtection is off"


@rule(
    "balancer-desync", 28, BALANCER,
    title="Load balancers defend against ambiguous requests",
    reason="A request that load balancer and server split differently slips past both.",
    remedy='Set desync_mitigation_mode to "defensive" or "strictest".',
)  # fmt: skip
def balancer_desync(balancer: Resource) -> Found:
    """Forbids the mode that only watches."""
    if is_application(balancer) and balancer.text("desyncMitigationMode", "defensive") == "monitor":
        yield "desyncMitigationMode is monitor"


@stack_rule(
    "balancer-zones", 29, BALANCER,
    title="Load balancers stand in several availability zones",
    reason="Zones fail one at a time.",
    remedy="Give it subnets in at least two zones.",
)  # fmt: skip
def balancer_zones(balancer: Resource, stack: Stack) -> Found:
    """Counts the zones of the subnets that it leads to; of subnets made elsewhere, the subnets."""
    if len(balancer.blocks("subnetMappings")) >= FEWEST:
        return
    if not balancer.given("subnets") or zones(balancer, "subnets", stack) < FEWEST:
        yield "it stands in one zone only"


@rule(
    "tls-policy", 30, LISTENER,
    title="TLS listeners use a strict, current policy",
    reason="Older ones let weak ciphers and old versions in.",
    remedy="Set ssl_policy to ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09 or one of its seven kin.",
    severity=Severity.HIGH,
)  # fmt: skip
def tls_policy(listener: Resource) -> Found:
    """Asks for one of the eight policies that Security Hub names."""
    if protocol(listener) in ("HTTPS", "TLS") and listener.text("sslPolicy") not in TLS_POLICIES:
        yield f"sslPolicy is {listener.text('sslPolicy', 'left to AWS')}"


@rule(
    "listener-encrypts", 31, LISTENER,
    title="Listeners that serve do so over TLS",
    reason="What is sent in clear can be read and changed on the way.",
    remedy='Set protocol="HTTPS" (or "TLS") and a certificate; in Teal, set teal:domain.',
    severity=Severity.HIGH,
)  # fmt: skip
def listener_encrypts(listener: Resource) -> Found:
    """Asks for TLS wherever an action does more than redirect."""
    is_redirect = all(action.text("type") == "redirect" for action in listener.blocks("defaultActions"))
    if not is_redirect and protocol(listener) not in SECURE:
        yield f"it serves by {protocol(listener) or 'an unnamed protocol'}"


@rule(
    "targets-encrypt", 32, TARGET_GROUP,
    title="Load balancers talk to targets, and check their health, over TLS",
    reason="Who is in the network reads what was decrypted at the load balancer.",
    remedy='Set protocol="HTTPS" and health_check={"protocol": "HTTPS"}, and let the servers have certificates.',
    severity=Severity.LOW,
)  # fmt: skip
def targets_encrypt(group: Resource) -> Found:
    """Asks for HTTPS or TLS in both."""
    if group.text("targetType") == "lambda":
        return
    if group.text("protocol").upper() not in SECURE:
        yield "targets are talked to in clear"
    if group.block("healthCheck").text("protocol", "HTTP").upper() not in SECURE:
        yield "health is checked in clear"


@stack_rule(
    "balancer-web-acl", 33, BALANCER,
    title="Load balancers that face the internet have a web ACL",
    reason="It stops known attacks before they reach the application.",
    remedy="Associate one with aws.wafv2.WebAclAssociation(resource_arn=<the load balancer's ARN>).",
    severity=Severity.LOW,
)  # fmt: skip
def balancer_web_acl(balancer: Resource, stack: Stack) -> Found:
    """Asks for an association of WAF in the same stack."""
    is_public = is_application(balancer) and not balancer.flag("internal")
    if is_public and not stack.pointing(balancer, "resourceArn", WEB_ACL_ASSOCIATION):
        yield "no web ACL is associated with it"


@rule(
    "target-health-check", 34, TARGET_GROUP,
    title="Target groups say what a healthy target is",
    reason="AWS's default takes any answer on / for health.",
    remedy="Give health_check a path of the application's own.",
)  # fmt: skip
def target_health_check(group: Resource) -> Found:
    """Asks for an enabled health check; over HTTP, with a path."""
    if group.text("targetType") == "lambda":
        return
    check = group.block("healthCheck")
    is_http = check.text("protocol", "HTTP").upper() in ("HTTP", "HTTPS")
    if not check.values or not check.flag("enabled", default=True) or (is_http and not check.given("path")):
        yield "it defines no health check of its own"
