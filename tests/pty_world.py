"""Somebody at a terminal: starts a command there, types, reads, turns the window."""

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from containers import launcher

SECONDS = 30.0


class Terminal:
    """A terminal with one command in it."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master, self.process, self.seen = master, process, ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def turn(self, rows: int, columns: int) -> None:
        """Gives the window another size."""
        set_size(self._master, rows, columns)

    def read_until(self, wanted: str) -> str:
        """What came up to and with a text, since the last one that was waited for."""
        deadline = time.monotonic() + SECONDS
        while wanted not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted!r} did not come: {self.seen!r}"
            if select.select([self._master], [], [], left)[0]:
                self.seen += self._read()
        before, found, self.seen = self.seen.partition(wanted)
        return before + found

    def ended(self) -> int:
        """Reads to the end; the exit code."""
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            if select.select([self._master], [], [], 0.05)[0]:
                self.seen += self._read()
        return self.process.wait(1)

    def _read(self) -> str:
        try:
            return os.read(self._master, 65536).decode(errors="replace")
        except OSError:  # the other end is closed
            return ""


@contextmanager
def terminal(
    command: Sequence[str | Path], environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Terminal]:
    """A command in a terminal of 40 lines and 100 columns, which ends with the block."""
    master, slave = os.openpty()
    set_size(master, 40, 100)
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", launcher.__file__, str(os.getpid()), *command],
        cwd=cwd,
        env=environment,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def set_size(descriptor: int, rows: int, columns: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def follows_window_and_keys(session: Terminal) -> None:
    """Fails unless the shell in a session knows its window's size, from the beginning and later, and gets Ctrl-C."""
    session.type("stty size\n")
    session.read_until("40 100")
    session.turn(50, 120)
    session.type("stty size\n")
    session.read_until("50 120")
    session.type("sleep 300\n")
    time.sleep(0.5)
    session.type("\x03")
    session.type("echo got $?\n")
    session.read_until("got 130")
