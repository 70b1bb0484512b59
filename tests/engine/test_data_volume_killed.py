"""A release with a data volume whose command is killed while nobody has the volume: gone on with, and taken back."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.test_data_volume import Counting, check, counting_stack, snapshots
from engine.world import within
from toolchain import Toolchain

pytestmark = [pytest.mark.long, pytest.mark.timeout(1500)]

GAP_SECONDS = 240.0
"""From the start to the gap and, later, until the service counts again; on a machine that may be busy."""
Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def counting(engine: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counting]:
    folder = tmp_path_factory.mktemp("killed")
    with counting_stack(engine, folder / "home", folder / "teal") as made:
        yield made


def start(counting: Counting, digest: str) -> "subprocess.Popen[str]":
    """A release, under way."""
    return subprocess.Popen(
        [Path(sys.executable).with_name("teal"), "release", "start", "dev", "--image", digest, "--bake", "1s"],
        cwd=counting.project,
        env={**os.environ, "TEAL_HOME": str(counting.world.home.root), "TEAL_TOOLCHAIN": "build"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def release(counting: Counting) -> dict[str, Any]:
    """What is told of the release in flight."""
    return counting.live()["release"] or {}


@pytest.mark.parametrize(
    ("moment", "then"), [("in_gap", "resume"), ("snapshot", "abort")], ids=["resumed", "aborted with its snapshot made"]
)
def test_killed_in_the_gap(moment: str, then: str, counting: Counting, record_property: Record) -> None:
    label = f"org.opencontainers.image.version={then}"
    digest = counting.teal("image", "build", "dev", "--label", label).strip()
    live, before, known = counting.live()["live"], counting.count(), len(snapshots(counting))
    with counting.watched() as watched:
        within(5, lambda: watched.counts)
        killed = start(counting, digest)
        within(GAP_SECONDS, lambda: release(counting).get(moment))
        killed.kill()
        killed.wait(10)
        if then == "resume":  # which would wait for the lock's end; `abort` takes it over
            counting.teal("release", "unlock", "dev", "--reason", "killed")
        counting.teal("release", then, "dev")
        counted = len(watched.counts)
        within(GAP_SECONDS, lambda: len(watched.counts) > counted)
    check(watched, before)
    told = counting.live()
    assert (told["live"] == live, told["release"]) == (then == "abort", None)
    assert len(snapshots(counting)) == known + 1
    assert counting.holders() == [instance.id for instance in counting.world.status("dev").instances]
    record_property(f"requests fail in a release that is killed, then: {then}", f"{watched.gap:.1f} s")
    counting.teal("local", "preview", "dev", "--refresh", "--expect-no-changes")
