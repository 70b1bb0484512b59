"""Ctrl-C while the engine runs: it ends in order, so that the stack's state is whole and its lock is free."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil

from cli.failures import Interrupted
from localcloud.errors import LocalCloudError

ENGINE = "pulumi"
GRACE_SECONDS = 30.0
"""What is being made when Ctrl-C is pressed has so long to get done; then the engine is killed."""


@contextmanager
def ending_engine(advice: str, remark: Callable[[str], None]) -> Iterator[None]:
    """Lets the engine end when Ctrl-C is pressed. Raises Interrupted with what to do next. Main thread only.

    A KeyboardInterrupt would not do: on its way out the SDK waits for an engine that may not know of it.
    """
    pressed = threading.Event()
    deadline = threading.Timer(GRACE_SECONDS, tell_engine, [signal.SIGKILL])

    def on_interrupt(number: int, frame: object) -> None:
        if not _engines():
            raise KeyboardInterrupt
        if not _is_in_foreground():
            tell_engine(signal.SIGINT)
        if not pressed.is_set():
            pressed.set()
            deadline.start()
            remark("Letting the engine end what it is at. Press Ctrl-C again to end it at once.")

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    except LocalCloudError:
        if not pressed.is_set():
            raise
    except KeyboardInterrupt:
        pressed.set()
    finally:
        signal.signal(signal.SIGINT, before)
        deadline.cancel()
    if pressed.is_set():
        raise Interrupted(f"interrupted: {advice}")


def _is_in_foreground() -> bool:
    """Whether this command has a terminal's foreground: then the terminal has told the engine, too.

    To be told once, it ends in order; to be told twice, at once, which leaves its lock behind.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)


def _engines() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if _name(child) == ENGINE]


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def tell_engine(number: signal.Signals) -> None:
    """Sends a signal to the engine that this process runs, if it runs one."""
    for engine in _engines():
        try:
            engine.send_signal(number)
        except psutil.NoSuchProcess:
            continue
