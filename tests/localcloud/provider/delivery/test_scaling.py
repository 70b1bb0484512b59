import base64
from collections import Counter
from typing import Any

import pytest

from localcloud.provider.errors import ApiRefused, PartlyMade

GROUP, POLICY = "aws:autoscaling/group:Group", "aws:autoscaling/policy:Policy"
NAME_TAG = {"key": "Name", "value": "web", "propagateAtLaunch": True}
TRACKING = {
    "predefinedMetricSpecification": {"predefinedMetricType": "ASGAverageCPUUtilization"},
    "targetValue": 50.0,
}


def template_data(network: Any, user_data: str) -> dict[str, Any]:
    interface = {"DeviceIndex": 0, "Groups": [network.group], "AssociatePublicIpAddress": False}
    return {
        "ImageId": "ami-12c6146b",
        "InstanceType": "t3.micro",
        "UserData": base64.b64encode(user_data.encode()).decode(),
        "NetworkInterfaces": [interface],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "TagSpecifications": [{"ResourceType": "volume", "Tags": [{"Key": "Disk", "Value": "web"}]}],
    }


@pytest.fixture(scope="module")
def template(call: Any, network: Any) -> str:
    """A launch template with two versions, of which the first is the default."""
    data = template_data(network, "one")
    made = call("ec2", "create_launch_template", LaunchTemplateName="web", LaunchTemplateData=data)["LaunchTemplate"]
    template_id = str(made["LaunchTemplateId"])
    data = template_data(network, "two")
    call("ec2", "create_launch_template_version", LaunchTemplateId=template_id, LaunchTemplateData=data)
    return template_id


@pytest.fixture
def inputs(network: Any, template: str, target_group: Any) -> dict[str, Any]:
    return {
        "minSize": 2,
        "maxSize": 4,
        "vpcZoneIdentifiers": network.subnets[:2],
        "launchTemplate": {"id": template, "version": "2"},
        "targetGroupArns": [target_group.id],
        "healthCheckType": "ELB",
        "healthCheckGracePeriod": 0,
        "defaultInstanceWarmup": 60,
        "tags": [NAME_TAG],
    }


def instances(call: Any, group: Any) -> list[dict[str, Any]]:
    return list(
        call("autoscaling", "describe_auto_scaling_groups", AutoScalingGroupNames=[group.id])["AutoScalingGroups"][0][
            "Instances"
        ]
    )


def described(call: Any, instance_id: str) -> Any:
    return call("ec2", "describe_instances", InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]


def targets(call: Any, target_group: Any) -> set[str]:
    told = call("elbv2", "describe_target_health", TargetGroupArn=target_group.id)["TargetHealthDescriptions"]
    return {each["Target"]["Id"] for each in told}


def test_a_group_lives(engine: Any, inputs: dict[str, Any], template: str, network: Any, target_group: Any) -> None:
    group = engine.create(GROUP, inputs, name="web")
    assert group.id.startswith("web-")
    assert group.outputs["arn"].endswith(f"autoScalingGroupName/{group.id}")
    group.update(minSize=1, maxSize=6, desiredCapacity=3, healthCheckType="EC2", healthCheckGracePeriod=60)
    group.update(launchTemplate={"id": template, "version": "1"}, desiredCapacity=None)
    group.update(vpcZoneIdentifiers=network.subnets, terminationPolicies=["OldestInstance"], defaultCooldown=0)
    group.update(tags=[{"key": "Team", "value": "shop", "propagateAtLaunch": False}], targetGroupArns=None)
    group.update(targetGroupArns=[target_group.id], defaultInstanceWarmup=None, maxInstanceLifetime=86400)
    group.update(suspendedProcesses=["AZRebalance", "AlarmNotification"], enabledMetrics=["GroupDesiredCapacity"])
    group.update(suspendedProcesses=["AZRebalance"], enabledMetrics=None, maxInstanceLifetime=None)
    group.update(capacityRebalance=True, protectFromScaleIn=True, waitForCapacityTimeout="1m30s")
    group.update(protectFromScaleIn=False, tags=None)
    assert group.diff(name="other").replaces == ("name",)
    imported = group.imported()
    assert (imported["minSize"], imported["launchTemplate"]["id"]) == (1, template)
    group.update(forceDelete=True)
    group.delete()


def test_two_instances_start_in_two_zones_from_the_version_given(
    engine: Any, inputs: dict[str, Any], call: Any, network: Any
) -> None:
    group = engine.create(GROUP, inputs)
    started = instances(call, group)
    assert {each["AvailabilityZone"] for each in started} == set(network.zones[:2])
    assert {each["LaunchTemplate"]["Version"] for each in started} == {"2"}
    for each in started:
        instance = described(call, each["InstanceId"])
        told = call("ec2", "describe_instance_attribute", InstanceId=each["InstanceId"], Attribute="userData")
        assert base64.b64decode(told["UserData"]["Value"]) == b"two"
        assert [g["GroupId"] for g in instance["SecurityGroups"]] == [network.group]
        assert instance["MetadataOptions"]["HttpTokens"] == "required"
        assert instance["PrivateIpAddress"].startswith("10.0.")
        tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
        assert (tags["Name"], tags["aws:autoscaling:groupName"]) == ("web", group.id)
        volume = instance["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
        assert call("ec2", "describe_volumes", VolumeIds=[volume])["Volumes"][0]["Tags"] == [
            {"Key": "Disk", "Value": "web"}
        ]
    group.delete()


def test_a_new_version_is_for_new_instances_only(engine: Any, inputs: dict[str, Any], call: Any, template: str) -> None:
    group = engine.create(GROUP, {**inputs, "launchTemplate": {"id": template, "version": "1"}})
    group.update(launchTemplate={"id": template, "version": "2"}, minSize=3)
    assert Counter(each["LaunchTemplate"]["Version"] for each in instances(call, group)) == {"1": 2, "2": 1}
    group.delete()


def test_instances_join_and_leave_their_target_group(
    engine: Any, inputs: dict[str, Any], call: Any, target_group: Any
) -> None:
    group = engine.create(GROUP, inputs)
    assert targets(call, target_group) == {each["InstanceId"] for each in instances(call, group)}
    group.update(minSize=0, maxSize=4, desiredCapacity=4)
    assert Counter(each["AvailabilityZone"] for each in instances(call, group)) == {"eu-west-1a": 2, "eu-west-1b": 2}
    assert len(targets(call, target_group)) == 4
    group.update(desiredCapacity=2)
    assert Counter(each["AvailabilityZone"] for each in instances(call, group)) == {"eu-west-1a": 1, "eu-west-1b": 1}
    assert targets(call, target_group) == {each["InstanceId"] for each in instances(call, group)}
    group.update(desiredCapacity=0, maxSize=0)
    assert targets(call, target_group) == set()
    group.delete()


def test_a_terminated_instance_is_replaced_and_the_new_one_registered(
    engine: Any, inputs: dict[str, Any], call: Any, target_group: Any
) -> None:
    group = engine.create(GROUP, inputs)
    first, second = (each["InstanceId"] for each in instances(call, group))
    call("ec2", "terminate_instances", InstanceIds=[first])
    assert first not in targets(call, target_group)
    assert targets(call, target_group) == {each["InstanceId"] for each in instances(call, group)}
    call(
        "autoscaling",
        "terminate_instance_in_auto_scaling_group",
        InstanceId=second,
        ShouldDecrementDesiredCapacity=False,
    )
    now = {each["InstanceId"] for each in instances(call, group)}
    assert len(now - {first, second}) == 2
    assert targets(call, target_group) == now
    assert {each["AvailabilityZone"] for each in instances(call, group)} == {"eu-west-1a", "eu-west-1b"}
    group.delete()


def test_what_scaling_does_is_no_drift_but_a_floor_moved_is(engine: Any, inputs: dict[str, Any], call: Any) -> None:
    group = engine.create(GROUP, inputs)
    call("autoscaling", "set_desired_capacity", AutoScalingGroupName=group.id, DesiredCapacity=4)
    group.assert_unchanged()
    call("autoscaling", "update_auto_scaling_group", AutoScalingGroupName=group.id, MinSize=1)
    call(
        "autoscaling",
        "create_or_update_tags",
        Tags=[
            {
                "ResourceId": group.id,
                "ResourceType": "auto-scaling-group",
                "Key": "Stray",
                "Value": "1",
                "PropagateAtLaunch": False,
            }
        ],
    )
    found = group.refresh()
    assert found["minSize"] == 1
    assert {tag["key"] for tag in found["tags"]} == {"Name", "Stray"}
    group.delete()


def test_a_group_of_several_instance_types(engine: Any, inputs: dict[str, Any], template: str, call: Any) -> None:
    specification = {"launchTemplateId": template, "version": "2"}
    mixed = {
        "launchTemplate": {
            "launchTemplateSpecification": specification,
            "overrides": [{"instanceType": "t3.small"}, {"instanceType": "t3.medium"}],
        }
    }
    del inputs["launchTemplate"]
    group = engine.create(GROUP, {**inputs, "mixedInstancesPolicy": mixed})
    assert {each["InstanceType"] for each in instances(call, group)} == {"t3.small"}
    group.update(mixedInstancesPolicy=None, launchTemplate={"id": template, "version": "2"})
    group.update(launchTemplate=None, mixedInstancesPolicy=mixed)
    group.delete()


def test_a_group_with_instances_is_deleted_by_force_only(engine: Any, inputs: dict[str, Any], call: Any) -> None:
    group = engine.create(GROUP, inputs)
    with pytest.raises(ApiRefused, match="ResourceInUse"):
        call("autoscaling", "delete_auto_scaling_group", AutoScalingGroupName=group.id)
    assert len(instances(call, group)) == 2
    group.delete()


def test_waiting_for_capacity_ends_at_its_deadline(engine: Any, inputs: dict[str, Any], call: Any) -> None:
    group = engine.create(GROUP, {**inputs, "suspendedProcesses": ["ReplaceUnhealthy"]})
    for each in instances(call, group):
        call("autoscaling", "set_instance_health", InstanceId=each["InstanceId"], HealthStatus="Unhealthy")
    with pytest.raises(PartlyMade, match="has 0 of 2 instances in service after 1s"):
        group.update(waitForCapacityTimeout="1s")
    group.delete()


def test_a_policy_lives(engine: Any, inputs: dict[str, Any], call: Any) -> None:
    group = engine.create(GROUP, {**inputs, "minSize": 0, "forceDelete": True})
    policy = engine.create(
        POLICY,
        {
            "autoscalingGroupName": group.id,
            "policyType": "TargetTrackingScaling",
            "targetTrackingConfiguration": TRACKING,
        },
    )
    assert policy.outputs["arn"].endswith(f"policyName/{policy.id}")
    policy.update(targetTrackingConfiguration={**TRACKING, "targetValue": 60.5, "disableScaleIn": True})
    policy.update(estimatedInstanceWarmup=30)
    assert policy.diff(autoscalingGroupName="other").replaces == ("autoscalingGroupName",)
    assert policy.imported()["targetTrackingConfiguration"]["targetValue"] == 60.5
    changed = {**policy.inputs["targetTrackingConfiguration"], "targetValue": 70.0}
    changed = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": 70.0,
    }
    call(
        "autoscaling",
        "put_scaling_policy",
        AutoScalingGroupName=group.id,
        PolicyName=policy.id,
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration=changed,
    )
    assert policy.refresh()["targetTrackingConfiguration"]["targetValue"] == 70
    policy.delete()
    group.delete()


def test_a_policy_does_not_overwrite_another_group_s(engine: Any, inputs: dict[str, Any]) -> None:
    idle = {**inputs, "minSize": 0}
    groups = [engine.create(GROUP, idle, name=colour) for colour in ("blue", "green")]
    tracking = {"name": "cpu", "policyType": "TargetTrackingScaling", "targetTrackingConfiguration": TRACKING}
    policy = engine.create(POLICY, {**tracking, "autoscalingGroupName": groups[0].id})
    with pytest.raises(ApiRefused, match="policy cpu belongs to group blue"):
        engine.create(POLICY, {**tracking, "autoscalingGroupName": groups[1].id})
    policy.delete()
    for group in groups:
        group.delete()


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        ("maxSize", {"minSize": 3, "maxSize": 2}, "at least minSize (3), got 2"),
        ("desiredCapacity", {"desiredCapacity": 9}, "from minSize (1) to maxSize (2), got 9"),
        ("healthCheckType", {"healthCheckType": "ALB"}, "EC2, ELB, got 'ALB'"),
        ("launchTemplate", {"mixedInstancesPolicy": {}}, "one of launchTemplate and mixedInstancesPolicy"),
        ("maxInstanceLifetime", {"maxInstanceLifetime": 60}, "from 86400 to 31536000 or 0, got 60"),
        ("waitForCapacityTimeout", {"waitForCapacityTimeout": "soon"}, "written like 10m"),
        ("tags[0]", {"tags": [{"key": "a", "value": "b"}]}, "got no propagateAtLaunch"),
        ("instanceRefresh", {"instanceRefresh": {}}, "does not apply property instanceRefresh"),
    ],
)
def test_what_aws_refuses_is_refused(engine: Any, path: str, change: dict[str, Any], reason: str) -> None:
    inputs = {"minSize": 1, "maxSize": 2, "vpcZoneIdentifiers": ["s"], "launchTemplate": {"id": "lt-1"}, **change}
    assert reason in engine.refusals(GROUP, inputs)[path]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"policyType": "Magic"}, "TargetTrackingScaling, got 'Magic'"),
        ({"targetTrackingConfiguration": {**TRACKING, "targetValue": 0}}, "more than 0, got 0"),
        ({"targetTrackingConfiguration": {"targetValue": 1}}, "must have one of predefined"),
        ({"policyType": "SimpleScaling"}, "just where policyType is TargetTrackingScaling"),
    ],
)
def test_a_policy_that_aws_refuses_is_refused(engine: Any, change: dict[str, Any], reason: str) -> None:
    inputs = {
        "autoscalingGroupName": "g",
        "policyType": "TargetTrackingScaling",
        "targetTrackingConfiguration": TRACKING,
    }
    assert reason in " ".join(engine.refusals(POLICY, {**inputs, **change}).values())
