"""A cloud that is killed and started again, and two commands that start one at once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from cli.app_image import push_app
from engine.world import PROJECT, REGION, World, running_world, within
from localcloud.home import MARK, Home
from localcloud.launch import STOP_SECONDS, start, stop
from scaling_world import INSTANCES, run_instances
from toolchain import Toolchain

RUNNING_SECONDS = 20.0
ENDED_SECONDS = 10.0
START = """
import sys
from pathlib import Path
from typing import Any
from localcloud.home import Home
from localcloud.launch import start
print(start(Home(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3:]).record.pid)
"""


@pytest.fixture
def doomed(engine: Toolchain, tmp_path: Path) -> Iterator[World]:
    """A cloud to kill."""
    with running_world(tmp_path / "home", engine) as world:
        yield world


def run_app(world: World) -> None:
    """Two instances of the app."""
    ecr = world.aws("ecr")
    repository = ecr.create_repository(repositoryName="app")["repository"]["repositoryUri"]
    image = f"{repository}@{push_app(PROJECT, ecr, 'app', {})}"
    run_instances(world.aws("ec2"), world.aws("autoscaling"), image)


def marked(mark: str) -> list[psutil.Process]:
    """Every process that belongs to a cloud."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def daemons_of(home: Home) -> list[psutil.Process]:
    """The processes that are, or try to become, the cloud of a home."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if {"localcloud.daemon", str(home.root)} <= set(process.cmdline()):
                found.append(process)
    return found


def listening() -> set[tuple[str, int]]:
    """Addresses that any process on this machine listens at."""
    return set(addresses_among(psutil.net_connections("tcp")))


def addresses_of(processes: list[psutil.Process]) -> set[tuple[str, int]]:
    """Addresses that these processes listen at."""
    return {address for process in processes for address in addresses_among(process.net_connections("tcp"))}


def addresses_among(connections: Iterable[Any]) -> Iterator[tuple[str, int]]:
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN:
            yield connection.laddr.ip, connection.laddr.port


def is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def family(world: World) -> list[psutil.Process]:
    """The daemon, and every process that carries its mark."""
    return [psutil.Process(world.record.pid), *marked(world.record.mark)]


def test_a_killed_cloud_is_started_anew_without_leaving_a_process_or_a_port(doomed: World) -> None:
    run_app(doomed)
    within(RUNNING_SECONDS, lambda: len(doomed.pids()) == INSTANCES and len(addresses_of(family(doomed))) > INSTANCES)
    processes = family(doomed)
    addresses = addresses_of(processes)
    assert len(processes) > 1 + INSTANCES, "the daemon, its load balancer, and the instances with their workers"
    (doomed.home.backend / "left-over").touch()

    os.kill(doomed.record.pid, signal.SIGKILL)
    psutil.Process(doomed.record.pid).wait(ENDED_SECONDS)  # the kernel takes a moment over it
    started = start(doomed.home, PROJECT, [REGION])

    assert (started.was_running, started.was_gone) == (False, True)
    left = [process for process in (*processes, *marked(doomed.record.mark)) if is_running(process)]
    assert not left, "processes of the killed cloud are left"
    assert not addresses & listening()
    assert not (doomed.home.backend / "left-over").exists(), "the state of stacks that are gone is still there"
    fresh = World(doomed.home, started.record, doomed.toolchain)
    assert not fresh.pids()
    assert not fresh.aws("ecr").describe_repositories()["repositories"]


def test_a_cloud_that_ends_with_its_starter_outlives_no_kill_of_it(tmp_path: Path) -> None:
    """As `teal ci preview` starts one: whoever kills it can't be asked to clear up."""
    script = START.replace("sys.argv[3:])", "sys.argv[3:], ends_with=os.getpid())") + "import time; time.sleep(600)"
    command = [sys.executable, "-u", "-c", f"import os{script}", str(tmp_path / "home"), str(PROJECT), REGION]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout
        cloud = psutil.Process(int(starter.stdout.readline()))
        record = Home(tmp_path / "home").record()
        assert record
        assert is_running(cloud)
        starter.kill()
    within(STOP_SECONDS, lambda: not is_running(cloud) and not marked(record.mark))


def test_two_that_start_at_once_share_one_cloud(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    arguments = [sys.executable, "-c", START, str(home.root), str(PROJECT), REGION]
    try:
        both = [subprocess.Popen(arguments, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        told = [process.communicate(timeout=60)[0].strip() for process in both]
        record = home.record()
        assert record
        assert told == [str(record.pid)] * 2
        assert [daemon.pid for daemon in daemons_of(home)] == [record.pid]
    finally:
        assert stop(home)
    assert home.record() is None
