"""Lifecycle hooks, and the instances that they hold back."""

import base64
from typing import Any

import pytest

from localcloud.provider.errors import ApiRefused

GROUP, HOOK = "aws:autoscaling/group:Group", "aws:autoscaling/lifecycleHook:LifecycleHook"
LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
FIRST = {"name": "ready", "lifecycleTransition": LAUNCHING, "defaultResult": "ABANDON", "heartbeatTimeout": 180}


@pytest.fixture(scope="module")
def template(call: Any) -> str:
    data = {"ImageId": "ami-12c6146b", "UserData": base64.b64encode(b"one").decode()}
    made = call("ec2", "create_launch_template", LaunchTemplateName="hooked", LaunchTemplateData=data)
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


@pytest.fixture
def inputs(network: Any, template: str, target_group: Any) -> dict[str, Any]:
    return {
        "minSize": 1,
        "maxSize": 4,
        "vpcZoneIdentifiers": network.subnets[:2],
        "launchTemplate": {"id": template, "version": "1"},
        "targetGroupArns": [target_group.id],
        "initialLifecycleHooks": [FIRST],
        "waitForCapacityTimeout": "0",
        "forceDelete": True,
    }


def states(call: Any, group: Any) -> dict[str, str]:
    told = call("autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=[group.id])["AutoScalingGroups"]
    return {each["InstanceId"]: each["LifecycleState"] for each in told[0]["Instances"]}


def targets(call: Any, target_group: Any) -> set[str]:
    told = call("elbv2", "describe_target_health", TargetGroupArn=target_group.id)["TargetHealthDescriptions"]
    return {each["Target"]["Id"] for each in told}


def hooks(call: Any, group: Any) -> list[str]:
    told = call("autoscaling", "describe_lifecycle_hooks", AutoScalingGroupName=group.id)["LifecycleHooks"]
    return [hook["LifecycleHookName"] for hook in told]


def complete(call: Any, group: Any, instance: str, result: str = "CONTINUE") -> None:
    call(
        "autoscaling",
        "complete_lifecycle_action",
        LifecycleHookName="ready",
        AutoScalingGroupName=group.id,
        InstanceId=instance,
        LifecycleActionResult=result,
    )


def test_a_hook_lives(engine: Any, inputs: dict[str, Any], call: Any) -> None:
    group = engine.create(GROUP, {**inputs, "minSize": 0})
    hook = engine.create(HOOK, {**FIRST, "autoscalingGroupName": group.id})
    assert (hook.id, hooks(call, group)) == ("ready", ["ready"])
    hook.update(heartbeatTimeout=60, defaultResult="CONTINUE")
    assert hook.diff(autoscalingGroupName="other").replaces == ("autoscalingGroupName",)
    call(
        "autoscaling",
        "put_lifecycle_hook",
        AutoScalingGroupName=group.id,
        LifecycleHookName="ready",
        LifecycleTransition=LAUNCHING,
        HeartbeatTimeout=90,
    )
    assert hook.refresh()["heartbeatTimeout"] == 90
    hook.delete()
    group.delete()


def test_an_instance_that_is_held_back_is_no_target_until_its_hook_is_completed(
    engine: Any, inputs: dict[str, Any], call: Any, target_group: Any
) -> None:
    group = engine.create(GROUP, inputs)
    [(instance, state)] = states(call, group).items()
    assert (state, targets(call, target_group)) == ("Pending:Wait", set())
    complete(call, group, instance)
    assert states(call, group) == {instance: "InService"}
    assert targets(call, target_group) == {instance}
    with pytest.raises(ApiRefused, match="No active Lifecycle Action found"):
        complete(call, group, instance)
    group.delete()


def test_instances_that_are_held_back_count_as_capacity(
    engine: Any, inputs: dict[str, Any], call: Any, target_group: Any
) -> None:
    group = engine.create(GROUP, inputs)
    [first] = states(call, group)
    complete(call, group, first)
    group.update(minSize=3)
    assert sorted(states(call, group).values()) == ["InService", "Pending:Wait", "Pending:Wait"]
    group.update(minSize=3, healthCheckGracePeriod=60)
    assert len(states(call, group)) == 3
    assert targets(call, target_group) == {first}
    group.delete()


def test_an_instance_that_is_given_up_is_replaced(engine: Any, inputs: dict[str, Any], call: Any) -> None:
    group = engine.create(GROUP, inputs)
    [first] = states(call, group)
    complete(call, group, first, "ABANDON")
    [(second, state)] = states(call, group).items()
    assert (second != first, state) == (True, "Pending:Wait")
    group.delete()


def test_without_a_hook_nothing_is_held_back_and_a_group_takes_its_hooks_along(
    engine: Any, inputs: dict[str, Any], call: Any
) -> None:
    plain = {key: value for key, value in inputs.items() if key != "initialLifecycleHooks"}
    group = engine.create(GROUP, plain)
    assert [*states(call, group).values()] == ["InService"]
    engine.create(HOOK, {**FIRST, "autoscalingGroupName": group.id})
    group.delete()
    assert hooks(call, group) == []


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        ("heartbeatTimeout", {"heartbeatTimeout": 10}, "from 30 to 7200, got 10"),
        ("lifecycleTransition", {"lifecycleTransition": "launching"}, "EC2_INSTANCE_TERMINATING, got 'launching'"),
        ("defaultResult", {"defaultResult": "RETRY"}, "ABANDON, CONTINUE, got 'RETRY'"),
        ("name", {"name": "a b"}, "letters, digits, dashes"),
        ("roleArn", {"roleArn": "arn:role"}, "does not apply property roleArn"),
    ],
)
def test_what_aws_refuses_is_refused(engine: Any, path: str, change: dict[str, Any], reason: str) -> None:
    assert reason in engine.refusals(HOOK, {**FIRST, "autoscalingGroupName": "web", **change})[path]
