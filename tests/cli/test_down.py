import subprocess
import sys
from pathlib import Path

import psutil

from cli_world import FakeCloud, Teal, record_of
from localcloud.home import Home
from localcloud.left import Record
from localcloud.volumes import Volumes


def test_without_a_cloud_there_is_nothing_to_do(teal: Teal) -> None:
    ended = teal("local", "down")
    assert (ended.code, ended.out, ended.err) == (0, "", "No embedded cloud was running.\n")


def test_a_running_cloud_is_stopped_and_forgotten(teal: Teal, cloud: FakeCloud) -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as daemon:
        cloud.home.write_record(record_of(psutil.Process(daemon.pid)))
        ended = teal("local", "down")
        assert daemon.wait(5) is not None
    assert (ended.code, ended.out, ended.err) == (0, "", "The embedded cloud is down.\n")
    assert cloud.home.record() is None
    assert teal("local", "down").err == "No embedded cloud was running.\n"


def leave_data(home: Home) -> None:
    """A data volume with its record and a snapshot without, as a killed cloud may leave them."""
    volumes = Volumes(home.volumes, home.snapshots)
    known = {
        "id": "vol-01", "account": "1", "region": "eu-west-1", "zone": "eu-west-1a", "size_gib": 8,
        "created": "2026-11-23T12:00:00", "tags": {"Environment": "dev", "Name": "data-volume"},
    }  # fmt: skip
    volumes.write(Record.model_validate(known))
    volumes.folder("vol-01")
    (home.snapshots / "snap-01").mkdir(parents=True)


def test_a_dry_run_says_what_would_go_and_removes_nothing(teal: Teal, cloud: FakeCloud) -> None:
    leave_data(cloud.home)
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as daemon:
        cloud.home.write_record(record_of(psutil.Process(daemon.pid)))
        ended = teal("local", "down", "--dry-run")
        assert daemon.poll() is None
        daemon.kill()
    assert (ended.code, ended.out.splitlines()) == (
        0,
        [
            "would stop the embedded cloud, and forget its stacks",
            "would remove vol-01 (dev data-volume), eu-west-1a, 8 GiB",
            "would remove snap-01 (of nobody that is known)",
        ],
    )
    assert cloud.home.has_data


def test_a_dry_run_without_anything_says_so(teal: Teal) -> None:
    assert teal("local", "down", "--dry-run").out == "no embedded cloud runs, and there is nothing to remove\n"


def test_what_a_killed_cloud_left_goes_and_is_told(teal: Teal, home: Path) -> None:
    leave_data(Home(home))
    ended = teal("local", "down")
    assert (ended.code, ended.err) == (0, "No embedded cloud was running.\nRemoved: 1 data volume and 1 snapshot.\n")
    assert not Home(home).has_data
