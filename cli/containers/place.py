"""Whose hands a command on containers has: those for the embedded cloud, or for AWS."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cli.access import access
from cli.failures import Failure, foreseen
from cli.release.place import Place, caller, place_of
from containers.errors import OutOfReach
from containers.model import Instance
from containers.ports import Hands
from release.hands import Act, Mark
from release.ledger import Colour

PROJECT = "teal"
"""Value of the tag Project on everything that the program makes."""


def hands_of(place: Place) -> Hands:
    """The hands for a place. Raises OutOfReach for a swarm on AWS."""
    if access().is_on_aws:
        if place.settings.orchestrator == "swarm":
            raise OutOfReach(f"{place.name} is a swarm, whose tasks are asked for at a manager: docs/swarm.md says how")
        from containers.roster import Roster
        from containers.ssm import SsmHands

        return SsmHands(Roster(place.client, PROJECT, place.name), place.client("ssm"))
    from cli.containers.embedded import EmbeddedHands
    from cli.release.place_embedded import EmbeddedPlace

    assert isinstance(place, EmbeddedPlace)  # noqa: S101  # place_of makes no other
    return EmbeddedHands(place.record, place.region, place.name, place.home)


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
