"""A machine that boots for real, but for its kernel: a Debian root in namespaces, and AWS as boot.cloud plays it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boot.image import Image

TESTS = Path(__file__).parents[1]
CGROUPS = Path("/sys/fs/cgroup")
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
"""Of commands inside: what is chosen here, such as DOCKER_HOST, means nothing there."""
UP_SECONDS = 240.0
"""How long a machine may take until its first boot is over, on a busy machine."""


@dataclass(frozen=True)
class Machine:
    """A booted machine."""

    folder: Path
    pid: int
    cloud: "subprocess.Popen[str]"

    def run(self, *command: str, check: bool = True) -> str:
        """What a command inside prints; fails with it unless told not to mind."""
        enter = ["nsenter", f"--target={self.pid}", "--all", "--"]
        done = subprocess.run(
            [*enter, *command], env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0 or not check, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def unit(self, name: str) -> dict[str, str]:
        """A unit's properties; none before systemd listens."""
        told = self.run("systemctl", "show", name, check=False)
        return dict(line.split("=", 1) for line in told.splitlines() if "=" in line)

    def container(self) -> dict[str, Any]:
        """The container as Docker tells it; empty where there is none."""
        told = self.run("/usr/bin/docker", "inspect", "teal", check=False)
        found: list[dict[str, Any]] = json.loads(told or "[]")
        return found[0] if found else {}

    def seen(self, order: str = "?") -> dict[str, Any]:
        """What AWS has seen of it, after an order to boot.cloud."""
        assert self.cloud.stdin is not None
        assert self.cloud.stdout is not None
        self.cloud.stdin.write(f"{order}\n")
        self.cloud.stdin.flush()
        told: dict[str, Any] = json.loads(self.cloud.stdout.readline())
        return told

    def calls(self, name: str) -> list[str]:
        """The arguments that aws or docker were called with, a line a call."""
        return self.run("cat", f"/var/log/{name}-calls", check=False).splitlines()

    def installations(self) -> int:
        """Lines of cloud-init's log that are about installing packages."""
        return int(self.run("sh", "-c", "grep -c 'apt-get.*install' /var/log/cloud-init.log || true"))

    def journal(self) -> str:
        """All that was logged."""
        return self.run("journalctl", "--no-pager", "--quiet", check=False)

    def until(self, what: str, holds: Callable[[], Any], seconds: float) -> Any:
        """Waits for something true and returns it; else fails, with the journal's end."""
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} not within {seconds:g} s:\n{self.journal()[-6000:]}")
            time.sleep(0.2)
        return found


@contextmanager
def booted(folder: Path, root: Path, user_data: str, image: Image) -> Iterator[Machine]:
    """A machine on this root with this user data, from the moment of process 1 on; it ends with the block."""
    lay_out(folder, image)
    (folder / "user-data").write_text(user_data)
    with ExitStack() as stack:
        cloud = stack.enter_context(cloud_of("boot.cloud", folder))
        yield stack.enter_context(started(folder, root, cloud.pid, cloud))


def lay_out(folder: Path, image: Image) -> None:
    """What a played registry serves of the image."""
    (folder / "blobs").mkdir(parents=True)
    (folder / "manifest").write_text(image.digest)
    for digest, blob in image.blobs.items():
        (folder / "blobs" / digest).write_bytes(blob)


@contextmanager
def started(folder: Path, root: Path, net_pid: int, cloud: "subprocess.Popen[str]") -> Iterator[Machine]:
    """A machine in the network namespace of a process; files in folder/upper are over those of the root."""
    for name in ("upper", "work", "merged"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "root").symlink_to(root)
    with ExitStack() as stack:
        console = stack.enter_context((folder / "console").open("wb"))
        join = stack.enter_context(_cgroup(f"teal-boot-{uuid.uuid4().hex[:8]}"))
        process = subprocess.Popen(
            [
                *("nsenter", f"--net=/proc/{net_pid}/ns/net"),
                *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--cgroup"),
                *("/bin/bash", Path(__file__).with_name("machine.sh"), folder),
            ],
            preexec_fn=join,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
        )
        stack.callback(_end, process)
        yield Machine(folder, _first_process(process, folder), cloud)


@contextmanager
def cloud_of(module: str, folder: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A module that plays AWS, in a network namespace of its own, from the moment that it listens."""
    errors = (folder / "cloud-errors").open("wb")
    process = subprocess.Popen(
        ["unshare", "--net", sys.executable, "-m", module, folder, *arguments],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
    )
    try:
        assert process.stdout is not None
        heard = process.stdout.readline()
        assert heard == "listening\n", (folder / "cloud-errors").read_text()
        yield process
    finally:
        errors.close()
        process.terminate()
        process.communicate(timeout=20)


@contextmanager
def _cgroup(name: str) -> Iterator[Callable[[], None]]:
    """A cgroup of the machine's own under every controller, and how a process joins it."""
    controllers = [CGROUPS] if (CGROUPS / "cgroup.controllers").exists() else sorted(CGROUPS.iterdir())
    folders = [controller / name for controller in controllers if (controller / "cgroup.procs").exists()]
    for folder in folders:
        folder.mkdir()
        for setting in ("cpuset.cpus", "cpuset.mems"):  # empty in version 1, and then nobody may join
            if (folder / setting).exists() and folder.parent != CGROUPS:
                (folder / setting).write_text((folder.parent / setting).read_text())

    def join() -> None:
        for folder in folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    try:
        yield join
    finally:
        for folder in folders:
            _remove(folder)


def _remove(folder: Path) -> None:
    """A cgroup and those that systemd and Docker made in it; processes take a moment to leave."""
    deadline = time.monotonic() + 10
    for inner in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        inner.rmdir()
    while True:
        try:
            folder.rmdir()
        except OSError:
            assert time.monotonic() < deadline, f"{folder} is still in use"
            time.sleep(0.1)
        else:
            return


def _first_process(process: "subprocess.Popen[bytes]", folder: Path) -> int:
    """Process 1 of the machine, once it is systemd."""
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None, (folder / "console").read_text()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if children and Path(f"/proc/{children[0]}/comm").read_text() == "systemd\n":
            return int(children[0])
        assert time.monotonic() < deadline, f"systemd does not start: {(folder / 'console').read_text()}"
        time.sleep(0.05)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kills process 1, and with it the kernel ends all the others of its namespace."""
    if process.poll() is None:
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
    process.wait(30)


def why_not() -> str:
    """Why no machine can be booted here; empty where one can."""
    if os.geteuid() != 0:
        return "it needs root, for namespaces and mounts"
    missing = [name for name in ("mmdebstrap", "unshare", "nsenter", "pivot_root", "ip") if shutil.which(name) is None]
    return f"{', '.join(missing)} not installed" if missing else ""
