from typing import Any

import pytest

from release.ledger import Colour
from release.shots import Route, Shot, probed

TEST, USERS = Route.TEST, Route.USERS
BLUE, GREEN = Colour.BLUE, Colour.GREEN


def shot(route: Route, problem: str | None = None, **changes: Any) -> Shot:
    values = {"at": 1.0, "seconds": 0.1, "path": "/", "weight": 5, "colour": None, **changes}
    return Shot(route=route, problem=problem, **values)


def test_by_the_test_route_all_is_the_targets() -> None:
    found = probed([shot(TEST, "status 500"), shot(TEST, colour=BLUE)], GREEN)
    assert (found.target.requests, found.target.failed) == (2, 1)
    assert found.live.requests == found.users.requests == 0
    assert found.trouble == "/ by the test route: status 500"


def test_by_the_users_route_it_is_whose_the_answer_says() -> None:
    shots = [shot(USERS, "status 500", colour=GREEN), shot(USERS, "status 500", colour=BLUE), shot(USERS, "status 503")]
    found = probed(shots, GREEN)
    assert (found.target.requests, found.target.failed) == (1, 1)
    assert (found.live.requests, found.live.failed) == (1, 1)
    assert (found.users.requests, found.users.failed) == (3, 2), "live's own failures are not held against the release"


@pytest.mark.parametrize(("weight", "target", "live"), [(0, 0, 1), (5, 0, 0), (100, 1, 0)])
def test_an_answer_without_a_colour_is_whose_it_must_be(weight: int, target: int, live: int) -> None:
    found = probed([shot(USERS, weight=weight)], GREEN)
    assert (found.target.requests, found.live.requests) == (target, live)


def test_failures_in_a_row_count_from_the_end() -> None:
    bad, good = shot(TEST, "status 500"), shot(TEST)
    assert probed([bad, bad, good], GREEN).streak == 0
    assert probed([bad, good, bad, bad], GREEN).streak == 2
    assert probed([], GREEN).streak == 0


def test_one_broken_page_among_good_ones_is_a_row_of_its_own() -> None:
    page, other = shot(TEST, "status 500"), shot(TEST, path="/version")
    assert probed([page, other] * 3, GREEN).streak == 3


def test_the_users_failures_are_no_streak_of_the_targets() -> None:
    assert probed([shot(USERS, "status 500", colour=BLUE)] * 5, GREEN).streak == 0


def test_cut_off_is_who_got_no_answer_at_all_for_a_while() -> None:
    lost = shot(USERS, "no answer", is_answered=False)
    assert probed([lost] * 5, GREEN).is_cut_off
    assert not probed([lost] * 4, GREEN).is_cut_off
    assert not probed([*[lost] * 4, shot(USERS, "status 503")], GREEN).is_cut_off
