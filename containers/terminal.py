"""Runs a program for whoever sits at this command: terminal, window size, signals and exit code are passed on.

The program and all that it starts end with the command; where an instance is named, with that, too.
"""

import ctypes
import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Container, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType

import psutil

from containers import launcher
from containers.errors import InstanceEnded
from containers.model import Invocation

PR_SET_CHILD_SUBREAPER = 36
CHUNK_BYTES = 65536
END_OF_INPUT = b"\x04\x04"
"""What a terminal takes for the end of what is typed: once for a line that was not ended, once for the whole."""
HANG_UP_SECONDS = 2.0
DRAIN_SECONDS = 0.2
MARK_BYTES = 200
"""How much of the output is looked through for an exit code that stands in it."""
BY_SIGNAL = 128
PASSED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


@dataclass
class _Run:
    """One program under way."""

    process: "subprocess.Popen[bytes]"
    ended: int
    """Readable once the program has ended."""
    master: int | None
    """Our end of its terminal; None where it has none."""
    instance: int | None
    """Readable once the instance has ended."""
    wake: int
    """Readable after a signal."""
    mark: bytes = b""
    told_code: int | None = None
    _tail: bytes = field(default=b"")

    def look_for_code(self, output: bytes) -> None:
        """Notes the exit code that a program tells in its output, since it does not end with it."""
        if not self.mark:
            return
        self._tail = (self._tail + output)[-MARK_BYTES - len(output) :]
        _, found, rest = self._tail.rpartition(self.mark)
        code, bell, _ = rest.partition(b"\a")
        if found and bell and code.isdigit():
            self.told_code = int(code)
        self._tail = self._tail[-MARK_BYTES:]


def attach(invocation: Invocation) -> int:
    """Runs the program to its end; its exit code, 128 and the signal's number where one ended it.

    Raises InstanceEnded where the instance ends first, or is gone already.
    """
    others = {each.pid for each in psutil.Process().children()}
    with ExitStack() as parts:
        run = _start(invocation, parts)
        try:
            _relay(run)
        finally:
            _end_all(run.process, others)
    if run.told_code is not None:
        return run.told_code
    code = run.process.returncode
    return BY_SIGNAL - code if code < 0 else code


def _start(invocation: Invocation, parts: ExitStack) -> _Run:
    instance = _instance_handle(invocation, parts)
    wake = parts.enter_context(_signals())
    master = slave = None
    if invocation.has_terminal:
        master, slave = os.openpty()
        parts.callback(os.close, master)
        parts.enter_context(_raw_terminal(master))
    # From now on whoever in the program's family loses its parent becomes our child: so all can be found at the end.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    typed = subprocess.DEVNULL if sys.stdin.isatty() else None  # another session's terminal can't be read
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", launcher.__file__, str(os.getpid()), *invocation.command],
        cwd=invocation.folder,
        env=invocation.environment,
        stdin=typed if slave is None else slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    if slave is not None:
        os.close(slave)
    ended = os.pidfd_open(process.pid)
    parts.callback(os.close, ended)
    return _Run(process, ended, master, instance, wake, invocation.exit_mark)


def _instance_handle(invocation: Invocation, parts: ExitStack) -> int | None:
    if invocation.instance_pid is None:
        return None
    try:
        handle = os.pidfd_open(invocation.instance_pid)
    except ProcessLookupError as error:
        raise InstanceEnded("the instance is gone: it ended just now") from error
    parts.callback(os.close, handle)
    return handle


def _relay(run: _Run) -> None:
    """Passes on what is typed, printed and signalled, until the program has ended."""
    watched = {run.ended, run.wake} | {each for each in (run.master, run.instance) if each is not None}
    if run.master is not None:
        watched.add(0)
    while True:
        ready, _, _ = select.select(watched, [], [])
        if run.wake in ready:
            _pass_signals(run)
        if run.master in ready and not _pass_output(run):
            watched.discard(run.master)
        if 0 in ready and not _pass_input(run):
            watched.discard(0)
        if run.instance in ready:
            raise InstanceEnded("the instance ended, and with it what ran inside")
        if run.ended in ready:
            _drain(run)
            run.process.wait()
            return


def _pass_output(run: _Run) -> bool:
    """False once there is no more."""
    assert run.master is not None  # noqa: S101  # who calls has looked
    try:
        output = os.read(run.master, CHUNK_BYTES)
    except OSError:  # nobody has the other end open any more
        return False
    _write_all(1, output)
    run.look_for_code(output)
    return bool(output)


def _pass_input(run: _Run) -> bool:
    """False once there is no more."""
    assert run.master is not None  # noqa: S101  # who calls has looked
    typed = os.read(0, CHUNK_BYTES)
    with suppress(OSError):
        _write_all(run.master, typed or END_OF_INPUT)
    return bool(typed)


def _pass_signals(run: _Run) -> None:
    for number in os.read(run.wake, CHUNK_BYTES):
        if number == signal.SIGWINCH and run.master is not None:
            _copy_size(run.master)
        elif number in (*PASSED_ON, signal.SIGINT):
            with suppress(ProcessLookupError):
                os.killpg(run.process.pid, number)


def _drain(run: _Run) -> None:
    """What the program has printed last; whoever it left behind may print on, and is not waited for."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while run.master is not None and time.monotonic() < deadline:
        if not select.select([run.master], [], [], 0)[0] or not _pass_output(run):
            return


def _end_all(process: "subprocess.Popen[bytes]", others: Container[int]) -> None:
    """Ends the program and all that it has started, but none of the others of ours.

    SIGHUP first, as when a terminal is closed, then SIGKILL.
    """
    for number in (signal.SIGHUP, signal.SIGCONT, signal.SIGKILL):
        family = [
            each
            for child in psutil.Process().children()
            if child.pid not in others
            for each in (child, *_descendants(child))
        ]
        for each in family:
            with suppress(psutil.NoSuchProcess):
                each.send_signal(number)
        if number is signal.SIGCONT:
            psutil.wait_procs(family, HANG_UP_SECONDS)
    process.wait(HANG_UP_SECONDS)


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


@contextmanager
def _signals() -> Iterator[int]:
    """Signals as bytes to read, instead of what they would do to this command."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def heard(_number: int, _frame: FrameType | None) -> None:
        """The wakeup has told already."""

    handlers = {number: signal.signal(number, heard) for number in (*PASSED_ON, signal.SIGINT, signal.SIGWINCH)}
    try:
        yield reader
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)


@contextmanager
def _raw_terminal(master: int) -> Iterator[None]:
    """Our own terminal, if there is one, passes every key on as it is; afterwards it is as it was."""
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    _copy_size(master)
    tty.setraw(0, termios.TCSADRAIN)  # what was typed ahead is not lost
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def _copy_size(master: int) -> None:
    """Gives the program's terminal the size of ours; the kernel tells the program."""
    with suppress(OSError):  # ours is none
        fcntl.ioctl(master, termios.TIOCSWINSZ, fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8)))


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
