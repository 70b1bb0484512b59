"""Runs of the engine that may fail, and may not take for ever."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cli.local.interrupt import GRACE_SECONDS, ending_engine, tell_engine
from cli.steps import Step, Steps
from localcloud.errors import StackFailed
from release.errors import InfrastructureFailed, LedgerMissing

FAILURES = (StackFailed, InfrastructureFailed, LedgerMissing)
"""What a run raises that went wrong; anything else ends the command."""


def attempt(steps: Steps, what: str, usual_seconds: float, seconds: float, run: Callable[[Step], object]) -> str | None:
    """Runs the engine as one step; why that failed, or None. Raises Interrupted on Ctrl-C, once it has ended."""
    with steps.step(what, usual_seconds) as step, ending_engine("nothing was changed", steps.remark):
        try:
            with _within(seconds, what):
                run(step)
        except FAILURES as error:
            step.detail, step.is_typical = "failed", False
            return str(error)
    return None


@contextmanager
def _within(seconds: float, what: str) -> Iterator[None]:
    """Ends the engine, in order if it follows, after so many seconds. Raises StackFailed then."""
    timers = [
        threading.Timer(seconds, tell_engine, [signal.SIGINT]),
        threading.Timer(seconds + GRACE_SECONDS, tell_engine, [signal.SIGKILL]),
    ]
    for timer in timers:
        timer.daemon = True
        timer.start()
    try:
        yield
    except FAILURES as error:
        if not timers[0].finished.is_set():
            raise
        raise StackFailed(f"{what} was not done within {seconds:g} s, and was ended") from error
    finally:
        for timer in timers:
            timer.cancel()
