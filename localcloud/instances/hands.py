"""What a person does by hand to an instance that is a process: look at it, run something as it would, end it.

Another process than the one that started the instance does that, so all is by the number of its first process, which
has to be checked: numbers come round again.
"""

import os
import select
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from localcloud.instances.errors import InstanceError

IDENTITY = "TEAL_INSTANCE"
"""Environment variable that says which instance a process is."""
GONE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessUsage:
    """What an instance's processes take."""

    cpu_percent: float
    """Of one processor."""
    memory_bytes: int
    """Its own, and its part of what it shares."""
    pids: int
    """Processes and threads."""


@dataclass(frozen=True, slots=True)
class InstanceProcess:
    """The first process of an instance, by its number. Every method raises InstanceError once it is gone."""

    instance_id: str
    pid: int

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment that it was started with."""
        return self._environment(self._process())

    @property
    def folder(self) -> Path:
        """The folder that it runs in."""
        with self._known():
            return Path(self._process().cwd())

    @property
    def started(self) -> datetime:
        """When it was started."""
        return datetime.fromtimestamp(self._process().create_time(), UTC)

    def stop(self, grace_seconds: float) -> None:
        """SIGTERM to the first process, and SIGKILL to its group once that has ended or the grace is over."""
        self._end(signal.SIGTERM, grace_seconds)

    def kill(self) -> None:
        """SIGKILL to it and all that it started."""
        self._end(signal.SIGKILL, 0.0)

    def family(self) -> list[psutil.Process]:
        """It and its descendants."""
        with self._known():
            first = self._process()
            return [first, *first.children(recursive=True)]

    def _end(self, number: signal.Signals, grace_seconds: float) -> None:
        handle = self._handle()
        try:
            signal.pidfd_send_signal(handle, number)
            if number is not signal.SIGKILL and _has_ended(handle, grace_seconds):
                return  # the daemon, whose child it is, ends what is left of its group
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            if not _has_ended(handle, GONE_SECONDS):
                raise InstanceError(f"{self.instance_id} (process {self.pid}) has not ended by SIGKILL")
        finally:
            os.close(handle)

    def _handle(self) -> int:
        """A file descriptor for just this process, checked after it was got: so it cannot be another one's."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError as error:
            raise self._gone() from error
        try:
            self._process()
        except InstanceError:
            os.close(handle)
            raise
        return handle

    def _process(self) -> psutil.Process:
        with self._known():
            process = psutil.Process(self.pid)
            if self._environment(process).get(IDENTITY) == self.instance_id:
                return process
        raise self._gone()

    def _environment(self, process: psutil.Process) -> dict[str, str]:
        with self._known():
            return process.environ()

    @contextmanager
    def _known(self) -> Iterator[None]:
        try:
            yield
        except psutil.Error as error:
            raise self._gone() from error

    def _gone(self) -> InstanceError:
        return InstanceError(f"{self.instance_id} is gone: it ended just now")


def usage(instances: Sequence[InstanceProcess], seconds: float) -> dict[str, ProcessUsage]:
    """What instances take, by id, over so many seconds; those that are gone are left out."""
    before = {each.instance_id: _cpu_seconds(each) for each in instances}
    began = time.monotonic()
    time.sleep(seconds)
    found: dict[str, ProcessUsage] = {}
    for each in instances:
        first, second = before[each.instance_id], _cpu_seconds(each)
        took = time.monotonic() - began
        if first is None or second is None:
            continue
        memory, pids = _size(each)
        percent = max(0.0, 100 * (second - first) / took)
        found[each.instance_id] = ProcessUsage(cpu_percent=round(percent, 1), memory_bytes=memory, pids=pids)
    return found


def _cpu_seconds(instance: InstanceProcess) -> float | None:
    total = 0.0
    try:
        for process in instance.family():
            with suppress(psutil.Error):  # ended since
                times = process.cpu_times()
                total += times.user + times.system
    except InstanceError:
        return None
    return total


def _size(instance: InstanceProcess) -> tuple[int, int]:
    memory = pids = 0
    with suppress(InstanceError):
        for process in instance.family():
            with suppress(psutil.Error):
                memory += process.memory_full_info().pss
                pids += process.num_threads()
    return memory, pids


def _has_ended(handle: int, seconds: float) -> bool:
    ended = select.poll()
    ended.register(handle, select.POLLIN)
    return bool(ended.poll(seconds * 1000))
