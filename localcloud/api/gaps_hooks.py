"""What moto's lifecycle hooks lack: they hold nothing up.

moto keeps hooks and starts every instance in service all the same. install() has a launching hook hold a new instance
in Pending:Wait, out of the target groups, until CompleteLifecycleAction (which moto does not know) lets it in, takes
the hooks that come with a new group, and drops a group's hooks with the group. A hook never runs out of time here:
whoever plays the servers tries them again by itself.
"""

import functools
from collections.abc import Callable
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
IN_SERVICE, WAITING, STANDBY = "InService", "Pending:Wait", "Standby"


def install() -> None:
    """Mends moto's lifecycle hooks in this process; a second call changes nothing."""
    AutoScalingResponse.complete_lifecycle_action = _complete
    FakeAutoScalingGroup.active_instances = _active_instances
    AutoScalingBackend.update_attached_target_groups = _update_attached_target_groups
    _wrap(AutoScalingResponse, "create_auto_scaling_group", _create)
    _wrap(AutoScalingBackend, "delete_auto_scaling_group", _delete)
    _wrap(FakeAutoScalingGroup, "replace_autoscaling_group_instances", _start)


def _wrap(owner: type, name: str, mend: Callable[..., Any]) -> None:
    original = getattr(owner, name)
    if getattr(original, "heeds_hooks", False):
        return

    @functools.wraps(original)
    def mended(self: Any, *arguments: Any, **named: Any) -> Any:
        return mend(original, self, *arguments, **named)

    mended.heeds_hooks = True  # type: ignore[attr-defined]
    setattr(owner, name, mended)


def _active_instances(self: Any) -> list[Any]:
    """Those that count as capacity: also the ones that are still on their way."""
    return [state for state in self.instance_states if state.lifecycle_state != STANDBY]


def _update_attached_target_groups(self: Any, group_name: str) -> None:
    group = self.autoscaling_groups[group_name]
    serving = [state.instance.id for state in group.instance_states if state.lifecycle_state == IN_SERVICE]
    if not group.target_group_arns:
        return
    for target_group in self.elbv2_backend.describe_target_groups(
        target_group_arns=group.target_group_arns, load_balancer_arn=None, names=None
    ):
        targets = [{"Id": instance_id, "Port": target_group.port} for instance_id in serving]
        self.elbv2_backend.register_targets(target_group.arn, targets)


def _create(original: Callable[..., Any], self: Any) -> ActionResult:
    """Puts the group's first hooks in place before its first instances start."""
    name = self._get_param("AutoScalingGroupName")
    if name not in self.autoscaling_backend.autoscaling_groups:
        for hook in self._get_params().get("LifecycleHookSpecificationList", []):
            self.autoscaling_backend.create_lifecycle_hook(
                name=hook["LifecycleHookName"],
                as_name=name,
                transition=hook["LifecycleTransition"],
                timeout=int(hook.get("HeartbeatTimeout") or 0),
                result=hook.get("DefaultResult"),
            )
    answer: ActionResult = original(self)
    return answer


def _delete(original: Callable[..., Any], self: Any, group_name: str) -> None:
    original(self, group_name)
    for hook in self.describe_lifecycle_hooks(group_name):
        self.delete_lifecycle_hook(group_name, hook.name)


def _start(original: Callable[..., Any], self: Any, count_needed: int, propagated_tags: dict[str, str]) -> None:
    before = {state.instance.id for state in self.instance_states}
    original(self, count_needed, propagated_tags)
    if not any(_launching(self.autoscaling_backend, self.name)):
        return
    for state in self.instance_states:
        if state.instance.id not in before:
            state.lifecycle_state = WAITING


def _complete(self: Any) -> ActionResult:
    """Lets an instance in, or ends it, as its hook's result says."""
    backend = self.autoscaling_backend
    name, hook = self._get_param("AutoScalingGroupName"), self._get_param("LifecycleHookName")
    instance_id, result = self._get_param("InstanceId"), self._get_param("LifecycleActionResult")
    waiting = [
        state
        for state in backend.describe_auto_scaling_instances([instance_id])
        if state.auto_scaling_group_name == name and state.lifecycle_state == WAITING
    ]
    if not waiting or hook not in _launching(backend, name):
        raise AutoscalingClientError(
            "ValidationError", f"No active Lifecycle Action found with instance ID {instance_id}"
        )
    if result == "CONTINUE":
        waiting[0].lifecycle_state = IN_SERVICE
        backend.update_attached_target_groups(name)
    else:
        backend.ec2_backend.terminate_instances([instance_id])
        backend.notify_terminate_instances([instance_id])
    return EmptyResult()


def _launching(backend: Any, group_name: str) -> list[str]:
    hooks = backend.describe_lifecycle_hooks(group_name)
    return [hook.name for hook in hooks if hook.lifecycle_transition == LAUNCHING]
