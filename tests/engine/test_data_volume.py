"""A stack with a data volume: what it counts outlives servers and releases, and one server at a time can write."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from engine.world import World, copy_project, running_world, within
from toolchain import Toolchain

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]

KEPT = 2
WITH_VOLUME = {"dataVolumeGib": 8, "instances": 1, "maxInstances": 1, "dataSnapshotsKept": KEPT}
BACK_SECONDS = 15.0
RELEASE_SECONDS = 500.0
"""Four runs of the program, on a machine that may be busy."""
LOOK_SECONDS = 0.1
Record = Callable[[str, object], None]


@dataclass
class Watched:
    """What a client that counts was told, and who could write meanwhile."""

    counts: list[tuple[float, int]] = field(default_factory=list)
    failed: list[float] = field(default_factory=list)
    writers: set[frozenset[str]] = field(default_factory=set)
    """Every set of servers that was seen to have the volume's folder at one moment."""

    @property
    def gap(self) -> float:
        """The longest time without an answer, in seconds."""
        times = [at for at, _ in self.counts]
        return max(after - before for before, after in pairwise(times))


@dataclass(frozen=True)
class Counting:
    """The service, and the counter that it keeps on its volume."""

    world: World
    project: Path
    url: str
    volume_id: str

    def teal(self, *arguments: str) -> str:
        """What a command printed, which must succeed."""
        return self.world.teal(*arguments, project=self.project, seconds=RELEASE_SECONDS)

    def count(self) -> int:
        """One more; the number that it is then."""
        answer = httpx.post(f"{self.url}/counter", timeout=10, trust_env=False)
        assert answer.is_success, answer.text
        return int(answer.json()["count"])

    def serves(self) -> bool:
        """Whether the counter answers."""
        return httpx.get(f"{self.url}/counter", timeout=10, trust_env=False).is_success

    def holders(self) -> list[str]:
        """The instances that have the volume, by the API."""
        [volume] = self.world.aws("ec2").describe_volumes(VolumeIds=[self.volume_id])["Volumes"]
        return [attachment["InstanceId"] for attachment in volume["Attachments"]]

    def writers(self) -> frozenset[str]:
        """The instances with a process that has the volume's folder, by the kernel."""
        found = set()
        for process in psutil.Process(self.world.record.pid).children():
            try:
                environment = process.environ()
            except (psutil.Error, OSError):
                continue  # ended just now
            if environment.get("TEAL_DATA", "").endswith(self.volume_id):
                found.add(environment["TEAL_INSTANCE"])
        return frozenset(found)

    def live(self) -> dict[str, Any]:
        """Colour, digest and capacities, as a release's status tells them."""
        told: dict[str, Any] = json.loads(self.teal("release", "status", "dev", "--json"))
        return told

    @contextmanager
    def watched(self) -> Iterator[Watched]:
        """Somebody counts all the time, and somebody looks who could write."""
        watched, stopping = Watched(), threading.Event()

        def go_on() -> None:
            with httpx.Client(timeout=10, trust_env=False) as client:
                while not stopping.wait(LOOK_SECONDS):
                    try:
                        answer = client.post(f"{self.url}/counter")
                    except httpx.HTTPError:
                        watched.failed.append(time.time())
                        continue
                    if answer.is_success:
                        watched.counts.append((time.time(), answer.json()["count"]))
                    else:
                        watched.failed.append(time.time())

        def look() -> None:
            while not stopping.wait(LOOK_SECONDS):
                watched.writers.add(self.writers())

        threads = [threading.Thread(target=each) for each in (go_on, look)]
        for thread in threads:
            thread.start()
        try:
            yield watched
        finally:
            stopping.set()
            for thread in threads:
                thread.join(15)


def check(watched: Watched, before: int) -> None:
    """No count lost that was answered, none given twice, and never two servers that could write."""
    told = [count for _, count in watched.counts]
    assert told[0] > before
    assert told == sorted(set(told)), "a number was given twice, or went back"
    assert {len(writers) for writers in watched.writers} <= {0, 1}, watched.writers


@contextmanager
def counting_stack(engine: Toolchain, home: Path, copy: Path) -> Iterator[Counting]:
    """The dev stack with a data volume, in a cloud of its own."""
    with running_world(home, engine) as world:
        project = copy_project(copy, "dev", "dev", **WITH_VOLUME)
        url = world.teal("local", "up", "dev", project=project).strip()
        yield Counting(world, project, url, str(world.stack("dev", project).exports()["dataVolumeId"]))


@pytest.fixture(scope="module")
def counting(engine: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counting]:
    folder = tmp_path_factory.mktemp("volume")
    with counting_stack(engine, folder / "home", folder / "teal") as made:
        yield made


def test_the_stack_has_one_encrypted_volume_in_the_zone_of_its_servers(counting: Counting) -> None:
    ec2 = counting.world.aws("ec2")
    [volume] = ec2.describe_volumes(VolumeIds=[counting.volume_id])["Volumes"]
    assert (volume["Size"], volume["VolumeType"], volume["Encrypted"]) == (8, "gp3", True)
    assert ":key/" in volume["KmsKeyId"]
    [instance] = counting.world.status("dev").instances
    assert (instance.zone, counting.holders()) == (volume["AvailabilityZone"], [instance.id])


def test_a_killed_server_is_replaced_and_counts_on(counting: Counting, record_property: Record) -> None:
    before = counting.count()
    [killed] = counting.holders()
    with counting.watched() as watched:
        within(5, lambda: watched.counts)
        os.killpg(counting.world.pids()[killed], signal.SIGKILL)
        within(BACK_SECONDS, lambda: counting.holders() not in ([], [killed]) and counting.serves())
        counted = len(watched.counts)
        within(5, lambda: len(watched.counts) > counted)
    check(watched, before)
    assert counting.holders() == [instance.id for instance in counting.world.status("dev").instances]
    record_property("a killed server with a data volume counts on after", f"{watched.gap:.1f} s")


def test_a_second_up_and_a_refresh_find_nothing_to_do(counting: Counting) -> None:
    counting.teal("local", "preview", "dev", "--refresh", "--expect-no-changes")


def test_a_release_and_the_way_back_count_on_with_a_snapshot_before_each(
    counting: Counting, record_property: Record
) -> None:
    first = counting.live()
    label = "org.opencontainers.image.version=2"
    digest = counting.teal("image", "build", "dev", "--label", label).strip()
    for command in (("start", "--image", digest), ("rollback",)):
        before = counting.count()
        known = {each["SnapshotId"] for each in snapshots(counting)}
        with counting.watched() as watched:
            within(5, lambda: watched.counts)  # used at once
            counting.teal("release", command[0], "dev", *command[1:], "--bake", "1s")
            counted = len(watched.counts)
            within(10, lambda: len(watched.counts) > counted)  # noqa: B023
        check(watched, before)
        [new] = [each for each in snapshots(counting) if each["SnapshotId"] not in known]
        tags = {tag["Key"]: tag["Value"] for tag in new["Tags"]}
        assert tags["Environment"] == "dev"
        assert tags["Release"].startswith("r-")
        kept = int((counting.world.home.snapshots / new["SnapshotId"] / "counter").read_text())
        told = [count for _, count in watched.counts]
        assert told.index(kept + 1) == told.index(kept) + 1, "the snapshot is of the moment between the two servers"
        record_property(f"requests fail in a {command[0]}", f"{watched.gap:.1f} s, {len(watched.failed)} failed")
        counting.teal("local", "preview", "dev", "--refresh", "--expect-no-changes")
    last = counting.live()
    sides = [told["colours"][told["live"]]["digest"] for told in (first, last)]
    assert (sides[0], last["live"], last["release"]) == (sides[1], first["live"], None)


def test_a_release_that_fails_goes_back_by_itself_and_counts_on(counting: Counting, record_property: Record) -> None:
    before, first = counting.live(), counting.count()
    label = "org.opencontainers.image.version=3"
    digest = counting.teal("image", "build", "dev", "--label", label).strip()
    settings = counting.project / "Pulumi.dev.yaml"
    kept = settings.read_text()
    settings.write_text(f"{kept}  teal:hooks: {{verifying: [{{command: /bin/false}}]}}\n")
    with counting.watched() as watched:
        within(5, lambda: watched.counts)
        with pytest.raises(AssertionError, match="ROLLED_BACK"):
            counting.teal("release", "start", "dev", "--image", digest)
        settings.write_text(kept)
        counted = len(watched.counts)
        within(10, lambda: len(watched.counts) > counted)
    check(watched, first)
    after = counting.live()
    assert (after["live"], after["release"]) == (before["live"], None)
    assert [side["digest"] for side in after["colours"].values()] == [
        side["digest"] for side in before["colours"].values()
    ]
    record_property("requests fail in a release that goes back", f"{watched.gap:.1f} s, {len(watched.failed)} failed")
    counting.teal("local", "preview", "dev", "--refresh", "--expect-no-changes")


def test_old_snapshots_go_from_ec2_and_disk_and_a_persons_own_stays(counting: Counting) -> None:
    own = ""
    for _ in range(2):
        known = {each["SnapshotId"] for each in snapshots(counting)}
        with ThreadPoolExecutor(1) as beside:
            going = beside.submit(counting.teal, "release", "start", "dev", "--phoenix", "--bake", "1s")
            if not own:  # while nobody has the volume: between its snapshot and the next server
                within(RELEASE_SECONDS, lambda: {each["SnapshotId"] for each in snapshots(counting)} - known)  # noqa: B023
                made = counting.world.aws("ec2").create_snapshot(VolumeId=counting.volume_id, Description="my own")
                own = made["SnapshotId"]
            going.result()
        left = {each["SnapshotId"] for each in snapshots(counting)}
        assert {each.stem for each in counting.world.home.snapshots.iterdir()} == left, "folders, each with its record"
        assert own in left
        assert len(left - {own}) == KEPT
        assert len(left - known - {own}) == 1, "the release's own is one of them"
    planned = json.loads(counting.teal("release", "plan", "dev", "--json"))["snapshots"]
    assert [each["id"] for each in planned["removes"]] == [planned["of_releases"][-1]["id"]]
    counting.teal("local", "preview", "dev", "--refresh", "--expect-no-changes")


def test_a_snapshot_becomes_a_volume_with_what_was_counted_then(counting: Counting) -> None:
    ec2 = counting.world.aws("ec2")
    newest = max(snapshots(counting), key=lambda each: each["StartTime"])
    made = ec2.create_volume(SnapshotId=newest["SnapshotId"], AvailabilityZone="eu-west-1a")
    homes = counting.world.home.snapshots / newest["SnapshotId"], counting.world.home.volumes / made["VolumeId"]
    assert len({(home / "counter").read_text() for home in homes}) == 1
    ec2.delete_volume(VolumeId=made["VolumeId"])
    assert not homes[1].exists()


def test_a_volume_in_use_is_neither_deleted_nor_copied(counting: Counting) -> None:
    ec2 = counting.world.aws("ec2")
    with pytest.raises(ec2.exceptions.ClientError, match="IncorrectState"):
        ec2.create_snapshot(VolumeId=counting.volume_id)
    with pytest.raises(ec2.exceptions.ClientError, match="VolumeInUse"):
        ec2.delete_volume(VolumeId=counting.volume_id)


def test_the_volume_goes_with_its_stack(counting: Counting) -> None:
    counting.world.stack("dev", counting.project).destroy()
    with pytest.raises(ValueError, match="not enough values"):
        [_] = counting.world.aws("ec2").describe_volumes(
            Filters=[{"Name": "volume-id", "Values": [counting.volume_id]}]
        )["Volumes"]
    assert not (counting.world.home.volumes / counting.volume_id).exists()


def snapshots(counting: Counting) -> list[dict[str, Any]]:
    """Those of the stack's volume."""
    own = [{"Name": "volume-id", "Values": [counting.volume_id]}]
    found: list[dict[str, Any]] = counting.world.aws("ec2").describe_snapshots(Filters=own)["Snapshots"]
    return found
