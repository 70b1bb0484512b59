"""Real time, and a pause that somebody may ask for."""

import threading
import time
from datetime import UTC, datetime


class PausableClock:
    """The machine's clock. `ask_for_pause` may be called from a signal handler."""

    def __init__(self) -> None:
        self._pause = threading.Event()

    def now(self) -> datetime:
        """The time of day in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits so long, or until a pause is asked for."""
        self._pause.wait(max(0.0, seconds))

    def ask_for_pause(self) -> None:
        """From now on a pause is wanted."""
        self._pause.set()

    @property
    def is_pause_wanted(self) -> bool:
        """Whether a pause was asked for."""
        return self._pause.is_set()
