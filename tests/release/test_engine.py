import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from release.engine import Engine
from release.errors import ForeignWeights, InfrastructureFailed, LockLost, Refused, UnsafeWeights
from release.keeping import kept
from release.ledger import Colour
from release.machine import Phase
from release.verdict import GOOD
from release_world import LIVE, NEXT, SERVERS, FakeWorld, Killed, bad, flight, plan

BLUE, GREEN = Colour.BLUE, Colour.GREEN


def released() -> FakeWorld:
    world = FakeWorld()
    assert world.started().run() is Phase.DONE
    return world


def untouched() -> object:
    return FakeWorld().outcome


def green_shares(world: FakeWorld) -> list[int]:
    return [weights[GREEN] for weights in world.writes]


def test_a_release_moves_step_by_step_and_ends_clean() -> None:
    world = released()
    assert [entry.event for entry in world.entries] == [
        "PLANNED", "STARTED", "IDLE_HEALTHY", "IDLE_VERIFIED", "STEP_PASSED", "STEP_PASSED", "ALL_MOVED", "RETIRED",
        "SETTLED",
    ]  # fmt: skip
    assert green_shares(world)[:3] == [5, 50, 100]
    assert world.state.release is None
    assert world.state.live is GREEN
    assert world.servers == {BLUE: (LIVE, 0), GREEN: (NEXT, SERVERS)}
    assert world.state.blue.digest == LIVE  # so that a rollback knows what was before


def test_every_weight_was_in_the_ledger_before_the_listener_had_it() -> None:
    world = released()
    shifts = [number for number, call in enumerate(world.wire.calls) if call == "shift"]
    assert all(world.wire.calls[number - 1].startswith("record ") for number in shifts)
    assert len(shifts) == 3


def test_a_step_bakes_and_the_other_colour_stays_warm() -> None:
    world = released()
    times = {entry.event: entry.at for entry in world.entries}
    assert (times["ALL_MOVED"] - times["IDLE_VERIFIED"]).total_seconds() >= 3 * 2
    assert (times["RETIRED"] - times["ALL_MOVED"]).total_seconds() >= 5


@pytest.mark.parametrize("share", [0, 5, 50, 100])
def test_a_bad_answer_takes_the_release_back(share: int) -> None:
    world = FakeWorld()
    world.verdict_now = lambda: bad("status 500") if world.listener[GREEN] == share else GOOD
    assert world.started().run() is Phase.ROLLED_BACK
    assert world.outcome == untouched()
    [failed] = [entry for entry in world.entries if entry.event == "FAILED"]
    assert failed.why == "status 500"


def test_servers_that_never_get_healthy_take_it_back() -> None:
    world = FakeWorld()
    world.sick[GREEN] = 1
    assert world.started().run() is Phase.ROLLED_BACK
    assert green_shares(world) == []
    [failed] = [entry for entry in world.entries if entry.event == "FAILED"]
    assert failed.why == "1 of 2 servers of green healthy in 60 s"


def test_a_program_that_fails_in_preparation_takes_it_back() -> None:
    world = FakeWorld()
    world.broken_program = 1
    assert world.started().run() is Phase.ROLLED_BACK
    assert world.outcome == untouched()


def test_a_program_that_fails_later_leaves_the_release_to_be_resumed() -> None:
    world = FakeWorld()
    engine = world.started()
    world.clock.during[10] = lambda: setattr(world, "broken_program", 1)
    with pytest.raises(InfrastructureFailed):
        engine.run()
    again = world.engine()
    again.resume()
    assert again.run() is Phase.DONE


def test_servers_lost_in_the_middle_of_a_shift_take_it_back() -> None:
    world = FakeWorld()
    world.clock.during[1] = lambda: world.sick.update({GREEN: 2})
    assert world.started().run() is Phase.ROLLED_BACK
    assert world.outcome == untouched()


def test_the_way_back_waits_for_servers_and_then_says_so() -> None:
    world = FakeWorld()

    def lose() -> None:
        world.sick.update({BLUE: 2, GREEN: 2})

    world.clock.during[1] = lose
    with pytest.raises(UnsafeWeights, match="blue has 0 healthy servers, and needs 1 to get requests"):
        world.started().run()
    assert world.state.release is not None
    world.sick[BLUE] = 0
    again = world.engine()
    again.resume()
    assert again.run() is Phase.ROLLED_BACK


def test_weights_of_somebody_elses_stop_it_and_abort_restores_them() -> None:
    world = FakeWorld()
    world.clock.during[1] = lambda: setattr(world, "listener", {BLUE: 70, GREEN: 30})
    with pytest.raises(ForeignWeights, match="weights blue 70, green 30, and the ledger blue 95, green 5"):
        world.started().run()
    again = world.engine()
    again.take_back("foreign weights")
    assert again.run() is Phase.ROLLED_BACK
    assert world.outcome == untouched()


def test_a_pause_leaves_the_traffic_as_it_is_and_resume_goes_on() -> None:
    world = FakeWorld()
    world.clock.during[3] = lambda: setattr(world.clock, "is_pause_wanted", True)
    assert world.started().run() is None
    assert world.state.release is not None
    assert world.state.release.is_paused
    assert world.listener == world.state.weights
    world.clock.is_pause_wanted = False
    again = world.engine()
    again.resume()
    assert again.run() is Phase.DONE
    assert world.outcome == released().outcome


def test_an_engine_that_lost_its_lock_writes_nothing_more() -> None:
    world = FakeWorld()
    world.clock.during[1] = lambda: setattr(world, "token", world.token + 1)
    with pytest.raises(LockLost):
        world.started().run()
    assert green_shares(world) == [5]


def test_an_engine_that_lost_its_lock_after_the_intent_leaves_the_listener_alone() -> None:
    world = FakeWorld()
    world.upon["STEP_PASSED"] = lambda: setattr(world, "token", world.token + 1)
    with pytest.raises(LockLost):
        world.started().run()
    assert green_shares(world) == [5]


def test_of_a_lost_lock_and_foreign_weights_the_lock_is_the_news() -> None:
    world = FakeWorld()

    def take_over() -> None:
        world.token += 1
        world.listener = {BLUE: 100, GREEN: 0}

    world.clock.during[3] = take_over
    with pytest.raises(LockLost):
        world.started().run()


def test_a_pause_in_front_of_a_shift_comes_after_it() -> None:
    world = FakeWorld()
    world.upon["STEP_PASSED"] = lambda: setattr(world.clock, "is_pause_wanted", True)
    assert world.started().run() is None
    assert world.listener == world.state.weights == {BLUE: 50, GREEN: 50}


def test_on_the_way_back_requests_may_end_before_the_servers_go() -> None:
    world = FakeWorld()
    world.verdict_now = lambda: bad("status 500") if world.listener[GREEN] == 100 else GOOD
    assert world.started().run() is Phase.ROLLED_BACK
    times = {entry.event: entry.at for entry in world.entries}
    assert (times["RETIRED"] - times["FAILED"]).total_seconds() >= 2


def test_taken_back_while_warm_it_is_one_call_to_the_listener() -> None:
    world = FakeWorld()
    world.clock.during[8] = lambda: setattr(world.clock, "is_pause_wanted", True)
    assert world.started().run() is None
    assert world.listener[GREEN] == 100
    world.clock.is_pause_wanted = False
    writes = len(world.writes)
    again = world.engine()
    again.take_back("slow")
    assert again.run() is Phase.ROLLED_BACK
    assert world.writes[writes:] == [{BLUE: 100, GREEN: 0}]
    assert world.outcome == untouched()


def test_a_cold_colour_is_no_way_back() -> None:
    world = FakeWorld()
    engine = world.started()
    world.broken_program = 0
    world.clock.during[11] = lambda: setattr(world, "broken_program", 1)
    with pytest.raises(InfrastructureFailed):
        engine.run()
    with pytest.raises(Refused, match="blue has lost its servers"):
        world.engine().take_back("too late")


def test_only_one_release_at_a_time() -> None:
    world = FakeWorld()
    world.started()
    with pytest.raises(Refused, match="release r-1 is in flight"):
        world.engine().begin(flight(release_id="r-2"), "")
    assert [entry.event for entry in world.entries] == ["PLANNED"]


@pytest.mark.parametrize("act", [Engine.resume, lambda engine: engine.take_back("x")])
def test_without_a_release_there_is_nothing_to_resume_or_take_back(act: Callable[[Engine], None]) -> None:
    with pytest.raises(Refused, match="no release is in flight"):
        act(FakeWorld().engine())


def test_however_short_the_plan_servers_go_only_once_the_weights_have_settled() -> None:
    world = FakeWorld()
    hasty = flight(plan=plan(steps=(100,), bakes=(0.0,), warm_seconds=0.0))
    assert world.started(hasty).run() is Phase.DONE
    times = {entry.event: entry.at for entry in world.entries}
    assert (times["RETIRED"] - times["ALL_MOVED"]).total_seconds() >= 2


def test_one_jump_to_100_is_a_release_too() -> None:
    world = FakeWorld()
    assert world.started(flight(plan=plan(steps=(100,)))).run() is Phase.DONE
    assert green_shares(world)[0] == 100


def cut(world: FakeWorld, at: int, where: str) -> None:
    """Runs a release until the wire is cut."""
    engine = world.started()
    world.wire.calls.clear()
    world.wire.cut_before, world.wire.cut_after = (at, None) if where == "before" else (None, at)
    with pytest.raises(Killed):
        engine.run()
    world.wire.mend()


CALLS = len(released().wire.calls) - 1
"""Calls of an undisturbed release after the one that puts it into the ledger."""


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("at", range(CALLS))
def test_killed_at_any_call_and_resumed_it_ends_the_same(at: int, where: str) -> None:
    world = FakeWorld()
    cut(world, at, where)
    if (at, where) != (CALLS - 1, "after"):  # there the last word was written already
        again = world.engine()
        again.resume()
        assert again.run() is Phase.DONE
    assert world.outcome == released().outcome


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("at", range(CALLS))
def test_killed_at_any_call_and_aborted_it_is_as_before_or_done(at: int, where: str) -> None:
    world = FakeWorld()
    cut(world, at, where)
    if world.state.release is None:
        assert world.outcome == released().outcome
        return
    again = world.engine()
    try:
        again.take_back("aborted")
    except Refused:  # the other colour is cold: forward is the only way
        assert again.run() is Phase.DONE
        assert world.outcome == released().outcome
    else:
        assert again.run() is Phase.ROLLED_BACK
        assert world.outcome == untouched()


def turn_back(engine: Engine) -> None:
    engine.take_back("slow")
    engine.run()


def aborted(cut_at: int | None, where: str) -> FakeWorld:
    """A release that is taken back at 100 %; killed on its way back, and resumed."""
    world = FakeWorld()
    world.verdict_now = lambda: bad("status 500") if world.listener[GREEN] == 100 and cut_at is None else GOOD
    world.clock.during[8] = lambda: setattr(world.clock, "is_pause_wanted", True)
    assert (world.started().run() is None) == (cut_at is not None)
    if cut_at is None:
        return world
    world.clock.is_pause_wanted = False
    engine = world.engine()
    world.wire.calls.clear()
    world.wire.cut_before, world.wire.cut_after = (cut_at, None) if where == "before" else (None, cut_at)
    with pytest.raises(Killed):
        turn_back(engine)
    world.wire.mend()
    return world


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("at", range(5))
def test_killed_on_its_way_back_it_still_gets_there(at: int, where: str) -> None:
    world = aborted(at, where)
    if world.state.release is not None:
        again = world.engine()
        again.take_back("slow")
        assert again.run() is Phase.ROLLED_BACK
    assert world.outcome == untouched()


def test_what_was_on_the_target_colour_before_is_restored() -> None:
    world = FakeWorld()
    assert world.started().run() is Phase.DONE
    before = replace(world.state, version=1)
    back = flight(release_id="r-2", plan=plan(digest="sha256:" + "c" * 64, target=BLUE), previous=world.state.blue)
    world.verdict_now = lambda: bad("status 500") if world.listener[BLUE] == 5 else GOOD
    assert world.started(back).run() is Phase.ROLLED_BACK
    assert replace(world.state, version=1) == before


class CountedLock:
    """A lock that is lost after some renewals."""

    token = 1

    def __init__(self, renewals: int) -> None:
        self.left, self.is_lost = renewals, threading.Event()

    def renew(self) -> None:
        if not self.left:
            self.is_lost.set()
            raise LockLost("taken over")
        self.left -= 1


def test_a_kept_lock_is_renewed_until_it_is_lost() -> None:
    lock = CountedLock(3)
    with kept(lock, 0.01):
        assert lock.is_lost.wait(5)
    assert lock.left == 0


class AbsentLock:
    """A lock whose API is away for some beats."""

    token = 1

    def __init__(self, *problems: Exception) -> None:
        self.problems, self.is_back = list(problems), threading.Event()

    def renew(self) -> None:
        if self.problems:
            raise self.problems.pop()
        self.is_back.set()


def test_a_lock_is_kept_through_an_outage() -> None:
    throttled = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "UpdateItem")
    lock = AbsentLock(
        ConnectionError("away"), EndpointConnectionError(endpoint_url="x"), throttled, ResponseParserError("cut off")
    )
    with kept(lock, 0.01):
        assert lock.is_back.wait(5)
