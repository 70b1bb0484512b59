"""What somebody without the lock may write: that a release is to hold, or to go on. A running engine reads it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from release.errors import LedgerConflict
from release.history import entry_for
from release.ledger import State
from release.ports import Ledger

TRIES = 10


def flag(ledger: Ledger, change: Callable[[State], State], word: str, why: str, *, by: str, at: datetime) -> State:
    """Changes the release in flight, with a word for the history; returns the state as written.

    Raises what change raises, and LedgerConflict where others write all the time.
    """
    for attempt in range(1, TRIES + 1):
        state = ledger.read()
        following = replace(change(state), version=state.version + 1)
        release = following.release
        phase, release_id = (release.phase, release.release_id) if release else ("", "")
        try:
            ledger.record(following, entry_for(following, word, phase, why, at=at, by=by, release_id=release_id), None)
        except LedgerConflict:
            if attempt == TRIES:
                raise
        else:
            return following
    raise AssertionError("not reached")
