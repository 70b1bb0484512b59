from typing import Any

import pytest

from localcloud.provider.kinds.ec2 import volumes

VOLUME = "aws:ebs/volume:Volume"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0f"
ZONE = {"availabilityZone": "eu-west-1a"}


def test_a_volume_lives(ec2: Any) -> None:
    inputs = {**ZONE, "size": 8, "type": "gp3", "encrypted": True, "kmsKeyId": KEY, "tags": {"Name": "data"}}
    volume = ec2.create(VOLUME, inputs)
    assert volume.outputs["arn"] == f"arn:aws:ec2:eu-west-1:123456789012:volume/{volume.id}"
    volume.update(size=16, tags={"Name": "more"})
    volume.update(iops=4000, throughput=200)
    assert volume.imported().items() >= {"size": 16, "encrypted": True, "kmsKeyId": KEY, "iops": 4000}.items()
    for change in ({"availabilityZone": "eu-west-1b"}, {"kmsKeyId": f"{KEY}1"}, {"snapshotId": "snap-1"}):
        assert volume.diff(**change).replaces == tuple(change)
    volume.delete()


def test_what_changed_behind_our_back_is_seen(ec2: Any) -> None:
    volume = ec2.create(VOLUME, {**ZONE, "size": 8, "type": "gp3"})
    ec2.api.call("ec2", "modify_volume", VolumeId=volume.id, Size=9)
    assert volume.refresh()["size"] == 9


def test_a_volume_of_a_snapshot_has_its_size_and_one_that_goes_can_leave_a_last_one(ec2: Any) -> None:
    first = ec2.create(VOLUME, {**ZONE, "size": 8, "type": "gp3", "finalSnapshot": True})
    first.delete()
    own = [{"Name": "description", "Values": [f"The last of {first.id}"]}]
    [snapshot] = ec2.api.call("ec2", "describe_snapshots", Filters=own)["Snapshots"]
    second = ec2.create(VOLUME, {**ZONE, "snapshotId": snapshot["SnapshotId"], "type": "gp3"})
    assert second.outputs["size"] == 8
    second.delete()


@pytest.mark.parametrize(
    ("wrong", "named", "told"),
    [
        ({}, "size", "one of size, snapshotId must be given"),
        ({"size": 0}, "size", "size must be a whole number from 1 to 65536"),
        ({"size": 8, "type": "gp9"}, "type", "type must be one of gp3"),
        ({"size": 8, "kmsKeyId": KEY}, "kmsKeyId", "kmsKeyId needs encrypted to be true"),
        ({"size": 8, "throughput": 200}, "throughput", "throughput is for gp3 only, not for gp2"),
        ({"size": 8, "iops": 4000}, "iops", "iops is for gp3, io1, io2 only, not for gp2"),
        ({"size": 8, "multiAttachEnabled": True}, "multiAttachEnabled", "multiAttachEnabled"),
    ],
)
def test_what_ebs_would_refuse_is_refused(ec2: Any, wrong: dict[str, Any], named: str, told: str) -> None:
    assert told in ec2.refusals(VOLUME, {**ZONE, **wrong})[named]


def server(ec2: Any, new_subnet: Any, zone: str) -> str:
    subnet = new_subnet(availabilityZone=zone)
    started = ec2.api.call("ec2", "run_instances", ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=subnet.id)
    return str(started["Instances"][0]["InstanceId"])


def test_a_volume_is_one_instances_at_a_time_and_of_its_own_zone(ec2: Any, new_subnet: Any, refused: Any) -> None:
    volume = ec2.create(VOLUME, {**ZONE, "size": 8, "type": "gp3"})
    near, other, far = (server(ec2, new_subnet, f"eu-west-1{letter}") for letter in "aab")

    def attach(instance: str) -> Any:
        return ec2.api.call("ec2", "attach_volume", VolumeId=volume.id, InstanceId=instance, Device="/dev/sdf")

    assert "InvalidVolume.ZoneMismatch" in refused(attach, far)
    attach(near)
    assert f"VolumeInUse: Volume {volume.id} is currently attached to {near}" in refused(attach, other)
    assert "New size cannot be smaller" in refused(volume.update, size=7)
    ec2.api.call("ec2", "terminate_instances", InstanceIds=[near, other])
    assert "IncorrectState" in refused(attach, near)
    volume.delete()


def test_a_volume_that_stays_in_use_is_told_after_a_while(
    ec2: Any, new_subnet: Any, refused: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = ec2.create(VOLUME, {**ZONE, "size": 8, "type": "gp3"})
    instance = server(ec2, new_subnet, "eu-west-1a")
    ec2.api.call("ec2", "attach_volume", VolumeId=volume.id, InstanceId=instance, Device="/dev/sdf")
    monkeypatch.setattr(volumes, "FREE_SECONDS", 0.3)
    assert "VolumeInUse" in refused(volume.delete)
    ec2.api.call("ec2", "terminate_instances", InstanceIds=[instance])
    volume.delete()
