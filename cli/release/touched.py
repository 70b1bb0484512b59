"""Which servers, or tasks of a swarm, somebody has had his hands in."""

from collections.abc import Mapping

from botocore.exceptions import ClientError

from cli.release.place_base import Place
from release.hands import Act, Touched, standing
from release.ledger import Colour, Routes

NOT_ALLOWED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
"""How services of AWS call it, each in its own way."""


def touched(place: Place, routes: Routes) -> tuple[Touched, ...]:
    """Those that stand, each with its last mark.

    The target groups know servers. Which tasks of a swarm stand its workers know, who are asked only where somebody was
    in one; where that is not allowed, a line says so, and nobody is named.
    """
    marks = place.marks.read()
    if place.settings.orchestrator != "swarm":
        return standing(marks, place.health(routes).servers()) if marks else ()
    inside = [mark for mark in marks if mark.act is Act.EXEC]  # what was ended is another task by now
    return standing(inside, _tasks(place)) if inside else ()


def _tasks(place: Place) -> Mapping[Colour, frozenset[str]]:
    from cli.containers.place import hands_of

    try:
        found = hands_of(place).instances()
    except ClientError as error:
        if error.response["Error"]["Code"] not in NOT_ALLOWED:
            raise
        place.steps.remark("tasks that were touched by hand are not named: their workers may not be asked (ssm)")
        return {}
    return {colour: frozenset(each.id for each in found if each.colour == colour) for colour in Colour}
