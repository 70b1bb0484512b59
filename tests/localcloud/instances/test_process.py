import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest

from localcloud.images.cache import UnpackedImage
from localcloud.images.oci import read_config
from localcloud.images.packing import pack
from localcloud.images.unpacking import unpack
from localcloud.instances.driver import DataFolder, Driver, Launch, Running
from localcloud.instances.errors import InstanceError
from localcloud.instances.process import ProcessDriver, ProcessInstance
from localcloud.volumes import VolumeInUse, Volumes

pytestmark = pytest.mark.engine  # no engine, but seconds of real processes

ROOT = Path(__file__).parents[3]
NO_TIME, SECONDS = timedelta(), timedelta(seconds=5)
ProcessLaunch = Launch[UnpackedImage]
MakeLaunch = Callable[..., ProcessLaunch]
Start = Callable[[ProcessLaunch], ProcessInstance]


def wait_for(what: Callable[[], Any], seconds: float = 10) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found


def wait_until_ended(instance: ProcessInstance) -> None:
    wait_for(lambda: not instance.is_alive())


def version(launch: ProcessLaunch) -> dict[str, str] | None:
    """What the instance answers at /version, or None while it does not answer."""
    with suppress(OSError), closing(HTTPConnection(launch.address, launch.spec.port, timeout=5)) as connection:
        connection.request("GET", "/version")
        answer: dict[str, str] = json.loads(connection.getresponse().read())
        return answer
    return None


@pytest.fixture
def app_launch(make_launch: MakeLaunch, tmp_path: Path) -> ProcessLaunch:
    """The sample app, unpacked from an image of it, on an address of this test's own."""
    rootfs = tmp_path / "app-rootfs"
    rootfs.mkdir()
    image = pack(ROOT / "app", {})
    unpack(image.layers[0], rootfs)
    address = f"127.31.{os.getpid() % 250}.{1 + os.getpid() // 250 % 250}"
    return make_launch(*read_config(image.config).command, rootfs=rootfs, address=address, TEAL_DEMO="1")


def test_a_process_driver_is_a_driver() -> None:
    driver: Driver[UnpackedImage] = ProcessDriver()
    running: type[Running] = ProcessInstance
    driver.close()
    assert running


def test_the_sample_app_serves_with_its_identity(app_launch: ProcessLaunch, start: Start) -> None:
    began = time.monotonic()
    instance = start(app_launch)
    answer = wait_for(lambda: version(app_launch))
    took = time.monotonic() - began
    assert answer == {
        "version": "0",
        "digest": app_launch.image.digest,
        "colour": "green",
        "instance": "i-0123456789abcdef0",
        "zone": "eu-west-1b",
    }
    assert instance.stop(SECONDS) == 0
    assert took < 5  # 0.6 s where nothing else runs


def test_an_instance_has_its_data_volume_and_holds_its_lock_until_it_and_its_children_have_ended(
    make_launch: MakeLaunch, start: Start, tmp_path: Path
) -> None:
    volumes = Volumes(tmp_path / "volumes", tmp_path / "snapshots")
    handle = volumes.lock("vol-01")
    code = "import os, time; os.fork(); open(os.environ['TEAL_DATA'] + '/counter', 'a').write('1'); time.sleep(60)"
    launch = replace(make_launch("python", "-c", code), data=DataFolder(volumes.folder("vol-01"), handle))
    instance = start(launch)
    os.close(handle)
    counter = volumes.folder("vol-01") / "counter"
    wait_for(lambda: counter.exists() and counter.read_text() == "11")
    with pytest.raises(VolumeInUse):
        volumes.lock("vol-01")
    instance.stop(NO_TIME)
    os.close(wait_for(lambda: _lock_of(volumes)))


def _lock_of(volumes: Volumes) -> int | None:
    with suppress(VolumeInUse):
        return volumes.lock("vol-01")
    return None


def test_an_instance_knows_nothing_of_the_daemons_environment(
    make_launch: MakeLaunch, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    code = "import json, os; print(json.dumps([dict(os.environ), os.getcwd()]))"
    launch = make_launch("python", "-c", code, TEAL_ZONE="forged", PATH="/forged", GREETING="hello")
    instance = start(launch)
    wait_until_ended(instance)
    environment, cwd = json.loads(launch.log.read_text())
    assert cwd == str(launch.image.rootfs / "srv" / "app")
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert "PYTHONPATH" not in environment
    assert "TEAL_DATA" not in environment
    assert environment["GREETING"] == "hello"
    assert environment["TEAL_ZONE"] == "eu-west-1b"
    assert environment["TEAL_BIND"] == "127.16.0.9:8080"
    assert environment["PATH"].startswith(str(Path(sys.executable).parent))
    assert Path(environment["HOME"]).is_dir()
    assert Path(environment["TMPDIR"]).is_relative_to(launch.folder)


def test_what_the_driver_adds_is_in_every_instances_environment(make_launch: MakeLaunch) -> None:
    with closing(ProcessDriver(environment={"TEAL_CLOUD_MARK": "m"})) as driver:
        launch = make_launch("sh", "-c", "echo $TEAL_CLOUD_MARK", TEAL_CLOUD_MARK="forged")
        instance = driver.start(launch)
        wait_until_ended(instance)
        instance.stop(SECONDS)
    assert launch.log.read_text() == "m\n"


def test_the_log_is_appended_to(make_launch: MakeLaunch, start: Start) -> None:
    launch = make_launch("sh", "-c", "echo out; echo err >&2")
    for _ in range(2):
        instance = start(launch)
        wait_until_ended(instance)
    assert launch.log.read_text() == "out\nerr\n" * 2


def test_the_exit_status_is_told(make_launch: MakeLaunch, start: Start) -> None:
    instance = start(make_launch("sh", "-c", "exit 7"))
    wait_until_ended(instance)
    assert instance.stop(SECONDS) == 7
    assert instance.stop(SECONDS) == 7


def test_a_missing_program_ends_at_once_and_says_so(make_launch: MakeLaunch, start: Start) -> None:
    launch = make_launch("no-such-program")
    instance = start(launch)
    wait_until_ended(instance)
    assert instance.stop(SECONDS) == 127
    assert "no-such-program: No such file" in launch.log.read_text()


def test_who_ignores_sigterm_is_killed_with_all_it_started(make_launch: MakeLaunch, start: Start) -> None:
    launch = make_launch("sh", "-c", "trap '' TERM; sleep 60 & echo $!; wait; sleep 60")
    instance = start(launch)
    child = int(wait_for(lambda: launch.log.exists() and launch.log.read_text()))
    began = time.monotonic()
    assert instance.stop(timedelta(seconds=0.2)) == -signal.SIGKILL
    assert 0.2 <= time.monotonic() - began < 3
    wait_for(lambda: not is_running(child))


def test_what_a_killed_instance_started_is_killed_by_stop(make_launch: MakeLaunch, start: Start) -> None:
    launch = make_launch("sh", "-c", "sleep 60 & echo $!; wait")
    instance = start(launch)
    child = int(wait_for(lambda: launch.log.exists() and launch.log.read_text()))
    os.kill(instance.pid, signal.SIGKILL)
    wait_until_ended(instance)
    assert is_running(child)
    assert instance.stop(SECONDS) == -signal.SIGKILL
    wait_for(lambda: not is_running(child))


def test_an_instance_outlives_the_thread_that_asked_for_it(make_launch: MakeLaunch, start: Start) -> None:
    got: list[ProcessInstance] = []

    def ask() -> None:
        got.append(start(make_launch("sleep", "60")))
        wait_for(lambda: psutil.Process(got[0].pid).name() == "sleep")  # on the leash by now

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(10)
    time.sleep(0.2)
    assert got[0].is_alive()


def test_an_image_without_its_folder_is_refused(make_launch: MakeLaunch, start: Start, tmp_path: Path) -> None:
    with pytest.raises(InstanceError, match="the image has no folder /srv/app to run in"):
        start(make_launch("true", rootfs=tmp_path))


def test_a_log_that_cannot_be_written_is_named(make_launch: MakeLaunch, start: Start) -> None:
    launch = make_launch("true")
    launch.log.mkdir(parents=True)
    with pytest.raises(InstanceError, match=r"could not be started: .*instance\.log"):
        start(launch)


DAEMON = """
import pickle, sys, time
from localcloud.instances.process import ProcessDriver
instance = ProcessDriver().start(pickle.load(open(sys.argv[1], "rb")))
print(instance.pid, flush=True)
time.sleep(60)
"""


def test_killing_the_daemon_leaves_no_process(app_launch: ProcessLaunch, tmp_path: Path) -> None:
    """SIGKILL, so nothing of the daemon can clean up; the app has a master and two workers."""
    order = tmp_path / "launch.pickle"
    order.write_bytes(pickle.dumps(app_launch))
    daemon = subprocess.Popen([sys.executable, "-c", DAEMON, str(order)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert daemon.stdout is not None
    master = int(daemon.stdout.readline())
    wait_for(lambda: version(app_launch))
    workers = wait_for(lambda: len(found := psutil.Process(master).children(recursive=True)) == 2 and found)
    pids = [master, *(worker.pid for worker in workers)]
    daemon.kill()
    daemon.wait(5)
    daemon.stdout.close()
    wait_for(lambda: not any(is_running(pid) for pid in pids), seconds=8)


def is_running(pid: int) -> bool:
    """Whether pid is a process, other than one that has ended and is only waited for."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False
