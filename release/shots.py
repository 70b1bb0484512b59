"""What our own requests met, one by one, and what that adds up to. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from release.judgement import Probed, Sample, p99_of
from release.ledger import Colour

TEST_HEADER = "X-Teal-Test"
"""Opens the test route, where it has the secret value."""
CUT_OFF = 5
"""So many requests without any answer, and it may be our own network."""


class Route(StrEnum):
    """The way that a request takes."""

    TEST = "the test route"
    """Opened by a secret; leads to the target colour."""
    USERS = "the users' route"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One request of ours."""

    at: float
    """When it ended, in seconds of a monotonic clock."""
    seconds: float
    """How long it took."""
    route: Route
    path: str
    weight: int
    """The target colour's share in percent when it was sent."""
    colour: Colour | None
    """Who answered, where the answer tells."""
    problem: str | None
    """What is wrong with the answer; None for nothing."""
    is_answered: bool = True
    """False where there was no answer at all: refused, reset, out of time."""

    @property
    def told(self) -> str:
        """The problem, with path and route."""
        return f"{self.path} by {self.route}: {self.problem}"


def probed(shots: Sequence[Shot], target: Colour) -> Probed:
    """What requests add up to, the earliest first, for a release on that colour."""
    by_test = [shot for shot in shots if shot.route is Route.TEST]
    by_users = [shot for shot in shots if shot.route is Route.USERS]
    of_target = [*by_test, *(shot for shot in by_users if _colour(shot, target) is target)]
    of_live = [shot for shot in by_users if _colour(shot, target) is target.other]
    users = _sample(by_users, failed=sum(_is_bad(shot) for shot in by_users if shot.colour is not target.other))
    last = by_users[-CUT_OFF:]
    return Probed(
        target=_sample(of_target),
        live=_sample(of_live),
        users=users,
        streak=_longest_streak(by_test),
        trouble=next((shot.told for shot in reversed(of_target) if _is_bad(shot)), ""),
        is_cut_off=len(last) == CUT_OFF and not any(shot.is_answered for shot in last),
    )


def _colour(shot: Shot, target: Colour) -> Colour | None:
    """Who answered, or who must have; None for an answer that may be anybody's."""
    if shot.colour is None and shot.weight in {0, 100}:
        return target if shot.weight else target.other
    return shot.colour


def _sample(shots: Sequence[Shot], failed: int | None = None) -> Sample:
    return Sample(
        requests=len(shots),
        failed=sum(map(_is_bad, shots)) if failed is None else failed,
        p99_seconds=p99_of(shot.seconds for shot in shots),
    )


def _longest_streak(shots: Sequence[Shot]) -> int:
    """Failures in a row at the end: of all shots, or of those at one path, since a version may break one page only."""
    paths = {shot.path for shot in shots}
    each = ([shot for shot in shots if shot.path == path] for path in paths)
    return max(map(_streak, (shots, *each)), default=0)


def _streak(shots: Sequence[Shot]) -> int:
    for count, shot in enumerate(reversed(shots)):
        if not _is_bad(shot):
            return count
    return len(shots)


def _is_bad(shot: Shot) -> bool:
    return shot.problem is not None
