"""One kind of a swarm's nodes, managers or workers: a scaling group over zones that holds its size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import autoscaling, ec2, iam

from ..children import Children
from ..servers.instance_role import managed_role
from ..servers.launch import Launch, launch_template, mixed_launch, only_launch
from ..servers.readiness import first_hook, ready_hook
from ..tagging import named

HELD_STILL = ("AZRebalance",)
"""What the scaling group may not do to managers: ending one only to have it in another zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machines:
    """What all nodes have in common."""

    instance_types: Sequence[str]
    image_id: pulumi.Input[str]
    volume_gib: int
    boot_seconds: int
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    boundary_arn: pulumi.Input[str] | None
    force_delete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What differs."""

    role: str
    """manager or worker."""
    count: int
    user_data: pulumi.Input[str]
    """In base64."""
    policy: pulumi.Input[str]
    """What its nodes may do beside being administered by SSM, as JSON."""
    groups: tuple[ec2.SecurityGroup, ...]
    target_group_arns: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None


@dataclass(frozen=True, slots=True)
class Nodes:
    """The scaling group of one kind, and its role."""

    group: autoscaling.Group
    role: iam.Role


def swarm_nodes(children: Children, machines: Machines, kind: Kind) -> Nodes:
    """The nodes of one kind; children must follow the rules of the security groups.

    Whether an instance runs is EC2's to say, not the load balancer's: a worker without a task of a colour is healthy.
    """
    role = managed_role(children, f"{kind.role.capitalize()}s of a Teal swarm", machines.boundary_arn)
    own = iam.RolePolicy(
        children.name("node"),
        role=role.role.name,
        policy=kind.policy,
        opts=children.options(),
    )
    first, *others = kind.groups
    template = launch_template(
        children,
        Launch(
            description=f"{kind.role.capitalize()}s of a swarm",
            image_id=machines.image_id,
            instance_type=machines.instance_types[0],
            user_data=kind.user_data,
            profile_arn=role.profile.arn,
            security_group_id=first.id,
            more_security_group_ids=tuple(group.id for group in others),
            volume_gib=machines.volume_gib,
        ),
    )
    group = autoscaling.Group(
        children.name("group"),
        min_size=kind.count,
        max_size=kind.count,
        vpc_zone_identifiers=machines.subnet_ids,
        target_group_arns=kind.target_group_arns,
        health_check_type="EC2",
        health_check_grace_period=machines.boot_seconds,
        default_instance_warmup=machines.boot_seconds,
        suspended_processes=[*HELD_STILL] if kind.role == "manager" else None,
        initial_lifecycle_hooks=[first_hook(machines.boot_seconds)],
        wait_for_capacity_timeout="0",
        force_delete=machines.force_delete,
        launch_template=only_launch(machines.instance_types, template),
        mixed_instances_policy=mixed_launch(machines.instance_types, template),
        tags=_tags(named(children.tags, children.component_name)),
        opts=children.following(*role.policies, own).options(),
    )
    ready_hook(children, role.role, group, machines.boot_seconds)
    return Nodes(group, role.role)


def _tags(tags: Mapping[str, pulumi.Input[str]]) -> list[autoscaling.GroupTagArgsDict]:
    return [{"key": key, "value": value, "propagate_at_launch": True} for key, value in tags.items()]
