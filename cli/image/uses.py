"""Who needs an image: the colours of all stacks and their releases in flight, by their ledgers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from cli.release.place import Place
from localcloud.environment import stack_names
from release.errors import LedgerMissing
from release.ledger import Colour, State


@dataclass(frozen=True, slots=True)
class Use:
    """One need of an image."""

    digest: str
    stack: str
    what: str
    """Such as blue (live), or target of r-1a2b3c4d."""
    runs: bool
    """Whether servers run it now; else somebody may go back to it."""

    def __str__(self) -> str:
        return f"{self.stack} {self.what}"


def uses(place: Place) -> list[Use]:
    """Every use by every stack of the project whose ledger is where the place is: in the cloud, or in the account."""
    return [use for name in stack_names(place.root) for use in _of_stack(place, name)]


def uses_of(stack: str, state: State) -> Iterator[Use]:
    """What one ledger needs."""
    for colour in Colour:
        side = state.side(colour)
        if side.digest:
            role = "live" if colour is state.live else "idle"
            shown = role if side.capacity else f"{role}, no servers: the way back"
            yield Use(side.digest, stack, f"{colour} ({shown})", runs=side.capacity > 0)
    flight = state.release
    if flight:
        yield Use(flight.plan.digest, stack, f"target of {flight.release_id}", runs=False)
        if flight.previous.digest:
            yield Use(flight.previous.digest, stack, f"way back of {flight.release_id}", runs=False)


def _of_stack(place: Place, name: str) -> Iterator[Use]:
    there = place if name == place.name else replace(place, name=name, _clients={})
    try:
        state = there.ledger.read()
    except LedgerMissing:
        return
    yield from uses_of(name, state)
