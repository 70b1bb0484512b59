"""A release with a data volume in a world in which something goes wrong."""

from dataclasses import replace

import pytest

from release.errors import (
    ForeignWeights,
    InfrastructureFailed,
    LedgerError,
    LockLost,
    Refused,
    VolumeHeld,
    VolumeUnread,
)
from release.ledger import Colour, Side, State
from release.machine import Phase
from release.states import adopted, is_fit
from release_world import LIVE, NEXT, Throttled
from volume_world import (
    VOLUME,
    VolumeWorld,
    events,
    fails_at,
    moving,
    moving_flight,
    released,
    started,
    untouched,
    why,
)

BLUE, GREEN = Colour.BLUE, Colour.GREEN


def test_a_program_that_fails_at_once_costs_no_request() -> None:
    world = VolumeWorld()
    world.broken_program = 1
    assert started(world).run() is Phase.ROLLED_BACK
    assert "GAP_BEGUN" not in events(world)
    assert world.outcome == untouched()


@pytest.mark.parametrize("event", ["GAP_BEGUN", "SNAPSHOT_MADE"])
@pytest.mark.parametrize("fault", ["broken_program", "torn_program"])
def test_a_program_that_fails_in_the_gap_takes_it_back(event: str, fault: str) -> None:
    world = VolumeWorld()
    world.upon[event] = lambda: setattr(world, fault, 1)
    assert started(world).run() is Phase.ROLLED_BACK
    assert world.outcome == untouched()


def test_what_half_a_run_has_started_is_ended_before_live_gets_its_server_back() -> None:
    """Even where the target colour had the very image before, so that what is declared was declared already."""
    world = released()
    back = moving_flight(release_id="r-2", plan=moving(digest=LIVE, target=BLUE), previous=world.state.blue)
    world.upon["SNAPSHOT_MADE"] = lambda: setattr(world, "torn_program", 1)
    assert world.started(back).run() is Phase.ROLLED_BACK
    assert world.servers == {BLUE: (LIVE, 0), GREEN: (NEXT, 1)}
    assert world.holder is GREEN


@pytest.mark.parametrize(("event", "failures"), [("RETIRED", 2), ("LIVE_RECALLED", 2), ("RETIRED", 3)])
def test_on_the_way_back_a_program_that_fails_is_run_again(event: str, failures: int) -> None:
    world = VolumeWorld()
    fails_at(world, Phase.SHIFTING)
    world.upon[event] = lambda: setattr(world, "broken_program", failures)
    engine = started(world)
    if failures == 3:
        with pytest.raises(InfrastructureFailed):
            engine.run()
        engine = world.engine()
        engine.resume()
    assert engine.run() is Phase.ROLLED_BACK
    assert world.outcome == untouched()


def test_a_snapshot_that_is_refused_takes_it_back_and_says_why() -> None:
    world = VolumeWorld()
    world.refused = "no snapshot of vol-1: UnauthorizedOperation"
    assert started(world).run() is Phase.ROLLED_BACK
    assert why(world, "FAILED") == "no snapshot of vol-1: UnauthorizedOperation"
    assert world.outcome == untouched()
    assert world.snapshots == {}


def test_a_volume_that_nobody_lets_go_takes_it_back_and_live_gets_it_again() -> None:
    world = VolumeWorld()
    world.is_stuck = True
    world.clock.during[65] = lambda: setattr(world, "is_stuck", False)
    assert started(world).run() is Phase.ROLLED_BACK
    assert why(world, "FAILED") == "vol-1 is still held after 60 s"
    assert world.snapshots == {}
    assert world.outcome == untouched()


def test_a_volume_that_nobody_lets_go_on_the_way_back_either_is_told() -> None:
    world = VolumeWorld()
    world.is_stuck = True
    with pytest.raises(VolumeHeld, match="release r-1 cannot go back: vol-1 is still held after 60 s"):
        started(world).run()
    assert world.servers == {BLUE: (LIVE, 0), GREEN: ("", 0)}
    world.is_stuck = False
    again = world.engine()
    again.resume()
    assert again.run() is Phase.ROLLED_BACK
    assert world.outcome == untouched()


@pytest.mark.parametrize("is_back", [False, True])
def test_volume_and_server_have_the_whole_time_each(is_back: bool) -> None:
    """Of the plan's 60 s: some 50 until the volume is free, and 50 more until the server is healthy."""
    world = VolumeWorld()
    begins, colour = ("RETIRED", BLUE) if is_back else ("GAP_BEGUN", GREEN)

    def hold() -> None:
        now = world.clock.monotonic()
        world.is_stuck, world.sick[colour] = True, 1
        world.clock.during |= {
            now + 50: lambda: setattr(world, "is_stuck", False),
            now + 100: lambda: world.sick.update({colour: 0}),
        }

    world.upon[begins] = hold
    if is_back:
        fails_at(world, Phase.SHIFTING)
    assert started(world).run() is (Phase.ROLLED_BACK if is_back else Phase.DONE)


def test_a_volume_that_can_not_be_read_takes_it_back_once_it_can() -> None:
    world = VolumeWorld()
    world.unread = "data volume vol-1 can't be read: Throttled"
    with pytest.raises(VolumeUnread, match="Throttled"):
        started(world).run()
    assert why(world, "FAILED") == "data volume vol-1 can't be read: Throttled"
    world.unread = None
    again = world.engine()
    again.resume()
    assert again.run() is Phase.ROLLED_BACK
    assert world.outcome == untouched()


def test_servers_that_never_get_healthy_take_it_back() -> None:
    world = VolumeWorld()
    world.sick[GREEN] = 1
    assert started(world).run() is Phase.ROLLED_BACK
    assert why(world, "FAILED") == "0 of 1 servers of green healthy in 60 s"
    assert world.outcome == untouched()


def test_weights_of_somebody_elses_stop_it_before_the_gap() -> None:
    world = VolumeWorld()
    world.upon["Apply"] = lambda: setattr(world, "listener", {BLUE: 70, GREEN: 30})
    with pytest.raises(ForeignWeights, match="weights blue 70, green 30, and the ledger blue 100, green 0"):
        started(world).run()
    assert "GAP_BEGUN" not in events(world)
    again = world.engine()
    again.restore()
    again.resume()
    assert again.run() is Phase.DONE
    assert world.outcome == released().outcome


def test_in_the_gap_the_ledgers_weights_may_be_restored_although_nobody_serves() -> None:
    world = VolumeWorld()
    world.upon["SNAPSHOT_MADE"] = lambda: setattr(world, "listener", {BLUE: 30, GREEN: 70})
    with pytest.raises(ForeignWeights):
        started(world).run()
    again = world.engine()
    with pytest.raises(Refused, match="with a data volume one colour alone serves, and the weights are blue 30"):
        again.adopt()
    again.take_back("because")
    assert again.run() is Phase.ROLLED_BACK
    assert world.outcome == untouched()


def test_in_the_gap_no_colour_is_asked_for_servers_that_none_can_have() -> None:
    sides = {"blue": Side(digest=LIVE, capacity=0, weight=100), "green": Side(digest=NEXT, capacity=1, weight=0)}
    in_gap = State(version=2, live=BLUE, release=moving_flight(phase=Phase.VERIFYING), **sides)
    nobody = dict.fromkeys(Colour, 0)
    assert is_fit(in_gap, nobody)
    assert not is_fit(VolumeWorld().state, nobody)


def test_weights_that_share_requests_are_never_adopted() -> None:
    state = replace(VolumeWorld().state, release=moving_flight(phase=Phase.SHIFTING))
    assert state.release is not None
    with pytest.raises(Refused, match="one colour alone serves"):
        adopted(state, state.release, {BLUE: 50, GREEN: 50})


def test_an_engine_that_lost_its_lock_makes_no_snapshot() -> None:
    world = VolumeWorld()
    world.upon["TakeSnapshot"] = lambda: setattr(world, "token", world.token + 1)
    with pytest.raises(LockLost):
        started(world).run()
    assert world.snapshots == {}


def test_an_api_that_answers_nothing_leaves_it_to_be_resumed() -> None:
    world = VolumeWorld()
    world.upon["TakeSnapshot"] = lambda: setattr(world.wire, "throttled", 1)
    with pytest.raises(Throttled):
        started(world).run()
    again = world.engine()
    again.resume()
    assert again.run() is Phase.DONE
    assert world.outcome == released().outcome


def test_once_it_settles_the_way_back_is_another_release() -> None:
    world = VolumeWorld()
    engine = started(world)
    world.upon["ALL_MOVED"] = lambda: setattr(world, "broken_program", 1)
    with pytest.raises(InfrastructureFailed):
        engine.run()
    with pytest.raises(Refused, match="blue has lost its servers"):
        world.engine().take_back("too late")
    again = world.engine()
    again.resume()
    assert again.run() is Phase.DONE


def test_the_ledger_holds_no_two_writers() -> None:
    both = {"blue": Side(digest=LIVE, capacity=1, weight=100), "green": Side(digest=NEXT, capacity=1, weight=0)}
    flight = moving_flight(phase=Phase.PREPARING)
    with pytest.raises(LedgerError, match="data volume vol-1 takes one writer"):
        State(version=2, live=BLUE, release=flight, **both)


@pytest.mark.parametrize("changes", [{"capacity": 2}, {"capacity_after": 2}])
def test_the_ledger_holds_no_release_with_more_servers_than_the_volume_can_have(changes: dict[str, int]) -> None:
    with pytest.raises(LedgerError, match=f"with data volume {VOLUME} capacity and capacity_after must be 1"):
        moving_flight(plan=moving(**changes))


@pytest.mark.parametrize("changes", [{"steps": (50, 100)}, {"warm_seconds": 1.0}])
def test_the_ledger_holds_no_plan_that_wants_two_colours_at_once(changes: dict[str, object]) -> None:
    with pytest.raises(LedgerError, match="the only step is 100, and no colour stays warm"):
        moving(**changes)
