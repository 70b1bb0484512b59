"""A release that is killed at any call while it deletes old snapshots: what should stay does, and the rest goes."""

import pytest

from release.engine import Engine
from release.ledger import Colour
from release.machine import Phase
from release_world import LIVE, NEXT, Killed
from snapshot_world import made
from volume_world import VolumeWorld, moving, moving_flight

OLD = "sha256:" + "c" * 64
KEPT = 2


def stocked() -> VolumeWorld:
    world = VolumeWorld()
    world.shelf.put(*(made(number, OLD) for number in range(1, 5)))
    world.shelf.kept = KEPT
    world.shelf.store_seconds = 1.0
    return world


def launch(world: VolumeWorld, number: int) -> Engine:
    """A release of another digest each time, in the ledger."""
    state, digest = world.state, NEXT if number % 2 else LIVE
    plan = moving(digest=digest, target=state.idle, snapshots_kept=KEPT)
    one = moving_flight(release_id=f"r-{number}", plan=plan, previous=state.side(state.idle), since=world.clock.now())
    engine = world.engine()
    engine.begin(one, "because")
    return engine


def whole(releases: int) -> VolumeWorld:
    world = stocked()
    for number in range(1, releases + 1):
        assert launch(world, number).run() is Phase.DONE
    return world


def slow() -> VolumeWorld:
    """Whose last release ended before its snapshot was complete, which it is by now."""
    world = stocked()
    world.shelf.store_seconds = 3600.0
    assert launch(world, 1).run() is Phase.DONE
    assert len(world.shelf.ids) == 5
    world.clock.sleep(7200)
    world.shelf.store_seconds = 1.0
    return world


def calls_of(world: VolumeWorld, number: int) -> int:
    """How many calls its next release makes."""
    before = len(world.wire.calls)
    assert launch(world, number).run() is Phase.DONE
    return len(world.wire.calls) - before


def cut(world: VolumeWorld, number: int, at: int, where: str) -> None:
    """Runs a release until the wire is cut, and on to its end where it is in the ledger."""
    at += len(world.wire.calls)
    world.wire.cut_before, world.wire.cut_after = (at, None) if where == "before" else (None, at)
    with pytest.raises(Killed):
        launch(world, number).run()
    world.wire.mend()
    if world.state.release is not None:
        again = world.engine()
        again.resume()
        assert again.run() is Phase.DONE
    elif f"r-{number}" not in world.snapshots:
        assert launch(world, number).run() is Phase.DONE


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("at", range(calls_of(stocked(), 1)))
def test_killed_at_any_call_the_next_release_leaves_just_what_is_to_stay(at: int, where: str) -> None:
    world = stocked()
    cut(world, 1, at, where)
    assert set(whole(1).shelf.ids) <= set(world.shelf.ids)
    assert launch(world, 2).run() is Phase.DONE
    assert world.shelf.ids == whole(2).shelf.ids == ["snap-1", "snap-2"]


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("at", range(calls_of(slow(), 2)))
def test_killed_while_it_deletes_what_the_last_one_had_to_leave(at: int, where: str) -> None:
    world = slow()
    cut(world, 2, at, where)
    assert launch(world, 3).run() is Phase.DONE
    assert world.shelf.ids == ["snap-2", "snap-3"]
    assert world.state.live is Colour.GREEN
