"""How long requests will fail while a data volume moves. Pure: what releases before have taken is the best guess."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from release.history import Entry
from release.machine import Event

_ENDS = frozenset({Event.IDLE_VERIFIED, Event.FAILED, Event.TAKEN_BACK})
PAUSED = "PAUSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A gap without service, as long as one before or, where there was none, as a guess has it."""

    seconds: float
    measured_by: str
    """Id of the release that took so long; empty for a guess."""


def expected(history: Iterable[Entry], guess: timedelta) -> Outage:
    """The gap to expect: that of the last release that got through its own, unpaused."""
    found, begun = Outage(seconds=guess.total_seconds(), measured_by=""), None
    for entry in history:
        if entry.event == Event.GAP_BEGUN:
            begun = entry
        elif begun and entry.event == Event.IDLE_VERIFIED and entry.release_id == begun.release_id:
            found = Outage(seconds=(entry.at - begun.at).total_seconds(), measured_by=entry.release_id)
        if entry.event in _ENDS or entry.event == PAUSED:
            begun = None
    return found
