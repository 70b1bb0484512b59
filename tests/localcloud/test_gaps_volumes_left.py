"""Volumes and snapshots over the end of a cloud that was killed, at a real API whose memory is wiped."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ec2.models import ec2_backends

from localcloud import volumes as volumes_module
from localcloud.api import gaps_ec2, gaps_volumes
from localcloud.api.gaps_volumes_left import bring_back
from localcloud.api.server import ApiServer
from localcloud.dataplane.observe import api_client
from localcloud.left import Disk
from localcloud.volumes import VolumeInUse, Volumes

REGION = "eu-north-1"
"""Nobody else's: moto keeps one state for all servers of a process."""
ZONE = f"{REGION}a"
TAGS = {"Project": "teal", "Environment": "dev", "Name": "data-volume"}


class World:
    """An API with memory, folders without, and a hand that kills."""

    def __init__(self, ec2: Any, folder: Path) -> None:
        self.ec2 = ec2
        self.folder = folder
        self.volumes = self._begin()

    def _begin(self) -> Volumes:
        made = Volumes(self.folder / "volumes", self.folder / "snapshots")
        self._undo = gaps_volumes.keeping(made)
        bring_back(made)
        return made

    def kill(self) -> None:
        """The cloud ends, moto's memory with it, and another one begins."""
        self.end()
        self.volumes = self._begin()

    def end(self) -> None:
        self._undo()
        for account in ec2_backends.values():
            backend = account[REGION]
            for those in (backend.volumes, backend.snapshots):
                for name in list(those):
                    if not getattr(those[name], "from_ami", None):
                        del those[name]
                        backend.tags.pop(name, None)

    def new_volume(self, tags: dict[str, str] = TAGS, **more: Any) -> str:
        wanted = {"AvailabilityZone": ZONE, "Size": 8, "VolumeType": "gp3", **more}
        return str(self.ec2.create_volume(**wanted, **tagged("volume", tags))["VolumeId"])

    def counted(self, volume: str) -> str:
        return (self.volumes.folder(volume) / "counter").read_text()

    def count(self, volume: str, number: int) -> None:
        (self.volumes.folder(volume) / "counter").write_text(str(number))

    def known(self) -> list[str]:
        return sorted(each["VolumeId"] for each in self.ec2.describe_volumes()["Volumes"])

    def left(self) -> list[str]:
        return [disk.id for disk in self.volumes.unclaimed()]


def tagged(kind: str, tags: dict[str, str]) -> dict[str, Any]:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": pairs}]} if tags else {}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    for gap in (gaps_ec2, gaps_volumes):
        gap.install()
    with ApiServer() as server:
        yield server.url


@pytest.fixture(scope="module")
def ec2(url: str) -> Any:
    return api_client("ec2", REGION, url)


@pytest.fixture
def world(ec2: Any, tmp_path: Path) -> Iterator[World]:
    made = World(ec2, tmp_path)
    yield made
    made.end()


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a function of the volumes' module fail as on a full disk."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return lambda name: monkeypatch.setattr(volumes_module, name, fail)


def test_who_declared_a_volume_has_it_again_under_its_own_id_with_its_content(world: World) -> None:
    first = world.new_volume(Encrypted=True)
    world.count(first, 7)
    world.kill()
    assert (world.known(), world.left()) == ([first], [first])
    again = world.new_volume({**TAGS, "Team": "shop"}, Size=16, Encrypted=True)
    assert (again, world.known(), world.left()) == (first, [first], [])
    assert world.counted(first) == "7"
    [told] = world.ec2.describe_volumes(VolumeIds=[first])["Volumes"]
    assert (told["Size"], told["Encrypted"], told["State"]) == (16, True, "available")
    assert {tag["Key"]: tag["Value"] for tag in told["Tags"]} == {**TAGS, "Team": "shop"}


def test_it_is_so_after_a_second_kill_before_anybody_claims_it_or_after(world: World) -> None:
    first = world.new_volume()
    world.count(first, 7)
    world.kill()
    world.kill()
    assert world.new_volume() == first
    world.kill()
    assert world.new_volume() == first
    assert world.counted(first) == "7"


def test_another_environments_volume_is_blank_and_the_one_that_was_left_stays(world: World) -> None:
    first = world.new_volume()
    world.count(first, 7)
    world.kill()
    other = world.new_volume({**TAGS, "Environment": "qa"})
    assert other != first
    assert list(world.volumes.folder(other).iterdir()) == []
    assert [str(disk) for disk in world.volumes.unclaimed()] == [f"{first} (dev data-volume), {ZONE}, 8 GiB"]
    world.ec2.delete_volume(VolumeId=first)
    assert (world.left(), world.known()) == ([], [other])
    assert not (world.folder / "volumes" / first).exists()


def test_a_lock_that_an_orphan_of_the_killed_cloud_holds_holds(world: World) -> None:
    first = world.new_volume()
    orphans = world.volumes.lock(first)
    world.kill()
    assert world.new_volume() == first
    with pytest.raises(VolumeInUse, match=f"{first} is in use by another instance"):
        world.volumes.lock(first)
    os.close(orphans)
    os.close(world.volumes.lock(first))


def test_a_snapshot_is_there_under_its_own_id_and_makes_a_volume(world: World) -> None:
    first = world.new_volume()
    world.count(first, 7)
    made = world.ec2.create_snapshot(
        VolumeId=first, Description="before release r-1", **tagged("snapshot", {**TAGS, "Release": "r-1"})
    )
    world.ec2.create_tags(Resources=[made["SnapshotId"]], Tags=[{"Key": "Kept", "Value": "yes"}])
    world.count(first, 8)
    world.kill()
    assert world.new_volume() == first
    own = [{"Name": "volume-id", "Values": [first]}, {"Name": "tag:Release", "Values": ["r-1"]}]
    [told] = world.ec2.describe_snapshots(Filters=own)["Snapshots"]
    assert (told["SnapshotId"], told["Description"], told["VolumeSize"], told["State"]) == (
        made["SnapshotId"], "before release r-1", 8, "completed",
    )  # fmt: skip
    assert {tag["Key"]: tag["Value"] for tag in told["Tags"]} == {**TAGS, "Release": "r-1", "Kept": "yes"}
    assert abs((told["StartTime"] - made["StartTime"]).total_seconds()) < 1
    restored = world.new_volume({}, SnapshotId=made["SnapshotId"])
    assert (world.counted(restored), world.counted(first)) == ("7", "8")


def test_tags_and_size_of_later_count_and_a_tag_by_hand_makes_an_owner(world: World) -> None:
    first = world.new_volume({"Name": "data-volume"})
    world.ec2.modify_volume(VolumeId=first, Size=16)
    world.ec2.delete_tags(Resources=[first], Tags=[{"Key": "Name"}])
    world.kill()
    assert world.volumes.unclaimed() == [Disk(first, zone=ZONE, size_gib=16)]
    mine = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    world.ec2.create_tags(Resources=[first], Tags=mine)
    assert world.new_volume() == first


def test_a_run_that_takes_back_what_a_killed_run_had_claimed_loses_nothing(world: World) -> None:
    first = world.new_volume()
    world.count(first, 7)
    world.kill()
    assert world.new_volume() == first
    world.ec2.delete_volume(VolumeId=first)  # as provider/unheard.py does
    assert world.left() == [first]
    assert world.new_volume() == first
    assert world.counted(first) == "7"


def test_a_volume_that_was_used_goes_when_it_is_deleted(world: World) -> None:
    first = world.new_volume()
    world.count(first, 7)
    world.kill()
    assert world.new_volume() == first
    started = world.ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    world.ec2.attach_volume(VolumeId=first, InstanceId=started, Device="/dev/sdf")
    world.ec2.detach_volume(VolumeId=first, InstanceId=started)
    world.ec2.terminate_instances(InstanceIds=[started])
    world.ec2.delete_volume(VolumeId=first)
    assert not (world.folder / "volumes" / first).exists()
    world.kill()
    assert (world.left(), world.new_volume() == first) == ([], False)


def test_a_servers_own_disk_is_not_written_down_and_takes_nothing_over_whatever_its_tags(world: World) -> None:
    first = world.new_volume()
    world.kill()
    before = sorted(world.folder.glob("*/*"))
    started = world.ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, **tagged("volume", TAGS))
    assert (len(world.known()), world.left()) == (2, [first])
    assert sorted(world.folder.glob("*/*")) == before
    world.ec2.terminate_instances(InstanceIds=[started["Instances"][0]["InstanceId"]])
    assert world.new_volume() == first


def test_where_the_disk_is_full_a_snapshot_is_an_error_and_nothing_of_it_is_left(
    world: World, full_disk: Callable[[str], None]
) -> None:
    first = world.new_volume()
    world.count(first, 7)
    own = [{"Name": "volume-id", "Values": [first]}]
    for what in ("_copy_file", "write_atomically"):
        full_disk(what)
        with pytest.raises(ClientError, match=r"InternalError.*No space left on device"):
            world.ec2.create_snapshot(VolumeId=first)
        assert world.ec2.describe_snapshots(Filters=own)["Snapshots"] == []
        assert not list(world.folder.glob("snapshots/*"))


def test_where_the_disk_is_full_no_volume_is_made_and_what_was_left_waits(
    world: World, full_disk: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = world.new_volume()
    world.count(first, 7)
    world.kill()
    full_disk("write_atomically")
    for tags in (TAGS, {}):
        with pytest.raises(ClientError, match=r"InternalError.*No space left on device"):
            world.new_volume(tags)
    monkeypatch.undo()
    assert (world.known(), world.left()) == ([first], [first])
    assert world.new_volume() == first
    assert world.counted(first) == "7"


def test_a_volume_whose_snapshot_can_not_be_copied_is_not_made(world: World, full_disk: Callable[[str], None]) -> None:
    first = world.new_volume()
    world.count(first, 7)
    snapshot = world.ec2.create_snapshot(VolumeId=first)["SnapshotId"]
    full_disk("_copy_file")
    with pytest.raises(ClientError, match=rf"InternalError.*{snapshot} could not be copied: .*No space left"):
        world.new_volume({}, SnapshotId=snapshot)
    assert world.known() == [first]
    assert sorted(path.name for path in world.folder.glob("volumes/*")) == [first, f"{first}.json", f"{first}.lock"]
