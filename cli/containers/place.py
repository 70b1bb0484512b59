"""Whose hands a command on containers has: those for the embedded cloud, or for AWS."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cli.access import access
from cli.failures import Failure, foreseen
from cli.release.place import Place, caller, place_of
from containers.errors import Unanswered
from containers.model import Instance
from containers.ports import Hands
from release.hands import Act, Mark
from release.ledger import Colour

PROJECT = "teal"
"""Value of the tag Project on everything that the program makes."""


def hands_of(place: Place) -> Hands:
    """The hands for a place."""
    if access().is_on_aws:
        return _by_ssm(place)
    from cli.containers.embedded import EmbeddedHands
    from cli.release.place_embedded import EmbeddedPlace

    assert isinstance(place, EmbeddedPlace)  # noqa: S101  # place_of makes no other
    return EmbeddedHands(place.record, place.region, place.name, place.home)


def _by_ssm(place: Place) -> Hands:
    from containers.roster import Roster, WorkerRoster

    if place.settings.orchestrator == "swarm":
        from containers.swarm_hands import SwarmHands

        return SwarmHands(WorkerRoster(place.client, PROJECT, place.name), place.client("ssm"), place.name)
    from containers.ssm import SsmHands

    return SsmHands(Roster(place.client, PROJECT, place.name), place.client("ssm"))


class Listing:
    """An environment's instances, and a line for each server that does not say which it has: the same line once."""

    def __init__(self, place: Place, hands: Hands) -> None:
        self._place, self._hands = place, hands
        self._told: set[str] = set()
        self._is_known = False

    def read(self) -> Sequence[Instance]:
        """The instances by now. Raises Unanswered where no server has ever said anything."""
        found = self._hands.instances()
        self.tell()
        self._is_known = self._is_known or bool(found)
        if self._hands.silent and not self._is_known:
            raise Unanswered(f"no server of {self._place.name} has said what it runs")
        return found

    def tell(self) -> None:
        """Prints what is new of servers that do not answer."""
        lines = {f"{server} does not say what it runs: {why}" for server, why in self._hands.silent.items()}
        for line in sorted(lines - self._told):
            self._place.steps.remark(line)
        self._told = lines


def mark(place: Place, act: Act, instance: Instance, command: Sequence[str] = ()) -> None:
    """Puts into the ledger that somebody lays hands on an instance: before he does, so that none is left out."""
    made = Mark.of(act, instance.id, Colour(instance.colour), command, by=caller(), at=datetime.now(UTC))
    place.marks.write(made)


def instances_for_completion(environment: str) -> Sequence[Instance]:
    """The environment's instances; none where it can't be asked."""
    try:
        with foreseen(), place_of(environment) as place:
            return hands_of(place).instances()
    except Failure:
        return ()
