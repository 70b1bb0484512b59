"""Starts, finds and stops the daemon of an embedded cloud."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from filelock import FileLock, Timeout

from localcloud.errors import CloudStartFailed, LocalCloudError
from localcloud.home import MARK, CloudRecord, DriverName, Home

START_SECONDS = 60.0
ANSWER_SECONDS = 15.0
STOP_SECONDS = 30.0
ORPHAN_SECONDS, KILL_SECONDS = 5.0, 5.0
ROOM_BYTES = 64 * 1024
STATUS_PATH = "/_teal/status"
DAEMON = (sys.executable, "-m", "localcloud.daemon")
"""Command of the process that is the cloud; takes the home, the project and the regions."""


@dataclass(frozen=True)
class Started:
    """A running cloud, and how it came about."""

    record: CloudRecord
    was_running: bool
    was_gone: bool
    """Whether an earlier cloud had ended without being taken down; its stacks are lost with it, its data is not."""


def start(
    home: Home,
    project: Path,
    regions: Sequence[str],
    waiting: Callable[[str], None] = lambda _: None,
    driver: DriverName | None = None,
    *,
    ends_with: int | None = None,
) -> Started:
    """The cloud that runs here, or a new one for a project's regions. Raises CloudStartFailed.

    `waiting` is told what for. Without a driver any cloud will do, and a new one gets processes; LocalCloudError where
    the one that runs has another. A new one ends by itself when the process of the pid `ends_with` has ended.
    """
    with _alone(home, waiting):
        record = home.record()
        if record is not None and _is_up(record, waiting):
            _require_driver(record, driver)
            return Started(record, was_running=True, was_gone=False)
        if record is not None:
            _clear(home, record, keeps_data=home.has_data)
        options = [f"--driver={driver or DriverName.PROCESS}", *([f"--ends-with={ends_with}"] if ends_with else [])]
        launched = _launch(home, project, regions, waiting, options)
        return Started(launched, was_running=False, was_gone=record is not None)


def stop(home: Home) -> bool:
    """Ends the cloud and forgets its stacks and data volumes, also those that a killed one left.

    False if there was none. Raises LocalCloudError past its deadline.
    """
    record = home.record()
    if record is None:
        _forget_data(home)
        return False
    was_alive = record.is_alive
    if was_alive:
        _end([psutil.Process(record.pid)], STOP_SECONDS)
    _clear(home, record)
    return was_alive


def _forget_data(home: Home) -> None:
    """Removes what a killed cloud left, where none has taken its place; one that starts just now keeps it."""
    if home.has_data:
        with _alone(home, lambda _: None):
            if home.record() is None:
                home.forget()


def _clear(home: Home, record: CloudRecord, *, keeps_data: bool = False) -> None:
    """Ends what a cloud may have left, and forgets it. Raises LocalCloudError for containers that may stay."""
    _end_processes(record.mark)
    if not keeps_data:
        home.forget()
        _clear_containers(record)
        return
    try:
        _clear_containers(record)  # first: one that stays would go on writing to a volume that is another's next
    except LocalCloudError as error:
        raise LocalCloudError(
            f"{error}; until then its data volumes wait (`teal local down` removes them, and ends this)"
        ) from error
    home.forget(keeps_data=True)


def _clear_containers(record: CloudRecord) -> None:
    if record.driver is DriverName.DOCKER:
        from localcloud.docker.engine import clear  # here, since its client library takes its time

        clear(record.mark, record.registry, record.docker_host)


def _require_driver(record: CloudRecord, driver: DriverName | None) -> None:
    if driver not in (None, record.driver):
        raise LocalCloudError(
            f"the embedded cloud runs its instances with the {record.driver} driver, and keeps it as long as it runs: "
            f"end it with `teal local down` (its stacks go with it), then `teal local up --driver {driver}`"
        )


def _is_up(record: CloudRecord, waiting: Callable[[str], None]) -> bool:
    """Whether the recorded cloud runs; one that has just been killed may look alive for a moment.

    Raises LocalCloudError for one that lives but does not answer: to end it would lose its stacks, so that is for its
    owner to say.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    while record.is_alive:
        if _answers(record):
            return True
        if time.monotonic() > deadline:
            raise LocalCloudError(
                f"the embedded cloud (process {record.pid}) has not answered for {ANSWER_SECONDS:.0f} s: "
                "end it with `teal local down`"
            )
        waiting("the embedded cloud to answer")
        time.sleep(0.05)
    return False


@contextmanager
def _alone(home: Home, waiting: Callable[[str], None]) -> Iterator[None]:
    lock = FileLock(home.lock_file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting("another `teal local` command")
        try:
            lock.acquire(timeout=START_SECONDS)
        except Timeout:
            raise LocalCloudError(f"another teal command has held {home.lock_file} for {START_SECONDS:.0f} s") from None
    try:
        yield
    finally:
        lock.release()


def _launch(
    home: Home, project: Path, regions: Sequence[str], waiting: Callable[[str], None], options: Sequence[str]
) -> CloudRecord:
    home.prepare()
    with home.log_file.open("ab") as log:
        daemon = subprocess.Popen(
            [*DAEMON, str(home.root), str(project), *regions, *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C ends the command, not the cloud
            cwd=home.root,
        )
    waiting("the embedded cloud to answer")
    with ExitStack() as undo:
        undo.callback(daemon.kill)  # at Ctrl-C, too: else the next start would make a second one beside it
        record = _answering(home, daemon)
        undo.pop_all()
    return record


def _answering(home: Home, daemon: "subprocess.Popen[bytes]") -> CloudRecord:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if daemon.poll() is not None:
            raise CloudStartFailed(
                f"the embedded cloud ended while it started: {_last_words(home)} (see {home.log_file})"
            )
        record = home.record()
        if record is not None and record.pid == daemon.pid and _answers(record):
            return record
        time.sleep(0.05)
    raise CloudStartFailed(f"the embedded cloud did not answer within {START_SECONDS:.0f} s (see {home.log_file})")


def _answers(record: CloudRecord) -> bool:
    try:
        return httpx.get(record.api_url + STATUS_PATH, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _end_processes(mark: str) -> None:
    """Ends what a killed cloud may have left: exactly the processes that carry its mark."""
    left = [process for process in psutil.process_iter() if process.pid != os.getpid() and _mark_of(process) == mark]
    _end(left, ORPHAN_SECONDS)


def _end(processes: Sequence[psutil.Process], grace_seconds: float) -> None:
    """SIGTERM, and after so many seconds SIGKILL. What has ended but was not waited for by its parent is ended."""
    for number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, KILL_SECONDS)):
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        deadline = time.monotonic() + seconds
        while (processes := [process for process in processes if _runs(process)]) and time.monotonic() < deadline:
            time.sleep(0.02)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None  # somebody else's process, or one that has just ended


def _last_words(home: Home) -> str:
    if shutil.disk_usage(home.root).free < ROOM_BYTES:
        return "the disk is full"  # so the log may not have taken what it said
    lines = home.log_file.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
