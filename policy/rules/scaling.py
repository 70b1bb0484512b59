"""Scaling groups."""

from policy.model import Resource, Stack
from policy.rule import Found, Severity, rule, stack_rule
from policy.types import LAUNCH_CONFIGURATION, SCALING_GROUP, SUBNET

FEWEST = 2


@rule(
    "group-balancer-health", 20, SCALING_GROUP,
    title="A scaling group behind a load balancer believes its health checks",
    reason="EC2's own check calls a server healthy as long as it is powered on.",
    remedy='Set health_check_type="ELB".',
)  # fmt: skip
def group_balancer_health(group: Resource) -> Found:
    """Asks for ELB health checks wherever targets are registered."""
    is_behind = any(group.given(name) for name in ("targetGroupArns", "loadBalancers", "trafficSources"))
    if is_behind and "ELB" not in group.text("healthCheckType", "EC2"):
        yield "healthCheckType is not ELB"


@stack_rule(
    "group-zones", 21, SCALING_GROUP,
    title="A scaling group spans several availability zones",
    reason="Zones fail one at a time.",
    remedy="Give it subnets in at least two zones.",
)  # fmt: skip
def group_zones(group: Resource, stack: Stack) -> Found:
    """Counts the zones of the subnets that it leads to; of subnets made elsewhere, the subnets."""
    if not (group.given("vpcZoneIdentifiers") or group.given("availabilityZones")):
        yield "it names no zones"
    elif zones(group, "vpcZoneIdentifiers", stack) < FEWEST and len(group.texts("availabilityZones")) < FEWEST:
        yield "it is in one zone only"


def zones(resource: Resource, prop: str, stack: Stack) -> int:
    """How many zones a property's subnets are in; those of other stacks count one each."""
    known = {subnet.text("availabilityZone", subnet.urn) for subnet in stack.behind(resource, prop, SUBNET)}
    return len(known) or len(set(resource.texts(prop)))


@rule(
    "group-instance-types", 22, SCALING_GROUP,
    title="A scaling group may use several instance types",
    reason="A zone runs out of one type before it runs out of all.",
    remedy="Name two types or more in mixed_instances_policy; in Teal, in teal:instanceTypes.",
    severity=Severity.LOW,
)  # fmt: skip
def group_instance_types(group: Resource) -> Found:
    """Counts the overrides; requirements in place of types count as several."""
    overrides = group.block("mixedInstancesPolicy").block("launchTemplate").blocks("overrides")
    kinds = {part.text("instanceType") for part in overrides}
    if len(kinds) < FEWEST and not any(part.given("instanceRequirements") for part in overrides):
        yield "it can start one instance type only"


@rule(
    "group-launch-template", 23, SCALING_GROUP, LAUNCH_CONFIGURATION,
    title="Servers start from launch templates, not from launch configurations",
    reason="Launch configurations know neither IMDSv2's newer settings nor versions, and AWS no longer extends them.",
    remedy="Use aws.ec2.LaunchTemplate.",
    severity=Severity.LOW,
)  # fmt: skip
def group_launch_template(resource: Resource) -> Found:
    """Forbids launch configurations, and groups that name one."""
    if resource.type == LAUNCH_CONFIGURATION or resource.given("launchConfiguration"):
        yield "it is or uses a launch configuration"
