"""With a daemon that does next to nothing: it answers everything with 200, and starts one process of its own."""

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from fake_machine import has_ended, wait_for
from localcloud import launch
from localcloud.errors import CloudNotRunning, CloudStartFailed, LocalCloudError
from localcloud.home import MARK, CloudRecord, DriverName, Home

DAEMON = """
import http.server, json, os, pathlib, signal, subprocess, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_): pass
home = pathlib.Path(sys.argv[1])
server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
signal.signal(signal.SIGTERM, signal.SIG_IGN if "stubborn" in sys.argv else lambda *_: os._exit(0))
os.environ["TEAL_CLOUD_MARK"] = f"mark-{os.getpid()}"
if "stubborn" not in sys.argv:
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    (home / f"daemon-{os.getpid()}").write_text(str(child.pid))
stat = pathlib.Path("/proc/self/stat").read_text().rpartition(") ")[2].split()
boot = next(int(line.split()[1]) for line in open("/proc/stat") if line.startswith("btime"))
record = {"pid": os.getpid(), "started": int(stat[19]) / os.sysconf("SC_CLK_TCK") + boot,
          "mark": f"mark-{os.getpid()}", "api_url": f"http://127.0.0.1:{server.server_port}", "providers": {}}
(home / "draft").write_text(json.dumps(record))
os.replace(home / "draft", home / "cloud.json")
server.serve_forever()
"""
pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
"""It is meant to outlive the command that starts it."""
Start = Callable[[], launch.Started]


PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture(autouse=True, scope="module")
def adopts_orphans() -> Iterator[None]:
    """Whose parent has ended becomes a child of this process: process 1 of some machines is slow to let the dead go."""
    libc = ctypes.CDLL(None)
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    yield made
    launch.stop(made)


@pytest.fixture
def start(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    monkeypatch.setattr(launch, "DAEMON", (sys.executable, "-S", "-c", DAEMON))
    return lambda: launch.start(home, tmp_path, ["eu-west-1"])


@pytest.fixture
def somebody() -> Iterator[int]:
    """A process of another cloud."""
    with subprocess.Popen(["sleep", "60"], env={**os.environ, MARK: "another"}) as other:
        yield other.pid
        other.kill()


def child_of(record: CloudRecord, home: Home) -> int:
    """The process that the daemon started."""
    return int((home.root / f"daemon-{record.pid}").read_text())


def failing(code: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", code)


def test_a_cloud_is_started_found_and_stopped(home: Home, start: Start) -> None:
    with pytest.raises(CloudNotRunning, match=r"no embedded cloud runs here: start one with `teal local up`"):
        home.running()
    started = start()
    assert (started.was_running, started.was_gone) == (False, False)
    assert home.running() == started.record
    child = child_of(started.record, home)
    assert launch.stop(home)
    assert not started.record.is_alive
    assert has_ended(child)
    assert home.record() is None


def test_to_stop_twice_is_no_error(home: Home, start: Start) -> None:
    assert not launch.stop(home)
    start()
    assert launch.stop(home)
    assert not launch.stop(home)


def test_a_second_start_finds_the_first(start: Start) -> None:
    first, second = start(), start()
    assert second.was_running
    assert second.record == first.record


def test_two_starts_at_once_make_one_daemon(home: Home, start: Start) -> None:
    found: list[launch.Started] = []
    threads = [threading.Thread(target=lambda: found.append(start())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(one.was_running for one in found) == [False, True, True]
    assert len({one.record.pid for one in found}) == 1
    assert len(list(home.root.glob("daemon-*"))) == 1


def test_a_killed_cloud_is_told_and_its_orphans_end_but_nobody_else(home: Home, start: Start, somebody: int) -> None:
    first = start().record
    orphan = child_of(first, home)
    (home.backend / "dev.json").write_text("{}")
    psutil.Process(first.pid).kill()
    wait_for(lambda: has_ended(first.pid))
    with pytest.raises(CloudNotRunning, match=r"the embedded cloud is gone \(it was killed\)"):
        home.running()
    assert not has_ended(orphan)
    second = start()
    assert (second.was_running, second.was_gone) == (False, True)
    assert second.record.pid != first.pid
    assert has_ended(orphan)
    assert not has_ended(somebody)
    assert not (home.backend / "dev.json").exists()


def leave_data(home: Home) -> Path:
    """A volume and a snapshot, as a cloud leaves them."""
    kept = home.volumes / "vol-01" / "counter"
    for folder in (kept.parent, home.snapshots / "snap-01"):
        folder.mkdir(parents=True)
    kept.write_text("7")
    return kept


def test_data_volumes_outlive_a_killed_cloud_but_no_stop(home: Home, start: Start) -> None:
    kept = leave_data(home)
    psutil.Process(start().record.pid).kill()
    second = start()
    assert second.was_gone
    assert kept.read_text() == "7"
    assert (home.snapshots / "snap-01").is_dir()
    launch.stop(home)
    assert not home.has_data


def test_a_stop_removes_what_a_killed_cloud_left_even_where_nothing_else_tells_of_it(home: Home) -> None:
    kept = leave_data(home)
    assert not launch.stop(home)
    assert not kept.exists()


def test_a_stop_leaves_the_volumes_of_a_cloud_that_is_just_being_started(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "START_SECONDS", 0.2)
    kept = leave_data(home)
    with (
        FileLock(home.lock_file, thread_local=False, is_singleton=False),
        pytest.raises(LocalCloudError, match=r"another teal command has held"),
    ):
        launch.stop(home)
    assert kept.exists()


def test_a_killed_cloud_is_cleared_away_by_stop_too(home: Home, start: Start) -> None:
    record = start().record
    orphan = child_of(record, home)
    psutil.Process(record.pid).kill()
    wait_for(lambda: has_ended(record.pid))
    assert not launch.stop(home)
    assert has_ended(orphan)
    assert home.record() is None


def test_a_running_cloud_keeps_its_driver(home: Home, tmp_path: Path, start: Start) -> None:
    first = start().record
    assert launch.start(home, tmp_path, ["eu-west-1"], driver=DriverName.PROCESS).record == first
    told = r"runs its instances with the process driver.*`teal local down`.*`teal local up --driver docker`"
    with pytest.raises(LocalCloudError, match=told):
        launch.start(home, tmp_path, ["eu-west-1"], driver=DriverName.DOCKER)
    assert home.running() == first


def gone_with_containers() -> CloudRecord:
    return CloudRecord(
        pid=os.getpid(), started=0, mark="m", api_url="http://127.0.0.1:4000", providers={},
        driver=DriverName.DOCKER, docker_host="unix:///d.sock",
    )  # fmt: skip


def test_a_cloud_that_is_gone_has_its_containers_cleared_away(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    cleared: list[tuple[str, ...]] = []

    def clear(*about: str) -> None:
        cleared.append(about)
        raise LocalCloudError("no Docker engine answers")

    monkeypatch.setattr("localcloud.docker.engine.clear", clear)
    home.write_record(gone_with_containers())
    with pytest.raises(LocalCloudError, match="no Docker engine answers"):
        launch.stop(home)
    assert cleared == [("m", "127.0.0.1:4000", "unix:///d.sock")]
    assert home.record() is None, "the next command is not held up by what this one has told"


def test_containers_that_may_still_write_to_a_volume_hold_up_its_next_cloud(
    home: Home, tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["no Docker engine answers"]

    def clear(*_: str) -> None:
        if answers:
            raise LocalCloudError(answers.pop())

    monkeypatch.setattr("localcloud.docker.engine.clear", clear)
    kept = leave_data(home)
    home.write_record(gone_with_containers())
    with pytest.raises(LocalCloudError, match=r"no Docker engine answers; until then its data volumes wait"):
        start()
    assert home.record() == gone_with_containers(), "the next command asks again"
    assert start().was_gone
    assert kept.read_text() == "7"


def test_a_cloud_that_does_not_stop_is_killed(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "DAEMON", (sys.executable, "-S", "-c", DAEMON))
    monkeypatch.setattr(launch, "STOP_SECONDS", 0.2)
    record = launch.start(home, tmp_path, ["stubborn"]).record
    assert launch.stop(home)
    wait_for(lambda: has_ended(record.pid))
    assert home.record() is None


def test_a_daemon_that_ends_at_once_is_told_by_its_last_words(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "DAEMON", failing("import sys; sys.exit('first\\nAddress already in use')"))
    with pytest.raises(CloudStartFailed) as caught:
        launch.start(home, tmp_path, ["eu-west-1"])
    assert str(caught.value) == (
        f"the embedded cloud ended while it started: Address already in use (see {home.log_file})"
    )
    assert home.record() is None


def test_a_daemon_that_says_nothing_is_told_so(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "DAEMON", failing("import sys; sys.exit(1)"))
    with pytest.raises(CloudStartFailed, match="ended while it started: it said nothing"):
        launch.start(home, tmp_path, ["eu-west-1"])


def test_a_daemon_that_never_answers_is_ended_at_the_deadline(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import os, sys, time; open(sys.argv[1] + '/pid', 'w').write(str(os.getpid())); time.sleep(60)"
    monkeypatch.setattr(launch, "DAEMON", failing(code))
    monkeypatch.setattr(launch, "START_SECONDS", 0.5)
    waited: list[str] = []
    with pytest.raises(CloudStartFailed, match=r"did not answer within 0 s \(see .*cloud\.log\)"):
        launch.start(home, tmp_path, ["eu-west-1"], waited.append)
    assert waited == ["the embedded cloud to answer"]
    pid = int((home.root / "pid").read_text())
    wait_for(lambda: has_ended(pid))


def test_a_command_that_waits_for_another_says_so_and_gives_up_in_the_end(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "START_SECONDS", 0.2)
    waited: list[str] = []
    with (
        FileLock(home.lock_file, thread_local=False, is_singleton=False),
        pytest.raises(LocalCloudError, match=r"another teal command has held .*/lock for 0 s"),
    ):
        launch.start(home, tmp_path, ["eu-west-1"], waited.append)
    assert waited == ["another `teal local` command"]
