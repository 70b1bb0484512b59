"""Instances as processes of this machine: an image's command, run in its unpacked files. Linux, no Docker, no root."""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from localcloud.images.cache import UnpackedImage
from localcloud.instances import leash
from localcloud.instances.driver import Launch
from localcloud.instances.errors import InstanceError

SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
START_SECONDS = 10.0


class ProcessDriver:
    """Starts instances as processes on a leash: when this process ends, however it does, so do they, in order.

    The kernel ties the leash to the thread that starts a process, not to the process. So the driver starts all of them
    in one thread of its own, which lives until close(); callers may come from any thread.
    """

    def __init__(self, bin_folder: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
        """bin_folder comes first in the instances' PATH; the folder of the running Python by default.

        environment is added to that of every instance, and nothing takes its place.
        """
        self._environment = dict(environment or {})
        self._path = os.pathsep.join([str(bin_folder or Path(sys.executable).parent), *SYSTEM_PATH])
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="leash")

    def start(self, launch: Launch[UnpackedImage]) -> "ProcessInstance":
        """Starts one and returns at once. Raises InstanceError for files that are missing or cannot be written."""
        cwd = working_folder(launch)
        try:
            for name in ("home", "tmp"):
                (launch.folder / name).mkdir(parents=True, exist_ok=True)
            launch.log.parent.mkdir(parents=True, exist_ok=True)
            environment = {**instance_environment(launch, self._path), **self._environment}
            inherited = (launch.data.lock,) if launch.data else ()
            command, log = launch.image.config.command, launch.log
            starting = self._starter.submit(_spawn, command, cwd, environment, log, inherited)
            return ProcessInstance(starting.result(START_SECONDS))
        except OSError as error:
            raise InstanceError(f"instance {launch.instance_id} could not be started: {error}") from error

    def close(self) -> None:
        """Ends the starting thread; instances that still run get SIGTERM by their leash."""
        self._starter.shutdown(wait=True)


class ProcessInstance:
    """An instance's first process and the group of all that it started. Thread-safe."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._stopping = threading.Lock()

    @property
    def container(self) -> str:
        """None: it is a process."""
        return ""

    @property
    def pid(self) -> int:
        """The first process, which also names the group."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether the first process still runs."""
        if self._process.returncode is not None:
            return False
        with suppress(ChildProcessError):  # stopped and waited for by another thread just now
            # WNOWAIT: until someone waits for it, its number stays its own, and its group can be killed by that.
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        return False

    def stop(self, grace: timedelta) -> int:
        """SIGTERM to the first process, SIGKILL to the group once it ended or grace is over; the exit status."""
        with self._stopping:
            if self._process.returncode is not None:
                return self._process.returncode
            if self.is_alive():
                os.kill(self.pid, signal.SIGTERM)
                self._wait(grace)
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            return self._process.wait(START_SECONDS)

    def _wait(self, grace: timedelta) -> None:
        """Returns when the first process has ended, still to be waited for, or when grace is over."""
        handle = os.pidfd_open(self.pid)
        try:
            ended = select.poll()
            ended.register(handle, select.POLLIN)
            ended.poll(grace.total_seconds() * 1000)
        finally:
            os.close(handle)


def working_folder(launch: Launch[UnpackedImage]) -> Path:
    """Where the image wants to be run, inside its unpacked files. Raises InstanceError when that is nowhere."""
    rootfs = launch.image.rootfs.resolve()
    folder = (rootfs / launch.image.config.working_directory.lstrip("/")).resolve()
    if not folder.is_relative_to(rootfs) or not folder.is_dir():
        raise InstanceError(
            f"instance {launch.instance_id}: the image has no folder {launch.image.config.working_directory} to run in"
        )
    return folder


def instance_environment(launch: Launch[UnpackedImage], path: str) -> Mapping[str, str]:
    """All that an instance knows: nothing of the daemon's own environment, least of all its credentials."""
    return {
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # its files are shared by all instances of the image
        **launch.image.config.environment,
        **launch.spec.environment,
        **launch.secrets,
        # Who it is is not for the user data to say, so these come last.
        "PATH": path,
        "HOME": str(launch.folder / "home"),
        "TMPDIR": str(launch.folder / "tmp"),
        "TEAL_VERSION": launch.image.config.version,
        "TEAL_DIGEST": launch.image.digest,
        "TEAL_COLOUR": launch.spec.colour,
        "TEAL_INSTANCE": launch.instance_id,
        "TEAL_ZONE": launch.zone,
        "TEAL_BIND": f"{launch.address}:{launch.spec.port}",
        **({"TEAL_DATA": str(launch.data.path)} if launch.data else {}),
    }


def _spawn(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str], log: Path, inherited: Sequence[int]
) -> subprocess.Popen[bytes]:
    leashed = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *command]
    with log.open("ab") as output:
        return subprocess.Popen(
            leashed,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=inherited,
        )
