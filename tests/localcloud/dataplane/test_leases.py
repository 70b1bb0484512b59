"""A server's part of a data volume, played: an API that gives it to one instance, and the kernel's lock."""

import os
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.dataplane import leases as module
from localcloud.dataplane.leases import Leases
from localcloud.dataplane.runner import Birth, CannotStart, VolumeHeld
from localcloud.volumes import VolumeInUse, Volumes

VOLUME = "vol-01"


class FakeEc2:
    """One volume, and instances by their state."""

    def __init__(self) -> None:
        self.holder = ""
        self.states = {"i-1": "running", "i-2": "running"}
        self.is_there = True
        self.calls: list[str] = []

    def describe_volumes(self, *, VolumeIds: list[str]) -> dict[str, Any]:  # noqa: N803  # boto3's
        assert VolumeIds == [VOLUME]
        if not self.is_there:
            raise refusal("InvalidVolume.NotFound")
        return {"Volumes": [{"Attachments": [{"InstanceId": self.holder}] if self.holder else []}]}

    def describe_instances(self, *, InstanceIds: list[str]) -> dict[str, Any]:  # noqa: N803
        return {"Reservations": [{"Instances": [{"State": {"Name": self.states[each]}} for each in InstanceIds]}]}

    def attach_volume(self, *, VolumeId: str, InstanceId: str, Device: str) -> None:  # noqa: N803
        assert (VolumeId, Device) == (VOLUME, "/dev/sdf")
        if self.holder:
            raise refusal("VolumeInUse")
        self.calls.append(f"attach {InstanceId}")
        self.holder = InstanceId

    def detach_volume(self, *, VolumeId: str, InstanceId: str) -> None:  # noqa: N803
        if self.holder != InstanceId:
            raise refusal("InvalidAttachment.NotFound")
        self.calls.append(f"detach {InstanceId}")
        self.holder = ""


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Any")


def birth(instance_id: str = "i-1") -> Birth:
    return Birth(instance_id, "eu-west-1", "eu-west-1a", "", "")


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> FakeEc2:
    made = FakeEc2()
    monkeypatch.setattr(module, "api_client", lambda *_: made)
    monkeypatch.setattr(module, "FREE_SECONDS", 0.1)
    return made


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    return Volumes(tmp_path / "volumes", tmp_path / "snapshots")


@pytest.fixture
def leases(ec2: FakeEc2, volumes: Volumes) -> Leases:
    return Leases(volumes, "http://127.0.0.1:1")


def test_a_volume_goes_from_one_instance_to_the_next(leases: Leases, ec2: FakeEc2) -> None:
    first = leases.take(birth("i-1"), VOLUME)
    (first.folder / "counter").write_text("7")
    with pytest.raises(VolumeHeld, match="vol-01 is in use"):
        leases.take(birth("i-2"), VOLUME)
    first.release()
    second = leases.take(birth("i-2"), VOLUME)
    assert (second.folder / "counter").read_text() == "7"
    assert ec2.calls == ["attach i-1", "detach i-1", "attach i-2"]
    second.release()


def test_a_second_release_lets_nobody_elses_volume_go(leases: Leases, ec2: FakeEc2) -> None:
    first = leases.take(birth("i-1"), VOLUME)
    first.release()
    second = leases.take(birth("i-2"), VOLUME)
    first.release()
    assert ec2.holder == "i-2"
    with pytest.raises(VolumeHeld):
        leases.take(birth("i-1"), VOLUME)
    second.release()


def test_as_long_as_something_of_the_instance_runs_its_volume_stays_attached(leases: Leases, ec2: FakeEc2) -> None:
    lease = leases.take(birth("i-1"), VOLUME)
    inherited = os.dup(lease.handle)  # a process that has left its group, and so was not ended with it
    with pytest.raises(VolumeInUse):
        lease.release()
    ec2.states["i-1"] = "terminated"
    with pytest.raises(VolumeHeld):
        leases.take(birth("i-2"), VOLUME)
    assert ec2.holder == "i-1"
    os.close(inherited)
    leases.take(birth("i-2"), VOLUME).release()
    assert ec2.calls == ["attach i-1", "detach i-1", "attach i-2", "detach i-2"]


def test_who_waits_may_be_quicker_than_whoever_lets_go(leases: Leases, ec2: FakeEc2) -> None:
    first = leases.take(birth("i-1"), VOLUME)
    ec2.states["i-1"] = "terminated"
    os.close(first.handle)  # its processes have ended; before it is detached, the next one looks
    second = leases.take(birth("i-2"), VOLUME)
    first.handle = os.open(os.devnull, os.O_RDONLY)
    first.release()
    assert (ec2.holder, ec2.calls) == ("i-2", ["attach i-1", "detach i-1", "attach i-2"])
    second.release()
    assert ec2.holder == ""


def test_detached_by_hand_while_it_writes_nobody_else_gets_it(leases: Leases, ec2: FakeEc2) -> None:
    lease = leases.take(birth("i-1"), VOLUME)
    ec2.holder = ""
    with pytest.raises(VolumeHeld):
        leases.take(birth("i-2"), VOLUME)
    lease.release()
    leases.take(birth("i-2"), VOLUME).release()


def test_an_instance_that_the_api_gave_it_to_is_waited_for(leases: Leases, ec2: FakeEc2, volumes: Volumes) -> None:
    ec2.holder = "i-2"
    with pytest.raises(VolumeHeld, match="i-2 has vol-01"):
        leases.take(birth("i-1"), VOLUME)
    os.close(volumes.lock(VOLUME))  # whoever waits holds no lock meanwhile


def test_an_instance_finds_what_is_its_own_already(leases: Leases, ec2: FakeEc2) -> None:
    ec2.holder = "i-1"
    leases.take(birth("i-1"), VOLUME).release()
    assert ec2.calls == ["detach i-1"]


def test_a_volume_that_is_not_there_is_told(leases: Leases, ec2: FakeEc2, volumes: Volumes) -> None:
    ec2.is_there = False
    with pytest.raises(CannotStart, match=r"InvalidVolume\.NotFound") as caught:
        leases.take(birth("i-1"), VOLUME)
    assert not isinstance(caught.value, VolumeHeld)
    os.close(volumes.lock(VOLUME))
