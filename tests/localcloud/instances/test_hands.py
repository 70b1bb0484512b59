"""What somebody does to an instance from another process: here, from the very one that started it."""

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from localcloud.instances.driver import Launch
from localcloud.instances.errors import InstanceError
from localcloud.instances.hands import InstanceProcess, usage
from localcloud.instances.process import ProcessInstance

pytestmark = pytest.mark.process

INSTANCE = "i-0123456789abcdef0"
MakeLaunch = Callable[..., Launch]
Start = Callable[[Launch], ProcessInstance]
READY = "import pathlib, os; pathlib.Path(os.environ['HOME'], 'ready').touch()\n"


@pytest.fixture
def begin(make_launch: MakeLaunch, start: Start) -> Callable[..., InstanceProcess]:
    def run(code: str = "import time; time.sleep(60)", **environment: str) -> InstanceProcess:
        launch = make_launch(sys.executable, "-c", READY + code, **environment)
        running = start(launch)
        deadline = time.monotonic() + 15
        while not (launch.folder / "home" / "ready").exists():
            assert time.monotonic() < deadline, "it did not start"
            time.sleep(0.01)
        return InstanceProcess(INSTANCE, running.pid)

    return run


def test_its_environment_folder_and_start_are_known(begin: Callable[..., InstanceProcess], tmp_path: Path) -> None:
    found = begin(GREETING="hello")
    assert found.environment["GREETING"] == "hello"
    assert found.environment["TEAL_INSTANCE"] == INSTANCE
    assert found.folder == tmp_path / "rootfs" / "srv" / "app"
    assert abs(datetime.now(UTC) - found.started) < timedelta(seconds=30)


def test_stop_lets_it_finish(begin: Callable[..., InstanceProcess], tmp_path: Path) -> None:
    handler = "lambda *_: (pathlib.Path(os.environ['HOME'], 'finished').touch(), os._exit(0))"
    found = begin(f"import signal, time; signal.signal(signal.SIGTERM, {handler}); time.sleep(60)")
    time.sleep(0.3)
    found.stop(10)
    assert (tmp_path / "instance" / "home" / "finished").exists()
    with pytest.raises(InstanceError, match=f"{INSTANCE} is gone"):
        found.stop(10)


def test_stop_does_not_wait_for_ever(begin: Callable[..., InstanceProcess]) -> None:
    found = begin("import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)")
    time.sleep(0.3)
    began = time.monotonic()
    found.stop(0.2)
    assert time.monotonic() - began < 5
    with pytest.raises(InstanceError, match="is gone"):
        _ = found.environment


def test_kill_ends_all_that_it_started(begin: Callable[..., InstanceProcess]) -> None:
    found = begin("import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)")
    deadline = time.monotonic() + 10
    while len(family := found.family()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    found.kill()
    deadline = time.monotonic() + 5
    while any(each.is_running() and each.status() != "zombie" for each in family):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_number_that_is_somebody_elses_by_now_is_left_alone(begin: Callable[..., InstanceProcess]) -> None:
    living = begin()
    other = InstanceProcess("i-fffffffffffffffff", living.pid)
    with pytest.raises(InstanceError, match="i-fffffffffffffffff is gone"):
        other.kill()
    with pytest.raises(InstanceError, match="i-fffffffffffffffff is gone"):
        InstanceProcess("i-fffffffffffffffff", os.getpid()).stop(1)
    os.kill(living.pid, 0)


def test_usage_is_of_all_its_processes_and_those_that_are_gone_are_left_out(
    begin: Callable[..., InstanceProcess],
) -> None:
    busy = begin("import os\nos.fork()\nwhile True: pass")
    gone = InstanceProcess("i-gone", busy.pid)
    found = usage([busy, gone], 0.5)
    assert found.keys() == {INSTANCE}
    assert found[INSTANCE].cpu_percent > 5
    assert found[INSTANCE].memory_bytes > 1_000_000
    assert found[INSTANCE].pids == 2
    os.kill(busy.pid, signal.SIGKILL)
