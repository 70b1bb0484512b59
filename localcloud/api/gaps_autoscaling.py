"""What moto's scaling groups forget.

moto starts every instance of a group in its first subnet and from the launch template's default version, without the
template's network interface, metadata options and role, and fails over the user data of all but its first version. It
leaves terminated instances in the target groups and replacements out of them. It drops MaxInstanceLifetime,
DefaultInstanceWarmup and what an update says of termination policies, cooldown and rebalancing. It deletes a group that
still has instances without being told to force it. It cannot describe a group with a mixed instances policy, nor stop
collecting metrics. install() mends these.
"""

import functools
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.models import ASG_NAME_TAG, AutoScalingBackend, FakeAutoScalingGroup, InstanceState
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models.launch_templates import LaunchTemplateVersion
from moto.ec2.utils import convert_tag_spec, parse_user_data

KEPT: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "DefaultCooldown": ("default_cooldown", int),
    "DefaultInstanceWarmup": ("default_instance_warmup", int),
    "HealthCheckGracePeriod": ("health_check_grace_period", int),
    "MaxInstanceLifetime": ("max_instance_lifetime", int),
    "CapacityRebalance": ("capacity_rebalance", lambda value: value in (True, "true", "True")),
    "TerminationPolicies": ("termination_policies", list),
}
"""Parameters of both CreateAutoScalingGroup and UpdateAutoScalingGroup: attribute that tells them, and its type."""
UNSET = {"DefaultInstanceWarmup": -1, "MaxInstanceLifetime": 0}
"""What AWS takes for no warm-up and no longest lifetime."""

_one_at_a_time = threading.RLock()
"""Held while groups change: two requests at once would each count the same instances, and start too many or too few."""


def install() -> None:
    """Mends moto's Auto Scaling in this process; a second call changes nothing."""
    for owner, name, mend in MENDS:
        original = getattr(owner, name)
        if not hasattr(original, "__wrapped__"):
            setattr(owner, name, _bound(original, mend))
    LaunchTemplateVersion.user_data = property(_user_data)
    if not hasattr(FakeAutoScalingGroup.replace_autoscaling_group_instances, "__wrapped__"):  # by gaps_hooks
        FakeAutoScalingGroup.replace_autoscaling_group_instances = _start_instances
    FakeAutoScalingGroup.launch_template = property(_group_template)
    FakeAutoScalingGroup.provided_launch_template_version = None
    InstanceState.launch_template = property(_instance_template)
    AutoScalingResponse.disable_metrics_collection = _disable_metrics_collection


def _bound(original: Callable[..., Any], mend: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def mended(self: Any, *arguments: Any, **named: Any) -> Any:
        with _one_at_a_time:
            return mend(original, self, *arguments, **named)

    return mended


def _user_data(self: Any) -> Any:
    """The text in the form that moto's instances take, which moto gives to a template's first version only."""
    told = self.data.get("UserData")
    return parse_user_data(told) if isinstance(told, str) else told


def _start_instances(self: Any, count_needed: int, propagated_tags: dict[str, str]) -> None:
    """Starts instances one by one, each where the group has the fewest, as its launch template's version says."""
    version = self.ec2_launch_template.get_version(self.launch_template_version) if self.ec2_launch_template else None
    if version is None:
        raise AutoscalingClientError(
            "ValidationError", "The embedded cloud starts instances from launch templates only"
        )
    for _ in range(count_needed):
        subnet_id, zone = _emptiest(self)
        tags = {"instance": {**version.instance_tags, **propagated_tags, ASG_NAME_TAG: self.name}}
        specified = convert_tag_spec(version.data.get("TagSpecifications", []))
        reservation = self.ec2_backend.run_instances(
            version.image_id,
            1,
            version.user_data,
            [],
            tags={**specified, **tags},
            placement=zone,
            subnet_id=subnet_id,
            launch_template={"LaunchTemplateId": version.template.id, "Version": str(version.number)},
            instance_type=_instance_type(self, version),
            is_instance_type_default=False,
            region_name=self.region,
            **_from_template(version.data),
        )
        for instance in reservation.instances:
            _give_role(self.ec2_backend, instance, version.data.get("IamInstanceProfile") or {})
            instance.autoscaling_group = self
            self.instance_states.append(
                InstanceState(instance, protected_from_scale_in=self.new_instances_protected_from_scale_in)
            )


def _from_template(data: Mapping[str, Any]) -> dict[str, Any]:
    interfaces = data.get("NetworkInterfaces") or [{}]
    public = interfaces[0].get("AssociatePublicIpAddress")
    return {
        "security_group_ids": list(interfaces[0].get("Groups") or data.get("SecurityGroupIds") or []),
        "associate_public_ip": None if public is None else public in (True, "true"),
        "metadata_options": data.get("MetadataOptions") or {},
        "key_name": data.get("KeyName"),
        "ebs_optimized": data.get("EbsOptimized") in (True, "true"),
        "monitoring_state": "enabled"
        if (data.get("Monitoring") or {}).get("Enabled") in (True, "true")
        else "disabled",
    }


def _instance_type(group: Any, version: Any) -> str:
    """The template's type, or the first of a mixed policy's: moto has capacity of all."""
    overrides = ((group.mixed_instances_policy or {}).get("LaunchTemplate") or {}).get("Overrides") or []
    preferred = [each["InstanceType"] for each in overrides if each.get("InstanceType")]
    return str(preferred[0] if preferred else version.instance_type)


def _give_role(ec2_backend: Any, instance: Any, profile: Mapping[str, str]) -> None:
    if profile:
        ec2_backend.associate_iam_instance_profile(
            instance_id=instance.id,
            iam_instance_profile_name=profile.get("Name"),
            iam_instance_profile_arn=profile.get("Arn"),
        )


def _emptiest(group: Any) -> tuple[str | None, str]:
    """The subnet (None in a default VPC) and zone with the fewest instances of the group; the first of equals."""
    if not group.vpc_zone_identifier:
        used = Counter(state.availability_zone for state in group.instance_states)
        zones: list[str] = list(group.availability_zones)
        return None, min(zones, key=lambda zone: used[zone])
    used = Counter(state.instance.subnet_id for state in group.instance_states)
    subnet_id = min(group.vpc_zone_identifier.split(","), key=lambda subnet: used[subnet])
    return subnet_id, str(group.ec2_backend.get_subnet(subnet_id).availability_zone)


def _group_template(self: Any) -> dict[str, Any] | None:
    if self.ec2_launch_template is None or self.mixed_instances_policy:
        return None
    return {
        "LaunchTemplateId": self.ec2_launch_template.id,
        "LaunchTemplateName": self.ec2_launch_template.name,
        "Version": self.provided_launch_template_version,
    }


def _instance_template(self: Any) -> dict[str, Any] | None:
    """The version that the instance was started from, which may not be the group's any more."""
    tags = {tag["key"]: tag["value"] for tag in self.instance.get_tags()}
    template = self.auto_scaling_group.ec2_launch_template
    if template is None or "aws:ec2launchtemplate:version" not in tags:
        return None
    return {
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Version": tags["aws:ec2launchtemplate:version"],
    }


def _set_desired_capacity(original: Callable[..., Any], self: Any, new_capacity: int | None) -> None:
    """Takes instances from the fullest zone first, the oldest first, and out of the target groups."""
    self.instance_states = _in_order_of_leaving(self.instance_states)
    before = {state.instance.id for state in self.instance_states}
    original(self, new_capacity)
    self.instance_states.sort(key=lambda state: state.instance.launch_time)
    left = before - {state.instance.id for state in self.instance_states}
    self.autoscaling_backend.elbv2_backend.notify_terminate_instances(sorted(left))


def _in_order_of_leaving(states: list[Any]) -> list[Any]:
    staying, leaving = sorted(states, key=lambda state: state.instance.launch_time), []
    while staying:
        crowd = Counter(state.availability_zone for state in staying)
        chosen = max(staying, key=lambda state: crowd[state.availability_zone])
        staying.remove(chosen)
        leaving.append(chosen)
    return leaving


def _notify_terminate_instances(original: Callable[..., Any], self: Any, instance_ids: list[str]) -> None:
    original(self, instance_ids)
    for name in self.autoscaling_groups:
        self.update_attached_target_groups(name)


def _detach_instances(
    original: Callable[..., Any], self: Any, group_name: str, instance_ids: list[str], should_decrement: bool
) -> Any:
    activities = original(self, group_name, instance_ids, should_decrement)
    self.elbv2_backend.notify_terminate_instances(instance_ids)
    return activities


def _detach_target_groups(
    original: Callable[..., Any], self: Any, group_name: str, target_group_arns: list[str]
) -> None:
    """Leaves out targets that are not registered, which moto would stumble over."""
    group = self.autoscaling_groups[group_name]
    group.target_group_arns = [arn for arn in group.target_group_arns if arn not in target_group_arns]
    members = {state.instance.id for state in group.instance_states}
    for arn in target_group_arns:
        target_group = self.elbv2_backend.target_groups.get(arn)
        if target_group is not None:
            target_group.deregister([{"Id": each} for each in sorted(members & target_group.targets.keys())])


def _keeping(original: Callable[..., Any], self: Any) -> ActionResult:
    """Creates or updates, then keeps the parameters that moto leaves out."""
    answer = original(self)
    group = self.autoscaling_backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
    parameters = self._get_params()
    for name, (attribute, kind) in KEPT.items():
        if parameters.get(name) is not None:
            value = kind(parameters[name])
            setattr(group, attribute, None if UNSET.get(name) == value else value)
    return answer


def _create(original: Callable[..., Any], self: Any) -> ActionResult:
    name = self._get_param("AutoScalingGroupName")
    if name in self.autoscaling_backend.autoscaling_groups:
        raise AutoscalingClientError("AlreadyExists", f"AutoScalingGroup by this name already exists - {name}")
    return _keeping(original, self)


def _delete(original: Callable[..., Any], self: Any) -> ActionResult:
    group = self.autoscaling_backend.autoscaling_groups.get(self._get_param("AutoScalingGroupName"))
    if group is not None and group.instance_states and not self._get_bool_param("ForceDelete", False):
        reason = "You cannot delete an AutoScalingGroup while there are instances still in the group."
        raise AutoscalingClientError("ResourceInUse", reason)
    return original(self)


def _put_scaling_policy(original: Callable[..., Any], self: Any, name: str, **named: Any) -> Any:
    """Says so where moto, which files policies by name alone, would drop another group's."""
    there, group = self.policies.get(name), named["as_name"]
    if there is not None and there.auto_scaling_group_name != group:
        reason = f"The embedded cloud has each policy name once: policy {name} belongs to group"
        raise AutoscalingClientError("ValidationError", f"{reason} {there.auto_scaling_group_name}")
    return original(self, name=name, **named)


def _disable_metrics_collection(self: Any) -> ActionResult:
    group = self.autoscaling_backend.autoscaling_groups[self._get_param("AutoScalingGroupName")]
    dropped = self._get_param("Metrics") or list(group.metrics)
    group.metrics = [metric for metric in group.metrics if metric not in dropped]
    return EmptyResult()


MENDS: tuple[tuple[type, str, Callable[..., Any]], ...] = (
    (FakeAutoScalingGroup, "set_desired_capacity", _set_desired_capacity),
    (AutoScalingBackend, "notify_terminate_instances", _notify_terminate_instances),
    (AutoScalingBackend, "put_scaling_policy", _put_scaling_policy),
    (AutoScalingBackend, "detach_instances", _detach_instances),
    (AutoScalingBackend, "detach_load_balancer_target_groups", _detach_target_groups),
    (AutoScalingResponse, "create_auto_scaling_group", _create),
    (AutoScalingResponse, "update_auto_scaling_group", _keeping),
    (AutoScalingResponse, "delete_auto_scaling_group", _delete),
)
