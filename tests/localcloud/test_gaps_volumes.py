"""What moto's volumes lack, at a real API: content, and an attachment that lasts until the server has ended."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.api import gaps_autoscaling, gaps_ec2, gaps_volumes
from localcloud.api.server import ApiServer
from localcloud.dataplane.observe import api_client
from localcloud.volumes import Volumes
from scaling_world import run_instances


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    for gap in (gaps_autoscaling, gaps_ec2, gaps_volumes):
        gap.install()
    with ApiServer() as server:
        yield server.url


@pytest.fixture(scope="module")
def servers(url: str) -> list[str]:
    """Instances of a scaling group, which all tests share."""
    ec2, scaling = (api_client(service, "eu-west-2", url) for service in ("ec2", "autoscaling"))
    run_instances(ec2, scaling, f"r/a@sha256:{'0' * 64}")
    return [one["InstanceId"] for one in scaling.describe_auto_scaling_instances()["AutoScalingInstances"]]


@pytest.fixture
def ec2(url: str) -> Any:
    return api_client("ec2", "eu-west-2", url)


@pytest.fixture
def volumes(tmp_path: Path) -> Iterator[Volumes]:
    made = Volumes(tmp_path / "volumes", tmp_path / "snapshots")
    undo = gaps_volumes.keeping(made)
    yield made
    undo()


def new_volume(ec2: Any, **more: Any) -> str:
    zone = ec2.describe_subnets()["Subnets"][0]["AvailabilityZone"]
    return str(ec2.create_volume(**{"AvailabilityZone": zone, "Size": 1, **more})["VolumeId"])


def test_a_server_that_is_terminated_keeps_its_volume_until_somebody_lets_it_go(
    ec2: Any, servers: list[str], volumes: Volumes
) -> None:
    volume, server = new_volume(ec2), servers[0]
    ec2.attach_volume(VolumeId=volume, InstanceId=server, Device="/dev/sdf")
    ec2.terminate_instances(InstanceIds=[server])
    [found] = ec2.describe_volumes(VolumeIds=[volume])["Volumes"]
    assert (found["State"], [one["InstanceId"] for one in found["Attachments"]]) == ("in-use", [server])
    ec2.detach_volume(VolumeId=volume, InstanceId=server)
    [found] = ec2.describe_volumes(VolumeIds=[volume])["Volumes"]
    assert (found["State"], found["Attachments"]) == ("available", [])
    own = [{"Name": "attachment.instance-id", "Values": [server]}]
    assert ec2.describe_volumes(Filters=own)["Volumes"] == [], "its root disk goes with it"


def test_a_snapshot_is_a_copy_and_makes_volumes_with_what_was_in_it(ec2: Any, volumes: Volumes, tmp_path: Path) -> None:
    first = new_volume(ec2)
    (volumes.folder(first) / "counter").write_text("7")
    snapshot = ec2.create_snapshot(VolumeId=first)["SnapshotId"]
    (volumes.folder(first) / "counter").write_text("8")
    second = new_volume(ec2, SnapshotId=snapshot)
    assert (volumes.folder(second) / "counter").read_text() == "7"
    for volume in (first, second):
        ec2.delete_volume(VolumeId=volume)
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert list(tmp_path.glob("*/*")) == []


def test_a_volume_that_is_written_to_can_not_be_copied(ec2: Any, volumes: Volumes) -> None:
    volume = new_volume(ec2)
    before = len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"])
    handle = volumes.lock(volume)
    with pytest.raises(ClientError, match=r"IncorrectState.*takes snapshots of volumes that nobody writes to"):
        ec2.create_snapshot(VolumeId=volume)
    assert len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]) == before
    os.close(handle)
