"""Lifecycle hooks of Auto Scaling groups, without notifications: whoever is to complete one asks for itself."""

from typing import Any

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, spelled, whole

CONFIGURED = frozenset({"lifecycleTransition", "defaultResult", "heartbeatTimeout"})
TRANSITIONS = ("autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING")
RESULTS = ("ABANDON", "CONTINUE")


def _about(change: Change) -> dict[str, Any]:
    return {"AutoScalingGroupName": change.inputs["autoscalingGroupName"], "LifecycleHookName": change.id}


def _puts(change: Change) -> None:
    change.call("put_lifecycle_hook", **_about(change), **change.parameters("put_lifecycle_hook", CONFIGURED))


def _deletes(change: Change) -> None:
    change.call("delete_lifecycle_hook", **_about(change))


def _read(change: Change) -> dict[str, Any]:
    about = _about(change)
    return {"AutoScalingGroupName": about["AutoScalingGroupName"], "LifecycleHookNames": [about["LifecycleHookName"]]}


HOOK = AwsType(
    token="aws:autoscaling/lifecycleHook:LifecycleHook",
    service="autoscaling",
    properties={
        "name": Prop(at="LifecycleHookName", replaces=True),
        "autoscalingGroupName": Prop(required=True, replaces=True),
        "lifecycleTransition": Prop(required=True),
        "defaultResult": Prop(default="ABANDON"),
        "heartbeatTimeout": Prop(default=3600),
    },
    create=Create("put_lifecycle_hook", lambda change, _: str(change.inputs["name"])),
    reads=(
        Read("describe_lifecycle_hooks", _read, "LifecycleHooks[0]"),
    ),
    steps=(Step(CONFIGURED, _puts),),
    delete=_deletes,
    name=AutoName("name", 255),
    rules=(
        spelled("name", r"[A-Za-z0-9_/-]{1,255}", "1 to 255 letters, digits, dashes, underscores or slashes"),
        among("lifecycleTransition", *TRANSITIONS),
        among("defaultResult", *RESULTS),
        whole("heartbeatTimeout", 30, 7200),
    ),
)  # fmt: skip

TYPES = (HOOK,)
