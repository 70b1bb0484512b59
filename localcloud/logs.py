"""Logs that stay bounded while others write to them, and a way to write that outlives a full disk.

An instance has its log as its standard output, and can't be told to open another file. So a log that has grown too
large is copied to NAME.1 and then emptied; whoever has it open to append goes on at its beginning. NAME.1 was NAME.2's
place before, and so on. containers/rotated.py reads them in that order, also while they move.
"""

import io
import json
import os
import shutil
import threading
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import structlog

from localcloud.home import Home

LOG = structlog.get_logger(__name__)

MOST_BYTES = 10 * 1024 * 1024
"""Of a log; beyond that it is emptied at the next look."""
OLDER = 2
"""Earlier parts of a log that are kept, each a little over MOST_BYTES."""
MOST_ENDED = 30
"""Instances that are over and whose logs are kept: the latest."""
DRAFT = ".new"


class SteadyFile:
    """Appends to an open file and never fails: what the disk does not take is left out, and told of once it does.

    Thread-safe. `alone` keeps others from writing through it for a moment.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._lost, self._problem = 0, ""
        self.alone = threading.RLock()

    def write(self, content: bytes) -> None:
        """Appends all of it or leaves out what did not fit."""
        with self.alone:
            left = self._told() + content
            try:
                while left:
                    left = left[os.write(self.descriptor, left) :]
            except OSError as problem:
                self._lost, self._problem = self._lost + 1, problem.strerror or str(problem)
            else:
                self._lost = 0

    def _told(self) -> bytes:
        """A line that says how often something was left out; on one of its own, whatever was half written before."""
        if not self._lost:
            return b""
        told = {"event": "not all of this log could be written", "times": self._lost, "problem": self._problem}
        return f"\n{json.dumps(told)}\n".encode()


class SteadyText(io.TextIOBase):
    """The same for text, in the place of sys.stdout."""

    def __init__(self, file: SteadyFile) -> None:
        super().__init__()
        self._file = file

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """For whoever gives it to a process: what that writes may fail."""
        return self._file.descriptor

    def write(self, text: str) -> int:
        """Appends the text."""
        self._file.write(text.encode(errors="replace"))
        return len(text)


def numbered(log: Path, number: int) -> Path:
    """An earlier part of a log: 1 is the latest."""
    return log.with_name(f"{log.name}.{number}")


def bound(
    log: Path,
    most_bytes: int = MOST_BYTES,
    older: int = OLDER,
    alone: AbstractContextManager[object] = nullcontext(),  # noqa: B008  # it has no state
) -> bool:
    """Empties a log that is larger than most_bytes; True if it was. Its content is the first of its earlier parts then.

    `alone` is held from the last read until it is empty. Whoever else writes in that instant may lose a line. Raises
    OSError, and then the log is as it was.
    """
    if log.stat().st_size <= most_bytes:
        return False
    draft = log.with_name(log.name + DRAFT)
    numbered(log, older).unlink(missing_ok=True)  # first: a full disk may have no other room for the copy
    try:
        with log.open("r+b") as file, draft.open("wb") as copy:
            shutil.copyfileobj(file, copy)
            copy.flush()  # before anything moves
            for number in range(older - 1, 0, -1):
                if numbered(log, number).exists():
                    numbered(log, number).replace(numbered(log, number + 1))
            with alone:
                shutil.copyfileobj(file, copy)
                copy.flush()
                draft.replace(numbered(log, 1))
                file.truncate(0)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return True


class Logs:
    """All logs of a cloud's home."""

    def __init__(self, home: Home, own: SteadyFile) -> None:
        """`own` is what the cloud's own log is written through."""
        self._home, self._own = home, own
        self._troubled: set[Path] = set()

    def keep_small(self, living: Collection[str]) -> None:
        """Empties what has grown too large, and removes the logs of instances that ended long ago. Never fails.

        `living` are the ids of those that have not ended.
        """
        self._bound(self._home.log_file, self._own.alone)
        for log in self._others():
            self._bound(log)
        for folder in self._ended(living)[MOST_ENDED:]:
            shutil.rmtree(folder, ignore_errors=True)

    def _others(self) -> Iterator[Path]:
        yield self._home.envoy / "envoy.log"
        yield from self._home.instances.glob("*/instance.log")

    def _bound(self, log: Path, alone: AbstractContextManager[object] = nullcontext()) -> None:  # noqa: B008
        try:
            with suppress(FileNotFoundError):  # not there yet, or gone just now
                bound(log, MOST_BYTES, OLDER, alone)
        except OSError as problem:
            if log not in self._troubled:
                self._troubled.add(log)
                LOG.warning("a log grows beyond its bound", log=log.name, problem=problem.strerror or str(problem))
            return
        self._troubled.discard(log)

    def _ended(self, living: Collection[str]) -> list[Path]:
        """Folders of instances that are over, the latest first."""
        found = [folder for folder in self._home.instances.glob("*") if folder.name not in living]
        return sorted(found, key=_written, reverse=True) if len(found) > MOST_ENDED else []


def _written(folder: Path) -> float:
    """When an instance wrote last; of one without a log, when its folder was made."""
    for place in (folder / "instance.log", folder):
        try:
            return place.stat().st_mtime
        except FileNotFoundError:
            continue
    return 0.0
