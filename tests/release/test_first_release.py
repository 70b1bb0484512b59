"""The very first image of an environment comes by a release, too."""

import pytest

from release.ledger import Colour, Side, State
from release.machine import Phase
from release.verdict import GOOD
from release_world import NEXT, SERVERS, FakeWorld, Killed, bad, flight, plan

BLUE, GREEN = Colour.BLUE, Colour.GREEN
FIRST = flight(plan=plan(steps=(100,)))


def empty() -> FakeWorld:
    return FakeWorld(State.initial())


def served() -> FakeWorld:
    world = empty()
    assert world.started(FIRST).run() is Phase.DONE
    return world


def test_it_serves_once_it_is_verified() -> None:
    world = served()
    assert world.writes[0] == {BLUE: 0, GREEN: 100}
    assert world.state.is_released
    assert (world.state.live, world.state.green) == (GREEN, Side(digest=NEXT, capacity=SERVERS, weight=100))
    assert world.state.blue == Side(digest=None, capacity=0, weight=0)


@pytest.mark.parametrize("share", [0, 100])
def test_a_bad_first_image_leaves_the_environment_empty(share: int) -> None:
    world = empty()
    world.verdict_now = lambda: bad("status 500") if world.listener[GREEN] == share else GOOD
    assert world.started(FIRST).run() is Phase.ROLLED_BACK
    assert world.outcome == empty().outcome
    assert world.listener == {BLUE: 0, GREEN: 0}


CALLS = len(served().wire.calls) - 1


@pytest.mark.parametrize("where", ["cut_before", "cut_after"])
@pytest.mark.parametrize("at", range(CALLS - 1))
@pytest.mark.parametrize("is_aborted", [False, True])
def test_killed_anywhere_it_ends_as_it_should(at: int, where: str, is_aborted: bool) -> None:
    world = empty()
    engine = world.started(FIRST)
    world.wire.calls.clear()
    setattr(world.wire, where, at)
    with pytest.raises(Killed):
        engine.run()
    world.wire.mend()
    again = world.engine()
    release = world.state.release
    assert release is not None
    if is_aborted and release.phase is not Phase.SETTLING:  # from there on, what is released stays
        again.take_back("aborted")
        assert again.run() is Phase.ROLLED_BACK
        assert world.outcome == empty().outcome
    else:
        again.resume()
        assert again.run() is Phase.DONE
        assert world.outcome == served().outcome
