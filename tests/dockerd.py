"""A Docker engine for tests: one that answers, or else one of their own where they may start it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from image_world import BASE
from localcloud.docker.client import Client, find_client
from localcloud.docker.errors import NoDocker

START_SECONDS = 60.0
STOP_SECONDS = 60.0
BASE_SCRIPT = Path(__file__).parents[1] / "scripts" / "make_base_image.sh"
BASE_SECONDS = 600


@contextmanager
def docker_engine(folder: Path) -> Iterator[Client]:
    """A client whose engine answers, and which DOCKER_HOST names. Skips where there is none and none can be started.

    One of our own keeps everything in folder, touches no packet filter, and ends with the block.
    """
    found = _answering()
    if isinstance(found, Client):
        yield _with_base(found)
        return
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip(
            f"not run, so nothing is known of images and containers: {found}, and no dockerd can be started here"
        )
    with _daemon(folder) as host, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", host)
        yield _with_base(find_client())


def _answering() -> Client | NoDocker:
    """A client whose engine answers, or why there is none."""
    try:
        return find_client()
    except NoDocker as why:
        return why


@contextmanager
def _daemon(folder: Path) -> Iterator[str]:
    """A dockerd of our own; its address."""
    host = f"unix://{folder}/docker.sock"
    command = ["dockerd", f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--host={host}"]
    command += [f"--pidfile={folder}/pid", "--iptables=false", "--bridge=none"]
    with (folder / "dockerd.log").open("wb") as log:
        daemon = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not (folder / "docker.sock").exists():
            assert daemon.poll() is None, f"dockerd ended: {(folder / 'dockerd.log').read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"dockerd has not answered within {START_SECONDS:g} s"
            time.sleep(0.1)
        yield host
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(STOP_SECONDS)
        _unmount(folder)
        shutil.rmtree(folder / "data", ignore_errors=True)  # half a gigabyte, which pytest would keep


def _unmount(folder: Path) -> None:
    """Takes away what a dockerd leaves mounted at its end: pytest could not remove the folder some runs later."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in sorted((each for each in mounted if Path(each).is_relative_to(folder)), reverse=True):
        subprocess.run(["umount", place], check=True, timeout=STOP_SECONDS)


def _with_base(client: Client) -> Client:
    """The client, once its engine has the base image that TEAL_BASE_IMAGE names."""
    if BASE and subprocess.run([client.path, "image", "inspect", BASE], capture_output=True, check=False).returncode:
        subprocess.run([BASE_SCRIPT, BASE], check=True, timeout=BASE_SECONDS, env={**os.environ, "DOCKER": client.path})
    return client
