"""Releases that delete old snapshots once they have ended well, and are none the worse for it if they can't."""

from collections.abc import Callable

import pytest

from release.engine import Engine
from release.errors import LockLost
from release.ledger import Colour
from release.machine import Phase
from release.snapshots import Progress
from release.tidying import MOST_AT_ONCE, MOST_SECONDS
from release_world import LIVE, NEXT
from snapshot_world import made
from volume_world import VolumeWorld, events, fails_at, moving, moving_flight, why

BLUE, GREEN = Colour.BLUE, Colour.GREEN
OLD = "sha256:" + "c" * 64


def stocked(count: int, kept: int = 2) -> VolumeWorld:
    """A world with so many snapshots of former releases."""
    world = VolumeWorld()
    world.shelf.put(*(made(number, OLD) for number in range(1, count + 1)))
    world.shelf.kept = kept
    return world


def started(world: VolumeWorld, kept: int = 2, **changes: object) -> Engine:
    return world.started(moving_flight(plan=moving(snapshots_kept=kept), **changes))


def done(world: VolumeWorld, kept: int = 2) -> VolumeWorld:
    assert started(world, kept).run() is Phase.DONE
    return world


def test_the_oldest_go_once_the_release_has_ended_and_the_history_says_which() -> None:
    world = done(stocked(3))
    assert world.shelf.ids == ["old-3", "snap-1"]
    assert world.wire.calls[-4:] == ["record SETTLED", "record TIDYING", "delete old-1", "delete old-2"]
    assert why(world, "TIDYING") == "old-1, old-2 go: vol-1 keeps 2"
    assert (world.entries[-1].release_id, world.entries[-1].phase) == ("r-1", "DONE")
    assert world.state.release is None


def test_where_there_is_nothing_to_delete_nothing_is_said() -> None:
    assert events(done(stocked(1)))[-1] == "SETTLED"


def test_a_plan_of_an_earlier_teal_deletes_none() -> None:
    world = done(stocked(5), kept=0)
    assert len(world.shelf.ids) == 6
    assert events(world)[-1] == "SETTLED"


def test_a_release_notes_who_had_written_what_is_in_its_snapshot() -> None:
    world = done(stocked(0))
    assert world.shelf.stored["snap-1"].written_by == LIVE


def test_releases_forth_and_back_keep_what_both_versions_left() -> None:
    """One is to stay, and after the way back there are two: as NEXT left it, and as LIVE had left it before."""
    world = done(stocked(2, kept=1), kept=1)
    assert world.shelf.ids == ["snap-1"]
    back = moving_flight(
        release_id="r-2", plan=moving(digest=LIVE, target=BLUE, snapshots_kept=1), previous=world.state.blue
    )
    assert world.started(back).run() is Phase.DONE
    assert world.shelf.ids == ["snap-1", "snap-2"]
    forth = moving_flight(
        release_id="r-3", plan=moving(digest=NEXT, target=GREEN, snapshots_kept=1), previous=world.state.green
    )
    assert world.started(forth).run() is Phase.DONE
    assert world.shelf.ids == ["snap-2", "snap-3"]


def test_a_release_that_is_taken_back_deletes_none() -> None:
    world = stocked(5)
    fails_at(world, Phase.SHIFTING)
    assert started(world).run() is Phase.ROLLED_BACK
    assert len(world.shelf.ids) == 6
    assert "TIDYING" not in events(world)


@pytest.mark.parametrize(("is_breaking", "state"), [(False, Progress.PENDING), (True, Progress.BROKEN)])
def test_while_its_own_snapshot_is_not_complete_all_stay(is_breaking: bool, state: Progress) -> None:
    world = stocked(3)
    world.shelf.store_seconds, world.shelf.is_breaking = 3600, is_breaking
    done(world)
    assert world.shelf.ids == ["old-1", "old-2", "old-3", "snap-1"]
    assert why(world, "UNTIDY") == f"old-1 stay until the next release: snap-1, the newest, is in state {state}"


def next_one(world: VolumeWorld, **changes: object) -> Engine:
    """A release of OLD on blue, after one of NEXT on green that ended well."""
    plan = moving(digest=OLD, target=BLUE, snapshots_kept=2)
    return world.started(moving_flight(release_id="r-2", plan=plan, previous=world.state.blue, **changes))


def test_what_was_too_slow_for_one_release_goes_before_the_next_even_if_all_are_too_slow() -> None:
    world = stocked(4)
    world.shelf.store_seconds = 3600
    done(world)
    world.clock.sleep(7200)
    next_one(world)
    assert world.shelf.ids == ["old-4", "snap-1"]
    assert [(each.event, each.phase) for each in world.entries[-2:]] == [("PLANNED", "PLANNED"), ("TIDYING", "PLANNED")]
    assert world.state.release is not None


def test_before_a_release_nothing_goes_after_one_that_was_taken_back() -> None:
    world = stocked(4)
    fails_at(world, Phase.SHIFTING)
    assert started(world).run() is Phase.ROLLED_BACK
    started(world, release_id="r-2")
    assert len(world.shelf.ids) == 5


def test_what_ec2_does_not_delete_is_told_and_tried_again() -> None:
    world = stocked(3)
    world.shelf.stay = "UnauthorizedOperation"
    done(world)
    assert events(world)[-2:] == ["TIDYING", "UNTIDY"]
    told = "the next release tries again: old-1 was not deleted: UnauthorizedOperation (and 1 more like it)"
    assert why(world, "UNTIDY") == told
    world.shelf.stay = None
    next_one(world)
    assert world.shelf.ids == ["old-3", "snap-1"]


def test_what_ec2_does_not_tell_is_told() -> None:
    world = stocked(3)
    world.shelf.unread = "snapshots of vol-1 can't be read: Throttled"
    done(world)
    assert events(world).count("UNTIDY") == 1, "once, at the end"
    told = "old snapshots of vol-1 stay until the next release: snapshots of vol-1 can't be read: Throttled"
    assert why(world, "UNTIDY") == told


def test_hundreds_go_a_few_at_a_time() -> None:
    world = stocked(100)
    done(world)
    assert world.shelf.ids == [*(f"old-{number}" for number in range(MOST_AT_ONCE + 1, 101)), "snap-1"]
    next_one(world)
    assert world.shelf.ids == [*(f"old-{number}" for number in range(2 * MOST_AT_ONCE + 1, 101)), "snap-1"]


def upon_the_first(world: VolumeWorld, act: Callable[[], None]) -> None:
    """Acts while the first snapshot is deleted."""
    drop = world.shelf.delete

    def delete(snapshot_id: str) -> None:
        world.shelf.delete = drop  # type: ignore[method-assign]
        drop(snapshot_id)
        act()

    world.shelf.delete = delete  # type: ignore[method-assign]


def test_an_ec2_that_is_slow_holds_nobody_up_for_long() -> None:
    world = stocked(4)
    upon_the_first(world, lambda: world.clock.sleep(MOST_SECONDS))
    done(world)
    assert world.shelf.ids == ["old-2", "old-3", "old-4", "snap-1"]
    assert why(world, "UNTIDY") == (
        "the next release tries again: old-2 and all after it were left: it took longer than 15 s"
    )


def test_ctrl_c_leaves_the_rest() -> None:
    world = stocked(4)
    upon_the_first(world, lambda: setattr(world.clock, "is_pause_wanted", True))
    done(world)
    assert world.shelf.ids == ["old-2", "old-3", "old-4", "snap-1"]
    assert why(world, "UNTIDY").endswith("old-2 and all after it were left: Ctrl-C")


def shown_of(world: VolumeWorld) -> list[str]:
    """What is shown from now on, word and why."""
    shown = list[str]()
    look = world.recorded

    def recorded(entry: object) -> None:
        shown.append(f"{entry.event}: {entry.why}")  # type: ignore[attr-defined]
        look(entry)  # type: ignore[arg-type]

    world.recorded = recorded  # type: ignore[method-assign]
    return shown


def test_who_loses_the_lock_meanwhile_deletes_no_more_and_has_released_all_the_same() -> None:
    world = stocked(4)
    shown = shown_of(world)
    upon_the_first(world, lambda: setattr(world, "token", world.token + 1))
    done(world)
    assert world.shelf.ids == ["old-2", "old-3", "old-4", "snap-1"]
    assert events(world)[-1] == "TIDYING"
    assert shown[-1].startswith("UNTIDY: the next release tries again: old-2 and all after it were left: token 2 is")


@pytest.mark.parametrize("error", [LockLost("token 2 is the lock's"), ConnectionError("the ledger is away")])
def test_what_can_not_be_noted_beforehand_is_not_done(error: Exception) -> None:
    world = stocked(4)
    shown = shown_of(world)
    record = world.record

    def refuse(*arguments: object) -> None:
        if world.state.release is None and world.entries:
            raise error
        record(*arguments)  # type: ignore[arg-type]

    world.record = refuse  # type: ignore[method-assign, assignment]
    engine = world.engine()
    world.entries.clear()
    engine.begin(moving_flight(plan=moving(snapshots_kept=2)), "because")
    assert engine.run() is Phase.DONE
    assert len(world.shelf.ids) == 5
    assert shown[-1] == "UNTIDY: old-1, old-2, old-3 stay until the next release: the history can not be written"
