"""Keeps a lock while something takes longer than its term."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from release.errors import LockLost
from release.ports import Lock

API_IS_AWAY = (BotoCoreError, ClientError, ResponseParserError, OSError)
"""The next beat or write finds out whether for good; anything else is a bug, which shows."""


@contextmanager
def kept(lock: Lock, every_seconds: float) -> Iterator[None]:
    """Renews a lock in the background, so that it outlives whatever takes longer than its term.

    Whoever has lost it hears so at its next write: a renewal in the background only stops.
    """
    done = threading.Event()

    def beat() -> None:
        while not done.wait(every_seconds):
            try:
                lock.renew()
            except LockLost:
                return
            except API_IS_AWAY:
                continue

    thread = threading.Thread(target=beat, name="lock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(every_seconds)
