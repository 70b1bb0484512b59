"""Keeps a lock while something takes longer than its term."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from release.errors import LockLost
from release.ports import Lock


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
            except Exception:  # noqa: S112  # the API is away: the next beat or write finds out whether for good
                continue

    thread = threading.Thread(target=beat, name="lock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(every_seconds)
