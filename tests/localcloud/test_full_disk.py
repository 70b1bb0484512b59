"""A real cloud whose log grows without end, on a disk that fills up: it lives on, and what it could not do is told."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from containers.rotated import RotatedLog
from fake_machine import wait_for
from localcloud import launch, logs
from localcloud.dataplane.observe import api_client
from localcloud.errors import CloudStartFailed
from localcloud.home import CloudRecord, Home
from localcloud.launch import start, stop
from localcloud.status import plane_status
from small_disk import fill, small_file_system

pytestmark = [
    pytest.mark.process,
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),  # it outlives who starts it
]

PROJECT = Path(__file__).parents[2]
REGION = "eu-west-1"
PAGE = 4096
SECONDS = 20.0


@dataclass(frozen=True)
class World:
    """A cloud on a small disk, and what was in its log before."""

    disk: Path
    home: Home
    record: CloudRecord
    reader: RotatedLog

    @property
    def ec2(self) -> Any:
        return api_client("ec2", REGION, self.record.api_url)

    def envoy(self) -> int:
        """Process id of its load balancer; 0 while there is none."""
        children = psutil.Process(self.record.pid).children()
        return next((each.pid for each in children if each.name() == "envoy"), 0)

    def say_something(self) -> None:
        """Has the cloud write to its log: it does when its load balancer dies, and starts another."""
        before = self.envoy()
        psutil.Process(before).kill()
        wait_for(lambda: self.envoy() not in (0, before), SECONDS)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with small_file_system(tmp_path_factory.mktemp("small") / "disk", "64m") as disk:
        home = Home(disk / "home")
        home.log_file.write_bytes(b"an old line\n" * (logs.MOST_BYTES // 12 + 1))
        reader = RotatedLog(home.log_file)
        reader.added()
        try:
            yield World(disk, home, start(home, PROJECT, [REGION]).record, reader)
        finally:
            stop(home)


def test_a_log_beyond_its_bound_is_emptied_by_the_cloud_and_followed_on(world: World) -> None:
    older = logs.numbered(world.home.log_file, 1)
    wait_for(older.exists, SECONDS)
    assert older.stat().st_size > logs.MOST_BYTES
    wait_for(lambda: world.home.log_file.stat().st_size < PAGE, SECONDS)
    world.reader.added()
    world.say_something()
    added = b""

    def told() -> bool:
        nonlocal added
        added += world.reader.added()
        return b"envoy died" in added

    wait_for(told, SECONDS)
    assert b"an old line" not in added


def test_on_a_full_disk_the_cloud_lives_and_a_snapshot_is_an_error_that_leaves_nothing(world: World) -> None:
    volume = world.ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)["VolumeId"]
    content = world.home.volumes / volume / "content"
    content.parent.mkdir()
    content.write_bytes(b"x" * 100_000)
    with world.home.log_file.open("ab") as log:  # to the end of a page: there is room in it otherwise
        log.write(b"\n" * (PAGE - log.tell() % PAGE))
    full = fill(world.disk)
    before = world.home.log_file.stat().st_size

    world.say_something()
    assert world.home.log_file.stat().st_size == before, "the disk is not full: nothing is tried here"
    with pytest.raises(ClientError, match=rf"InternalError.*{volume} could not be copied: .*No space left on device"):
        world.ec2.create_snapshot(VolumeId=volume)
    assert world.ec2.describe_snapshots(Filters=[{"Name": "volume-id", "Values": [volume]}])["Snapshots"] == []
    assert not list(world.home.snapshots.glob("*"))
    assert world.record.is_alive
    assert plane_status(world.record).instances == ()

    full.unlink()
    snapshot = world.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    assert (world.home.snapshots / snapshot / "content").stat().st_size == 100_000
    world.say_something()
    wait_for(lambda: b"not all of this log could be written" in world.home.log_file.read_bytes(), SECONDS)


def test_where_the_log_could_not_be_written_either_a_start_that_fails_tells_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "DAEMON", (sys.executable, "-S", "-c", "import sys; print('gone'); sys.exit(1)"))
    with small_file_system(tmp_path / "disk", "1m") as disk:
        home = Home(disk / "home")
        home.prepare()
        fill(disk)
        with pytest.raises(CloudStartFailed, match=r"ended while it started: the disk is full \(see .*cloud.log\)"):
            start(home, PROJECT, [REGION])
