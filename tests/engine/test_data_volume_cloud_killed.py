"""A cloud that is killed with a data volume in it: the next one has the stack back, and counts on."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psutil
import pytest

from engine.test_data_volume import Counting, counting_stack
from engine.world import within
from toolchain import Toolchain

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ENDED_SECONDS = 10.0
SERVING_SECONDS = 30.0
Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def counting(engine: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counting]:
    folder = tmp_path_factory.mktemp("cloud-killed")
    with counting_stack(engine, folder / "home", folder / "teal") as made:
        yield made


def kill(counting: Counting) -> None:
    """The daemon, and nothing else: not even it can say anything."""
    os.kill(counting.world.record.pid, signal.SIGKILL)
    psutil.Process(counting.world.record.pid).wait(ENDED_SECONDS)


def up(counting: Counting) -> Counting:
    """The stack again, in the cloud that `up` started."""
    url = counting.teal("local", "up", "dev").strip()
    record = counting.world.home.running()
    return replace(counting, url=url, world=replace(counting.world, record=record))


def left(counting: Counting) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(counting.teal("local", "status", "--json"))["left"]
    return found


def snapshot(counting: Counting) -> str:
    """Of the stack's volume, for which its one server is away for a moment."""
    exports = counting.world.stack("dev", counting.project).exports()
    group = exports["scalingGroupNames"][exports["liveColour"]]
    scaling = counting.world.aws("autoscaling")
    scaling.update_auto_scaling_group(AutoScalingGroupName=group, MinSize=0, DesiredCapacity=0)
    within(SERVING_SECONDS, lambda: not counting.holders())
    made = str(counting.world.aws("ec2").create_snapshot(VolumeId=counting.volume_id)["SnapshotId"])
    scaling.update_auto_scaling_group(AutoScalingGroupName=group, MinSize=1, DesiredCapacity=1)
    within(SERVING_SECONDS, counting.serves)
    return made


def test_up_after_a_kill_counts_on_and_has_the_snapshots(counting: Counting, record_property: Record) -> None:
    kept = counting.count()
    own = snapshot(counting)
    before = counting.count()
    other = counting.world.aws("ec2").create_volume(AvailabilityZone="eu-west-1a", Size=1)["VolumeId"]
    kill(counting)

    started = time.monotonic()
    back = up(counting)
    within(SERVING_SECONDS, back.serves)
    record_property("counts on after a kill of the cloud and an `up`", f"{time.monotonic() - started:.1f} s")
    assert (kept, before, back.count()) == (1, 2, 3)
    assert str(back.world.stack("dev", back.project).exports()["dataVolumeId"]) == counting.volume_id
    assert [volume["id"] for volume in left(back)] == [other]
    of_volume = [{"Name": "volume-id", "Values": [counting.volume_id]}]
    [found] = back.world.aws("ec2").describe_snapshots(Filters=of_volume)["Snapshots"]
    assert found["SnapshotId"] == own
    assert (back.world.home.snapshots / own / "counter").read_text().strip() == str(kept)
    back.teal("local", "preview", "dev", "--refresh", "--expect-no-changes")
    assert any("anew, with the data volumes that it left" in text for text in back.world.printed)
