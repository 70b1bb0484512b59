"""Releases in an environment with a data volume: what the engine makes of release.gap."""

import pytest

from release.errors import UnsafeWeights
from release.ledger import Colour, Side
from release.machine import Phase
from release.states import is_cut_off
from release.verdict import GOOD, NO_HOOK, Answer, HookAnswer, Outcome, Verdict
from release_world import LIVE, NEXT, START, FakeWorld
from volume_world import (
    DETACH_SECONDS,
    VolumeWorld,
    at_phase,
    empty,
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


FORTH = [
    "PLANNED", "STARTED", "GAP_BEGUN", "SNAPSHOT_MADE", "IDLE_HEALTHY", "IDLE_VERIFIED", "ALL_MOVED", "SETTLED",
]  # fmt: skip


BACK = ["RETIRED", "LIVE_RECALLED", "LIVE_RESTORED"]


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


def test_the_volume_is_asked_for_only_while_nobody_is_to_have_it() -> None:
    world = released()
    assert world.looks_at_volume <= 2 + DETACH_SECONDS / 0.5
    plain = FakeWorld()
    plain.data = spied = VolumeWorld()
    assert plain.started().run() is Phase.DONE
    assert spied.looks_at_volume == 0
