"""A release with a data volume that is killed at any call, there and on its way back."""

import pytest

from release.engine import Engine
from release.errors import Refused
from release.ledger import Colour
from release.machine import Phase
from release_world import Killed
from volume_world import VolumeWorld, empty, fails_at, released, started, untouched

BLUE, GREEN = Colour.BLUE, Colour.GREEN


CALLS = len(released().wire.calls) - 1
"""Calls of an undisturbed release after the one that puts it into the ledger."""


def cut(world: VolumeWorld, engine: Engine, at: int, where: str) -> None:
    """Runs an engine until the wire is cut at its call of that number."""
    at += len(world.wire.calls)
    world.wire.cut_before, world.wire.cut_after = (at, None) if where == "before" else (None, at)
    with pytest.raises(Killed):
        engine.run()
    world.wire.mend()


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("at", range(CALLS))
@pytest.mark.parametrize("is_empty", [False, True])
def test_killed_at_any_call_and_resumed_it_ends_the_same(at: int, where: str, is_empty: bool) -> None:
    whole, world = (empty(), empty()) if is_empty else (VolumeWorld(), VolumeWorld())
    assert started(whole).run() is Phase.DONE
    engine = started(world)
    if at >= len(whole.wire.calls) - 1:
        return
    cut(world, engine, at, where)
    if world.state.release is not None:
        again = world.engine()
        again.resume()
        assert again.run() is Phase.DONE
    assert world.outcome == whole.outcome
    assert world.snapshots == {"r-1": "snap-1"}


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("at", range(CALLS))
def test_killed_at_any_call_and_aborted_it_is_as_before_or_done(at: int, where: str) -> None:
    world = VolumeWorld()
    cut(world, started(world), at, where)
    if world.state.release is None:
        assert world.outcome == released().outcome
        return
    again = world.engine()
    try:
        again.take_back("aborted")
    except Refused:  # the other colour has lost its server: forward is the only way
        assert again.run() is Phase.DONE
        assert world.outcome == released().outcome
    else:
        assert again.run() is Phase.ROLLED_BACK
        assert world.outcome == untouched()


def failing(world: VolumeWorld) -> Engine:
    """An engine whose release is at 100 % and goes back."""
    engine = started(world)
    world.upon["FAILED"] = lambda: setattr(world.clock, "is_pause_wanted", True)
    fails_at(world, Phase.SHIFTING)
    assert engine.run() is None
    world.clock.is_pause_wanted = False
    return world.engine()


def calls_back() -> int:
    world = VolumeWorld()
    engine = failing(world)
    before = len(world.wire.calls)
    assert engine.run() is Phase.ROLLED_BACK
    return len(world.wire.calls) - before


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("at", range(calls_back()))
def test_killed_on_its_way_back_it_still_gets_there(at: int, where: str) -> None:
    world = VolumeWorld()
    cut(world, failing(world), at, where)
    if world.state.release is not None:
        assert world.engine().run() is Phase.ROLLED_BACK
    assert world.outcome == untouched()


def test_killed_in_the_gap_with_foreign_weights_it_goes_on_once_they_are_restored() -> None:
    world = VolumeWorld()
    engine = started(world)
    cut(world, engine, released().wire.calls.index("record IDLE_HEALTHY") - 1, "before")
    world.listener = {BLUE: 30, GREEN: 70}
    again = world.engine()
    again.restore()
    assert world.listener == {BLUE: 100, GREEN: 0}
    again.resume()
    assert again.run() is Phase.DONE
    assert world.outcome == released().outcome
