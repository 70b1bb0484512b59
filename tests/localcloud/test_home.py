import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from localcloud.errors import LocalCloudError
from localcloud.home import CloudRecord, DriverName, Home
from small_disk import largest_file


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def record(**changes: object) -> CloudRecord:
    own = psutil.Process()
    known = CloudRecord(
        pid=own.pid, started=own.create_time(), mark="m", api_url="http://127.0.0.1:4000",
        providers={"docker": 2, "aws": 1},
    )  # fmt: skip
    return replace(known, **changes)  # type: ignore[arg-type]  # the test says which fields


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_record_is_read_as_it_was_written(home: Home) -> None:
    assert home.record() is None
    home.write_record(record())
    assert home.record() == record()
    assert record().debug_providers == "aws:1,docker:2"


def test_a_record_of_before_there_were_drivers_is_one_of_processes(home: Home) -> None:
    written = json.loads(record().as_json())
    del written["driver"], written["docker_host"]
    home.record_file.write_text(json.dumps(written))
    assert home.record() == record(driver=DriverName.PROCESS)
    home.record_file.write_text(json.dumps({**written, "driver": "steam"}))
    assert home.record() is None


def test_a_record_is_for_its_owner_alone(home: Home) -> None:
    home.write_record(record())
    assert mode(home.record_file) == 0o600
    assert mode(home.root) == 0o700


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "started": 0, "mark": "m"}'])
def test_a_record_that_is_not_whole_is_none(home: Home, content: str) -> None:
    home.record_file.write_text(content)
    assert home.record() is None


def test_a_record_is_written_whole_or_not_at_all(home: Home) -> None:
    home.write_record(record())
    with largest_file(20), pytest.raises(OSError, match="File too large"):
        home.write_record(record(mark="n"))
    assert home.record() == record()
    assert [path.name for path in home.root.iterdir()] == ["cloud.json"]


def test_this_process_is_alive() -> None:
    assert record().is_alive


def test_a_process_with_the_same_number_that_started_later_is_another() -> None:
    assert not record(started=psutil.Process().create_time() - 60).is_alive


def test_a_process_that_has_ended_is_dead_even_before_it_is_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as ending:
        found = record(pid=ending.pid, started=psutil.Process(ending.pid).create_time())
        assert found.is_alive
        ending.kill()
        os.waitid(os.P_PID, ending.pid, os.WEXITED | os.WNOWAIT)
        assert not found.is_alive
    assert not found.is_alive


def test_what_is_prepared_is_private_and_keeps_its_passphrase(home: Home) -> None:
    home.prepare()
    passphrase = home.passphrase_file.read_text()
    assert len(passphrase) >= 32
    assert mode(home.passphrase_file) == 0o600
    assert {mode(folder) for folder in (home.backend, home.projects, home.envoy, home.instances)} == {0o700}
    home.prepare()
    assert home.passphrase_file.read_text() == passphrase


def test_what_is_forgotten_is_the_stacks_but_not_images_and_log(home: Home) -> None:
    home.prepare()
    home.write_record(record())
    home.log_file.write_text("words")
    (home.images / "layer").write_text("files")
    (home.backend / "dev.json").write_text("{}")
    home.instance_log("i-1").parent.mkdir()
    for _ in range(2):
        home.forget()
    assert sorted(path.name for path in home.root.iterdir()) == ["cloud.log", "images", "passphrase"]
    assert (home.images / "layer").read_text() == "files"


def test_data_volumes_and_snapshots_are_kept_where_the_cloud_was_killed(home: Home) -> None:
    home.prepare()
    home.write_record(record())
    assert not home.has_data
    home.volumes.mkdir()
    (home.volumes / "vol-01.lock").touch()
    assert not home.has_data, "a lock alone is nothing to keep"
    (home.volumes / "vol-01").mkdir()
    (home.snapshots / "snap-01").mkdir(parents=True)
    home.forget(keeps_data=True)
    assert home.has_data
    assert sorted(path.name for path in home.root.iterdir()) == ["images", "passphrase", "snapshots", "volumes"]
    home.forget()
    assert not home.has_data
    assert sorted(path.name for path in home.root.iterdir()) == ["images", "passphrase"]


def test_the_home_is_in_the_project_unless_the_user_names_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEAL_HOME", raising=False)
    assert Home.of_project(tmp_path).root == tmp_path / ".teal"
    monkeypatch.setenv("TEAL_HOME", str(tmp_path / "elsewhere"))
    assert Home.of_project(tmp_path).root == tmp_path / "elsewhere"


def test_a_home_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalCloudError, match=r"cannot write to .*/file/home \(Not a directory\): set TEAL_HOME"):
        Home(tmp_path / "file" / "home")
