import threading
import time
from collections.abc import Callable
from contextlib import closing

from release.adapters.gathered import IDLE_SECONDS, STALE_ROUNDS, Gathered, Unanswered
from release.errors import MetricsUnread

WAIT_SECONDS = 5.0


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def within(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"not within {WAIT_SECONDS} s"
        time.sleep(0.005)


def test_the_first_look_starts_it_and_never_waits() -> None:
    may_answer = threading.Event()

    def ask(subject: str) -> str:
        may_answer.wait(WAIT_SECONDS)
        return subject.upper()

    with closing(Gathered(ask, 10.0)) as gathered:
        assert gathered.latest("r-1") == Unanswered("no answer yet")
        may_answer.set()
        within(lambda: gathered.latest("r-1") == "R-1")


def test_it_asks_at_most_every_so_often_however_often_one_looks() -> None:
    asked: list[str] = []
    gathered: Gathered[str, None] = Gathered(asked.append, 0.2)
    with closing(gathered):
        started = time.monotonic()
        while time.monotonic() - started < 0.5:
            gathered.latest("r-1")
            time.sleep(0.005)
    assert 2 <= len(asked) <= 3


def test_what_goes_wrong_is_told_and_the_next_answer_is_taken() -> None:
    problems = [MetricsUnread("Throttling: rate exceeded")]

    def ask(_: str) -> str:
        if problems:
            raise problems.pop()
        return "fine"

    with closing(Gathered(ask, 0.05)) as gathered:
        within(lambda: gathered.latest("r-1") == Unanswered("Throttling: rate exceeded"))
        within(lambda: gathered.latest("r-1") == "fine")


def test_an_answer_gets_too_old() -> None:
    clock = Clock()
    with closing(Gathered(str, 100.0, clock)) as gathered:
        within(lambda: gathered.latest("fine") == "fine")
        clock.time = 100 * STALE_ROUNDS + IDLE_SECONDS + 1
        assert gathered.latest("fine") == Unanswered("no answer for 306 s")


def test_closing_does_not_wait_for_a_question_that_hangs() -> None:
    hangs = threading.Event()
    gathered: Gathered[str, bool] = Gathered(lambda _: hangs.wait(WAIT_SECONDS), 10.0)
    gathered.latest("r-1")
    started = time.monotonic()
    gathered.close()
    assert time.monotonic() - started < 2.0
    hangs.set()
    gathered.latest("r-1")
    within(lambda: not [thread for thread in threading.enumerate() if thread.name == "gathered"])
