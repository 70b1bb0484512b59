"""Turns the release in flight back, whoever runs it."""

from cli.release.conduct import conduct
from cli.release.place import Place, caller
from release.ledger import InFlight
from release.machine import Phase


def turn_back(place: Place, release: InFlight, reason: str) -> Phase | None:
    """Takes the lock over and brings the colour back that was live before. Raises Refused once that one is cold."""
    lock = place.locks.take_over(caller(), f"take {release.release_id} back ({reason})")
    about = f"Taking {release.release_id} back"
    return conduct(place, lock, release, about, lambda engine: engine.take_back(reason))
