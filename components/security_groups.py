"""Security groups whose every rule is a resource of its own, described and tagged; one port a rule."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2, vpc

from .children import Children

ANYWHERE = "0.0.0.0/0"


@dataclass(frozen=True, slots=True)
class Lane:
    """What one group's members may send to another's: a protocol, and its port where it has ports."""

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
    return vpc.SecurityGroupIngressRule(
        children.name(role),
        security_group_id=group.id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        cidr_ipv4=source,
        description=description,
        tags=children.tagged(role),
        opts=children.options(),
    )


def allow_to(
    children: Children, role: str, group: ec2.SecurityGroup, target: pulumi.Input[str], port: int, description: str
) -> vpc.SecurityGroupEgressRule:
    """Lets members reach the port within the target CIDR block."""
    return vpc.SecurityGroupEgressRule(
        children.name(role),
        security_group_id=group.id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        cidr_ipv4=target,
        description=description,
        tags=children.tagged(role),
        opts=children.options(),
    )


def allow_in(
    children: Children, group: ec2.SecurityGroup, source_group_id: pulumi.Input[str], lane: Lane
) -> vpc.SecurityGroupIngressRule:
    """Lets members of the source group reach those of this one by the lane."""
    role = f"from-{lane.role}"
    return vpc.SecurityGroupIngressRule(
        children.name(role),
        security_group_id=group.id,
        ip_protocol=lane.protocol,
        from_port=lane.port,
        to_port=lane.port,
        referenced_security_group_id=source_group_id,
        description=lane.purpose,
        tags=children.tagged(role),
        opts=children.options(),
    )


def allow_out(
    children: Children, group: ec2.SecurityGroup, target_group_id: pulumi.Input[str], lane: Lane
) -> vpc.SecurityGroupEgressRule:
    """Lets members reach those of the target group by the lane."""
    role = f"to-{lane.role}"
    return vpc.SecurityGroupEgressRule(
        children.name(role),
        security_group_id=group.id,
        ip_protocol=lane.protocol,
        from_port=lane.port,
        to_port=lane.port,
        referenced_security_group_id=target_group_id,
        description=lane.purpose,
        tags=children.tagged(role),
        opts=children.options(),
    )
