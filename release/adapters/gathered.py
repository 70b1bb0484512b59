"""The latest answer to a question that takes its time, asked in the background while somebody wants to know."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from release.errors import ReleaseError

Subject = TypeVar("Subject")
Answer = TypeVar("Answer")
STALE_ROUNDS = 3
"""An answer is too old once so many others should have come since."""
IDLE_SECONDS = 5.0
"""Without anybody looking for so long, nothing is asked."""
STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Unanswered:
    """There is no answer, or none that still holds; why, in one line."""

    why: str


class Gathered(Generic[Subject, Answer]):
    """Asks every so many seconds, from the first look on; whatever ReleaseError the question raises is no answer."""

    def __init__(
        self,
        ask: Callable[[Subject], Answer],
        every_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self._every_seconds, self._clock = ask, every_seconds, clock
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._wanted: Subject | None = None
        self._looked_at = 0.0
        self._latest: tuple[float, Answer | Unanswered] | None = None
        self._thread: threading.Thread | None = None

    def latest(self, subject: Subject) -> Answer | Unanswered:
        """What is known by now; at once. The subject goes with the next question."""
        now = self._clock()
        with self._lock:
            self._wanted, self._looked_at = subject, now
            latest = self._latest
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="gathered", daemon=True)
                self._thread.start()
        if latest is None:
            return Unanswered("no answer yet")
        age = now - latest[0]
        if age > STALE_ROUNDS * self._every_seconds + IDLE_SECONDS:
            return Unanswered(f"no answer for {age:.0f} s")
        return latest[1]

    def close(self) -> None:
        """Asks no more. A question under way is not waited for longer than a second: its own time-out ends it."""
        self._stopping.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                is_watched = self._clock() - self._looked_at <= max(IDLE_SECONDS, self._every_seconds)
                wanted = self._wanted if is_watched else None
            if wanted is not None:
                answer = self._answer(wanted)
                with self._lock:
                    self._latest = (self._clock(), answer)
            self._stopping.wait(self._every_seconds)

    def _answer(self, wanted: Subject) -> Answer | Unanswered:
        try:
            return self._ask(wanted)
        except ReleaseError as error:
            return Unanswered(str(error))
