"""Releases in an environment with a data volume: what the engine makes of release.gap."""

from dataclasses import replace

import pytest

from release.engine import Engine
from release.errors import (
    ForeignWeights,
    InfrastructureFailed,
    LedgerError,
    LockLost,
    Refused,
    UnsafeWeights,
    VolumeHeld,
    VolumeUnread,
)
from release.ledger import Colour, Side, State
from release.machine import Phase
from release.states import adopted, is_cut_off, is_fit
from release.verdict import GOOD, NO_HOOK, Answer, HookAnswer, Outcome, Verdict
from release_world import LIVE, NEXT, START, FakeWorld, Killed, Throttled, bad
from volume_world import DETACH_SECONDS, VOLUME, VolumeWorld, moving, moving_flight

BLUE, GREEN = Colour.BLUE, Colour.GREEN
FORTH = [
    "PLANNED", "STARTED", "GAP_BEGUN", "SNAPSHOT_MADE", "IDLE_HEALTHY", "IDLE_VERIFIED", "ALL_MOVED", "SETTLED",
]  # fmt: skip
BACK = ["RETIRED", "LIVE_RECALLED", "LIVE_RESTORED"]


def events(world: FakeWorld) -> list[str]:
    return [entry.event for entry in world.entries]


def why(world: FakeWorld, event: str) -> str:
    [found] = [entry.why for entry in world.entries if entry.event == event]
    return found


def started(world: VolumeWorld) -> Engine:
    return world.started(moving_flight())


def released() -> VolumeWorld:
    world = VolumeWorld()
    assert started(world).run() is Phase.DONE
    return world


def untouched() -> object:
    return VolumeWorld().outcome


def at_phase(world: VolumeWorld, phase: Phase) -> bool:
    return world.state.release is not None and world.state.release.phase is phase


def fails_at(world: VolumeWorld, phase: Phase) -> None:
    """The version turns bad in that phase; in SHIFTING, once it has the requests."""

    def verdict() -> Verdict:
        is_due = at_phase(world, phase) and (phase is not Phase.SHIFTING or world.listener[GREEN] == 100)
        return bad("status 500") if is_due else GOOD

    world.verdict_now = verdict


def test_live_ends_the_volume_is_secured_and_then_the_target_starts() -> None:
    world = released()
    assert events(world) == FORTH
    assert world.wire.calls == [
        "record PLANNED", "record STARTED", "apply", "record GAP_BEGUN", "apply", "snapshot", "record SNAPSHOT_MADE",
        "apply", "record IDLE_HEALTHY", "record IDLE_VERIFIED", "shift", "record ALL_MOVED", "apply", "record SETTLED",
    ]  # fmt: skip
    assert world.state.release is None
    assert world.state.live is GREEN
    assert world.servers == {BLUE: (LIVE, 0), GREEN: (NEXT, 1)}
    assert world.holder is GREEN
    assert world.snapshots == {"r-1": "snap-1"}
    assert why(world, "SNAPSHOT_MADE") == "snap-1 of vol-1; green gets its server"


def test_the_listener_never_shares_requests_between_colours() -> None:
    writes = released().writes
    assert writes
    assert all(weights == {BLUE: 0, GREEN: 100} for weights in writes)


def test_the_image_is_declared_while_live_still_serves() -> None:
    world = VolumeWorld()
    seen = list[tuple[Side, int]]()
    world.upon["GAP_BEGUN"] = lambda: seen.append((world.state.green, world.servers[BLUE][1]))
    assert started(world).run() is Phase.DONE
    assert seen == [(Side(digest=NEXT, capacity=0, weight=0), 1)]


def test_the_next_one_is_back_on_the_other_colour_with_a_snapshot_of_its_own() -> None:
    world = released()
    again = moving_flight(release_id="r-2", plan=moving(digest=LIVE, target=BLUE), previous=world.state.blue)
    assert world.started(again).run() is Phase.DONE
    assert world.servers == {BLUE: (LIVE, 1), GREEN: (NEXT, 0)}
    assert world.snapshots == {"r-1": "snap-1", "r-2": "snap-2"}


def test_the_same_digest_anew_takes_the_same_way() -> None:
    world = VolumeWorld()
    assert world.started(moving_flight(plan=moving(digest=LIVE))).run() is Phase.DONE
    assert world.servers == {BLUE: (LIVE, 0), GREEN: (LIVE, 1)}
    assert events(world) == FORTH
    assert world.snapshots == {"r-1": "snap-1"}


def empty() -> VolumeWorld:
    return VolumeWorld(State.initial())


def test_the_first_image_has_no_gap_and_a_snapshot_all_the_same() -> None:
    world = empty()
    assert started(world).run() is Phase.DONE
    assert events(world) == [event for event in FORTH if event != "GAP_BEGUN"]
    assert world.servers == {BLUE: ("", 0), GREEN: (NEXT, 1)}
    assert world.snapshots == {"r-1": "snap-1"}


@pytest.mark.parametrize("phase", [Phase.VERIFYING, Phase.SHIFTING])
def test_a_bad_first_image_leaves_the_environment_empty(phase: Phase) -> None:
    world = empty()
    fails_at(world, phase)
    assert started(world).run() is Phase.ROLLED_BACK
    world.clock.sleep(DETACH_SECONDS)
    assert world.outcome == empty().outcome
    assert world.listener == {BLUE: 0, GREEN: 0}


@pytest.mark.parametrize("phase", [Phase.VERIFYING, Phase.SHIFTING])
def test_a_bad_version_goes_back_the_same_way(phase: Phase) -> None:
    world = VolumeWorld()
    fails_at(world, phase)
    assert started(world).run() is Phase.ROLLED_BACK
    assert world.outcome == untouched()
    assert events(world)[-4:] == ["FAILED", *BACK]
    assert world.snapshots == {"r-1": "snap-1"}
    assert world.told == [Phase.ROLLED_BACK]


def test_requests_go_back_only_to_a_live_colour_that_is_healthy() -> None:
    world = VolumeWorld()
    fails_at(world, Phase.SHIFTING)
    world.upon["LIVE_RECALLED"] = lambda: world.sick.update({BLUE: 1})
    world.upon["Shift"] = lambda: None
    engine = started(world)
    with pytest.raises(UnsafeWeights, match="blue has 0 healthy servers, and needs 1"):
        engine.run()
    assert at_phase(world, Phase.ROLLING_BACK)
    world.sick[BLUE] = 0
    again = world.engine()
    again.resume()
    assert again.run() is Phase.ROLLED_BACK
    assert world.outcome == untouched()


@pytest.mark.parametrize("answer", [Answer.STOP, Answer.WAIT])
def test_hooks_of_the_preparation_are_heard_before_anybody_misses_anything(answer: Answer) -> None:
    world = VolumeWorld()
    world.hook_now = lambda: HookAnswer(answer=answer, why="on-call") if at_phase(world, Phase.PREPARING) else NO_HOOK
    world.clock.during[60] = lambda: setattr(world, "hook_now", lambda: NO_HOOK)
    outcome = started(world).run()
    if answer is Answer.STOP:
        assert outcome is Phase.ROLLED_BACK
        assert events(world) == ["PLANNED", "STARTED", "FAILED", "RETIRED", "LIVE_RESTORED"]
        assert world.snapshots == {}
        assert world.outcome == untouched()
    else:
        assert outcome is Phase.DONE
        [begun] = [entry.at for entry in world.entries if entry.event == "GAP_BEGUN"]
        assert (begun - START).total_seconds() >= 60


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


def test_the_ledger_has_the_snapshot_from_the_moment_it_is_made() -> None:
    world = VolumeWorld()
    noted = list[str]()
    for event in ("GAP_BEGUN", "SNAPSHOT_MADE", "ALL_MOVED"):
        world.upon[event] = lambda: noted.append(world.state.release.snapshot if world.state.release else "none")
    assert started(world).run() is Phase.DONE
    assert noted == ["", "snap-1", "snap-1"]


def test_at_the_end_of_the_way_back_the_weights_have_settled() -> None:
    world = VolumeWorld()
    fails_at(world, Phase.SHIFTING)
    moved = list[float]()
    world.upon["LIVE_RECALLED"] = lambda: world.upon.update({"Shift": lambda: moved.append(world.clock.monotonic())})
    assert started(world).run() is Phase.ROLLED_BACK
    assert moved
    assert world.clock.monotonic() - moved[0] >= 2


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


def test_without_a_verdict_it_goes_back_instead_of_making_the_gap_longer() -> None:
    world = VolumeWorld()
    world.verdict_now = lambda: Verdict(Outcome.NO_DATA, "3 of 20") if at_phase(world, Phase.VERIFYING) else GOOD
    assert started(world).run() is Phase.ROLLED_BACK
    assert "PAUSED" not in events(world)
    told = "no verdict in 10 s; NO_DATA: 3 of 20; requests fail meanwhile, so it is not waited for"
    assert why(world, "FAILED") == told


def test_once_requests_are_answered_again_it_pauses_without_a_verdict() -> None:
    world = VolumeWorld()
    world.verdict_now = lambda: Verdict(Outcome.NO_DATA, "3 of 20") if at_phase(world, Phase.SHIFTING) else GOOD
    world.upon["Pause"] = lambda: setattr(world.clock, "is_pause_wanted", True)
    assert started(world).run() is None
    assert at_phase(world, Phase.SHIFTING)
    assert world.listener == {BLUE: 0, GREEN: 100}


def test_paused_in_the_gap_it_stays_there_and_is_taken_back_in_the_end() -> None:
    world = VolumeWorld()
    engine = world.started(moving_flight(plan=moving(pause_seconds=30.0)))
    world.upon["SNAPSHOT_MADE"] = lambda: setattr(world.clock, "is_pause_wanted", True)
    assert engine.run() is None
    assert world.state.release is not None
    assert world.state.release.is_paused
    assert is_cut_off(world.state)
    world.clock.is_pause_wanted = False
    assert world.engine().run() is Phase.ROLLED_BACK
    assert why(world, "FAILED") == "paused for 30 s, and nobody let it go on"
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


def test_the_volume_is_asked_for_only_while_nobody_is_to_have_it() -> None:
    world = released()
    assert world.looks_at_volume <= 2 + DETACH_SECONDS / 0.5
    plain = FakeWorld()
    plain.data = spied = VolumeWorld()
    assert plain.started().run() is Phase.DONE
    assert spied.looks_at_volume == 0


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
