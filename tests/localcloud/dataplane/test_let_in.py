"""The data plane tells a scaling group that an instance runs, where the group waits to hear it."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.api import gaps_autoscaling, gaps_hooks
from localcloud.api.server import ApiServer
from localcloud.dataplane.observe import api_client
from localcloud.dataplane.plane import DataPlane
from traffic_world import FakeRunner, eventually

pytestmark = pytest.mark.engine

HOOK = {"LifecycleHookName": "ready", "LifecycleTransition": gaps_hooks.LAUNCHING}


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    gaps_autoscaling.install()
    gaps_hooks.install()
    with ApiServer() as server:
        yield server.url


@pytest.fixture
def plane(api: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPlane]:
    plane = DataPlane(api, ("eu-west-1",), tmp_path_factory.mktemp("plane"), FakeRunner(), metrics_seconds=1.0)
    plane.start()
    yield plane
    plane.stop()


def started(api: str, user_data: str) -> tuple[str, Any]:
    """A scaling group's only instance, held back, and the client that tells its state."""
    ec2, autoscaling = (api_client(service, "eu-west-1", api) for service in ("ec2", "autoscaling"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="eu-west-1a")["Subnet"]["SubnetId"]
    data = {"ImageId": "ami-12c6146b", "UserData": base64.b64encode(user_data.encode()).decode()}
    ec2.create_launch_template(LaunchTemplateName=user_data, LaunchTemplateData=data)
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=user_data,
        MinSize=1,
        MaxSize=1,
        LaunchTemplate={"LaunchTemplateName": user_data, "Version": "1"},
        VPCZoneIdentifier=subnet,
        LifecycleHookSpecificationList=[HOOK],
    )
    [group] = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[user_data])["AutoScalingGroups"]
    [member] = group["Instances"]
    assert member["LifecycleState"] == "Pending:Wait"
    return str(member["InstanceId"]), autoscaling


def state(autoscaling: Any, instance: str) -> str:
    [member] = autoscaling.describe_auto_scaling_instances(InstanceIds=[instance])["AutoScalingInstances"]
    return str(member["LifecycleState"])


def test_an_instance_that_runs_is_let_in_and_one_that_does_not_start_is_not(api: str, plane: DataPlane) -> None:
    good, autoscaling = started(api, "blue")
    bad, _ = started(api, "bad")
    plane.wake()
    eventually(lambda: state(autoscaling, good) == "InService", 20)
    eventually(lambda: [one for one in plane.status() if one.id == bad and one.state == "failed"], 20)
    assert state(autoscaling, bad) == "Pending:Wait"
