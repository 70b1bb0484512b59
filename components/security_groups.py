"""Security groups whose every rule is a resource of its own, described and tagged; one port a rule."""

from dataclasses import dataclass, replace
from typing import TypeVar

import pulumi
from pulumi_aws import ec2, vpc

from .children import Children

ANYWHERE = "0.0.0.0/0"
RuleT = TypeVar("RuleT", vpc.SecurityGroupIngressRule, vpc.SecurityGroupEgressRule)


@dataclass(frozen=True, slots=True)
class Lane:
    """What may be sent to a group's members, or by them: a protocol, and its port where it has ports."""

    role: str
    protocol: str
    """tcp, udp, or a protocol's number."""
    port: int | None
    purpose: str


def security_group(children: Children, role: str, vpc_id: pulumi.Input[str], description: str) -> ec2.SecurityGroup:
    """A group that lets nothing in or out until rules are added."""
    return ec2.SecurityGroup(
        children.name(role),
        vpc_id=vpc_id,
        description=description,
        tags=children.tagged(role),
        opts=children.options(),
    )


def allow_from(
    children: Children, role: str, group: ec2.SecurityGroup, source: pulumi.Input[str], port: int, description: str
) -> vpc.SecurityGroupIngressRule:
    """Lets the source CIDR block reach the members' port."""
    return _rule(vpc.SecurityGroupIngressRule, children, group, Lane(role, "tcp", port, description), block=source)


def allow_to(
    children: Children, role: str, group: ec2.SecurityGroup, target: pulumi.Input[str], port: int, description: str
) -> vpc.SecurityGroupEgressRule:
    """Lets members reach the port within the target CIDR block."""
    return _rule(vpc.SecurityGroupEgressRule, children, group, Lane(role, "tcp", port, description), block=target)


def allow_in(
    children: Children, group: ec2.SecurityGroup, source_group_id: pulumi.Input[str], lane: Lane
) -> vpc.SecurityGroupIngressRule:
    """Lets members of the source group reach those of this one by the lane."""
    lane = replace(lane, role=f"from-{lane.role}")
    return _rule(vpc.SecurityGroupIngressRule, children, group, lane, peer_id=source_group_id)


def allow_out(
    children: Children, group: ec2.SecurityGroup, target_group_id: pulumi.Input[str], lane: Lane
) -> vpc.SecurityGroupEgressRule:
    """Lets members reach those of the target group by the lane."""
    lane = replace(lane, role=f"to-{lane.role}")
    return _rule(vpc.SecurityGroupEgressRule, children, group, lane, peer_id=target_group_id)


def _rule(
    kind: type[RuleT],
    children: Children,
    group: ec2.SecurityGroup,
    lane: Lane,
    *,
    block: pulumi.Input[str] | None = None,
    peer_id: pulumi.Input[str] | None = None,
) -> RuleT:
    """A rule of a group for a lane to or from a CIDR block, or another group."""
    return kind(
        children.name(lane.role),
        security_group_id=group.id,
        ip_protocol=lane.protocol,
        from_port=lane.port,
        to_port=lane.port,
        cidr_ipv4=block,
        referenced_security_group_id=peer_id,
        description=lane.purpose,
        tags=children.tagged(lane.role),
        opts=children.options(),
    )
