"""Turns the release in flight back, whoever runs it."""

from cli.release.conduct import conduct
from cli.release.place import Place, caller
from release.adapters.dynamodb_lock import HeldLock, LockTable
from release.errors import LedgerConflict
from release.ledger import InFlight
from release.machine import Phase

TRIES = 10
"""Whoever runs the release writes a few times a second at most: to meet such a write ten times over is no accident."""


def turn_back(place: Place, release: InFlight, reason: str) -> Phase | None:
    """Takes the lock over and brings the colour back that was live before. Raises Refused once that one is cold."""
    lock = taken_over(place.locks, caller(), f"take {release.release_id} back ({reason})")
    about = f"Taking {release.release_id} back"
    return conduct(place, lock, release.routes, about, lambda engine: engine.take_back(reason))


def taken_over(locks: LockTable, who: str, purpose: str) -> HeldLock:
    """The lock, whoever has it; asks again when its holder wrote in that very moment. Raises LedgerConflict."""
    for _ in range(TRIES - 1):
        try:
            return locks.take_over(who, purpose)
        except LedgerConflict:
            continue
    return locks.take_over(who, purpose)
