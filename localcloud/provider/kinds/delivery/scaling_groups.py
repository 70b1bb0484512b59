"""EC2 Auto Scaling groups."""

import re
import time
from collections.abc import Mapping
from typing import Any

from localcloud.provider.errors import ProviderError
from localcloud.provider.kind import AutoName, AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, no_other_keys, spelled, whole
from localcloud.provider.kinds.common import by_id
from localcloud.provider.translate import text
from localcloud.provider.values import Properties

NAME = "AutoScalingGroupName"
POLL_SECONDS = 0.2
DRAIN_SECONDS = 600
DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
UPDATED = frozenset(
    {
        *("minSize", "maxSize", "desiredCapacity", "launchTemplate", "mixedInstancesPolicy", "vpcZoneIdentifiers"),
        *("healthCheckType", "healthCheckGracePeriod", "defaultCooldown", "terminationPolicies", "protectFromScaleIn"),
        *("capacityRebalance", "defaultInstanceWarmup", "maxInstanceLifetime"),
    }
)
TEMPLATE_NAMES = {"id": "LaunchTemplateId", "name": "LaunchTemplateName"}
HOOK_NAMES = {
    "name": "LifecycleHookName",
    "lifecycleTransition": "LifecycleTransition",
    "defaultResult": "DefaultResult",
    "heartbeatTimeout": "HeartbeatTimeout",
}


def _parameters(change: Change) -> dict[str, Any]:
    """What has another form here than at the API, for both its creation and its update."""
    inputs = change.inputs
    found = {"VPCZoneIdentifier": ",".join(inputs["vpcZoneIdentifiers"])}
    if "protectFromScaleIn" in inputs:
        found["NewInstancesProtectedFromScaleIn"] = inputs["protectFromScaleIn"]
    return found


def _create_parameters(change: Change) -> dict[str, Any]:
    found = _parameters(change)
    if tags := change.inputs.get("tags"):
        found["Tags"] = [_tag(change.inputs["name"], tag) for tag in tags]
    if hooks := change.inputs.get("initialLifecycleHooks"):
        found["LifecycleHookSpecificationList"] = [_hook(hook) for hook in hooks]
    return found


def _hook(hook: Mapping[str, Any]) -> dict[str, Any]:
    given = {aws: hook.get(name) for name, aws in HOOK_NAMES.items()}
    return {
        name: int(value) if name == "HeartbeatTimeout" else value for name, value in given.items() if value is not None
    }


def _tag(group: str, tag: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ResourceId": group,
        "ResourceType": "auto-scaling-group",
        "Key": tag["key"],
        "Value": text(tag["value"]),
        "PropagateAtLaunch": tag["propagateAtLaunch"],
    }


def _updates(change: Change) -> None:
    parameters = change.parameters("update_auto_scaling_group", UPDATED) | _parameters(change)
    parameters.setdefault("DefaultInstanceWarmup", -1)  # AWS: none
    parameters.setdefault("MaxInstanceLifetime", 0)  # AWS: no limit
    change.call("update_auto_scaling_group", **{NAME: change.id}, **parameters)


def _retags(change: Change) -> None:
    wanted, before = change.inputs.get("tags", []), change.olds.get("tags", [])
    gone = {tag["key"] for tag in before} - {tag["key"] for tag in wanted}
    if gone:
        dropped = [tag for tag in before if tag["key"] in gone]
        change.call("delete_tags", Tags=[_tag(change.id, tag) for tag in dropped])
    if wanted:
        change.call("create_or_update_tags", Tags=[_tag(change.id, tag) for tag in wanted])


def _attaches(change: Change) -> None:
    wanted, attached = change.inputs.get("targetGroupArns", []), change.olds.get("targetGroupArns", [])
    new = [arn for arn in wanted if arn not in attached]
    old = [arn for arn in attached if arn not in wanted]
    if new:
        change.call("attach_load_balancer_target_groups", **{NAME: change.id}, TargetGroupARNs=new)
    if old:
        change.call("detach_load_balancer_target_groups", **{NAME: change.id}, TargetGroupARNs=old)


def _suspends(change: Change) -> None:
    wanted, before = set(change.inputs.get("suspendedProcesses", [])), set(change.olds.get("suspendedProcesses", []))
    if wanted - before:
        change.call("suspend_processes", **{NAME: change.id}, ScalingProcesses=sorted(wanted - before))
    if before - wanted:
        change.call("resume_processes", **{NAME: change.id}, ScalingProcesses=sorted(before - wanted))


def _measures(change: Change) -> None:
    wanted, before = change.inputs.get("enabledMetrics", []), change.olds.get("enabledMetrics", [])
    if before:
        change.call("disable_metrics_collection", **{NAME: change.id}, Metrics=before)
    if wanted:
        granularity = change.inputs["metricsGranularity"]
        change.call("enable_metrics_collection", **{NAME: change.id}, Metrics=wanted, Granularity=granularity)


def _group(change: Change) -> dict[str, Any] | None:
    groups = change.call("describe_auto_scaling_groups", AutoScalingGroupNames=[change.id])["AutoScalingGroups"]
    return groups[0] if groups else None


def seconds(duration: Any) -> int:
    """A duration such as 10m, 1h30m or 0 in seconds. Raises ValueError for anything else."""
    parts = DURATION.fullmatch(str(duration).strip()) if str(duration) != "0" else None
    if str(duration) == "0":
        return 0
    if parts is None or not any(parts.groups()):
        raise ValueError(f"a duration is written like 10m, 90s or 1h30m, got {duration!r}")
    return sum(int(part or 0) * unit for part, unit in zip(parts.groups(), (3600, 60, 1), strict=True))


def _waits(change: Change) -> None:
    """Until the group has as many healthy instances in service as it wants. Raises ProviderError at the deadline."""
    limit = seconds(change.inputs["waitForCapacityTimeout"])
    deadline = time.monotonic() + limit
    while limit:
        group = _group(change) or {"Instances": [], "DesiredCapacity": 0}
        serving = [
            each
            for each in group["Instances"]
            if each["LifecycleState"] == "InService" and each["HealthStatus"] == "Healthy"
        ]
        if len(serving) >= group["DesiredCapacity"]:
            return
        if time.monotonic() > deadline:
            raise ProviderError(
                f"scaling group {change.id} has {len(serving)} of {group['DesiredCapacity']} instances in service"
                f" after {change.inputs['waitForCapacityTimeout']}"
            )
        time.sleep(POLL_SECONDS)


def _deletes(change: Change) -> None:
    """Lets the instances end first, unless told to force it, and returns once the group is gone."""
    is_forced = bool(change.inputs.get("forceDelete"))
    if _group(change) is None:  # the API's error for that looks like any other
        return
    if not is_forced:
        change.call("update_auto_scaling_group", **{NAME: change.id}, MinSize=0, MaxSize=0, DesiredCapacity=0)
        _until_drained(change)
    change.call("delete_auto_scaling_group", **{NAME: change.id}, ForceDelete=is_forced)


def _until_drained(change: Change) -> None:
    deadline = time.monotonic() + DRAIN_SECONDS
    while (group := _group(change)) and group["Instances"]:
        if time.monotonic() > deadline:
            left = len(group["Instances"])
            raise ProviderError(f"scaling group {change.id} still has {left} instances after {DRAIN_SECONDS} s")
        time.sleep(POLL_SECONDS)


def _tags_found(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": tag["Key"], "value": tag["Value"], "propagateAtLaunch": tag["PropagateAtLaunch"]}
        for tag in found.get("Tags") or []
        if not tag["Key"].startswith("aws:")
    ]


def _capacity(change: Change, found: Mapping[str, Any]) -> int | None:
    """What is wanted, where the program says how much: else scaling decides, and its moves are no drift."""
    return found.get("DesiredCapacity") if "desiredCapacity" in change.inputs else None


def _sizes(inputs: Properties) -> Failures:
    lowest, highest = inputs.get("minSize"), inputs.get("maxSize")
    if lowest is not None and highest is not None and highest < lowest:
        yield "maxSize", f"maxSize must be at least minSize ({lowest}), got {highest}"
    wanted = inputs.get("desiredCapacity")
    if lowest is None or highest is None or wanted is None:
        return
    if not lowest <= wanted <= highest:
        yield "desiredCapacity", f"desiredCapacity must be from minSize ({lowest}) to maxSize ({highest}), got {wanted}"


def _one_source(inputs: Properties) -> Failures:
    given = sorted({"launchTemplate", "mixedInstancesPolicy"} & inputs.keys())
    if len(given) != 1:
        reason = "one of launchTemplate and mixedInstancesPolicy must be given"
        yield "launchTemplate", f"{reason}, got {' and '.join(given) or 'neither'}"


def _patience(inputs: Properties) -> Failures:
    try:
        seconds(inputs.get("waitForCapacityTimeout", "0"))
    except ValueError as error:
        yield "waitForCapacityTimeout", f"waitForCapacityTimeout: {error}"


def _whole_tags(inputs: Properties) -> Failures:
    for index, tag in enumerate(inputs.get("tags") or []):
        if missing := sorted({"key", "value", "propagateAtLaunch"} - tag.keys()):
            yield f"tags[{index}]", f"tags[{index}] must have key, value and propagateAtLaunch, got no {missing[0]}"


GROUP = AwsType(
    token="aws:autoscaling/group:Group",
    service="autoscaling",
    properties={
        "name": Prop(at=NAME),
        "minSize": Prop(required=True),
        "maxSize": Prop(required=True),
        "desiredCapacity": Prop(resettable=True),
        "launchTemplate": Prop(names=TEMPLATE_NAMES, resettable=True),
        "mixedInstancesPolicy": Prop(resettable=True),
        "vpcZoneIdentifiers": Prop(required=True, read=lambda found: found["VPCZoneIdentifier"].split(",")),
        "targetGroupArns": Prop(resettable=True),
        "healthCheckType": Prop(default="EC2"),
        "healthCheckGracePeriod": Prop(default=300),
        "defaultCooldown": Prop(default=300),
        "defaultInstanceWarmup": Prop(resettable=True),
        "maxInstanceLifetime": Prop(resettable=True),
        "capacityRebalance": Prop(default=False),
        "terminationPolicies": Prop(default=["Default"]),
        "protectFromScaleIn": Prop(default=False, read="NewInstancesProtectedFromScaleIn"),
        "suspendedProcesses": Prop(resettable=True, read="SuspendedProcesses[].ProcessName"),
        "enabledMetrics": Prop(resettable=True, read="EnabledMetrics[].Metric"),
        "metricsGranularity": Prop(default="1Minute"),
        "tags": Prop(resettable=True, read=_tags_found),
        "initialLifecycleHooks": Prop(local=True),  # heeded at birth alone, as by the official provider
        "forceDelete": Prop(default=False, local=True),
        "waitForCapacityTimeout": Prop(default="10m"),
    },
    create=Create(
        "create_auto_scaling_group",
        lambda change, _: str(change.inputs["name"]),
        extra=_create_parameters,
        of=frozenset({"vpcZoneIdentifiers", "protectFromScaleIn"}),
    ),
    reads=(
        Read("describe_auto_scaling_groups", by_id("AutoScalingGroupNames", many=True), "AutoScalingGroups[0]"),
    ),
    steps=(
        Step(UPDATED, _updates),
        Step(frozenset({"tags"}), _retags),
        Step(frozenset({"targetGroupArns"}), _attaches),
        Step(frozenset({"suspendedProcesses"}), _suspends),
        Step(frozenset({"enabledMetrics", "metricsGranularity"}), _measures),
        Step(frozenset({"waitForCapacityTimeout", "minSize", "desiredCapacity"}), _waits),
    ),
    delete=_deletes,
    outputs={"arn": "AutoScalingGroupARN", "desiredCapacity": _capacity},
    name=AutoName("name", 255),
    rules=(
        spelled("name", r"[^\s:](.{0,253}[^\s:])?", "1 to 255 characters, with no colon or space at either end"),
        whole("minSize", 0, 10000),
        whole("maxSize", 0, 10000),
        whole("desiredCapacity", 0, 10000),
        _sizes,
        no_other_keys("launchTemplate", "id", "name", "version"),
        no_other_keys("initialLifecycleHooks", *HOOK_NAMES),
        among("healthCheckType", "EC2", "ELB"),
        whole("healthCheckGracePeriod", 0, 7200),
        whole("defaultInstanceWarmup", 0, 3600),
        whole("maxInstanceLifetime", 86400, 31536000, beside=(0,)),
        whole("defaultCooldown", 0, 86400),
        among("metricsGranularity", "1Minute"),
        _patience,
        _whole_tags,
    ),
    presence=(_one_source,),
)  # fmt: skip

TYPES = (GROUP,)
