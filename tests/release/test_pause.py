"""A release that holds: asked to, or because nobody can tell whether it is good."""

from datetime import timedelta

import pytest

from release.errors import Refused
from release.history import entry_for
from release.ledger import Colour
from release.machine import Phase
from release.states import paused, resumed
from release.verdict import GOOD, Outcome, Verdict
from release_world import SERVERS, START, FakeWorld, bad, flight, plan

BLUE, GREEN = Colour.BLUE, Colour.GREEN
UNSURE = Verdict(Outcome.INCONCLUSIVE, "as slow as blue")


def somebody(world: FakeWorld, is_paused: bool) -> None:
    """Somebody without a lock pauses the release, or lets it go on."""
    change, word = (paused, "PAUSED") if is_paused else (resumed, "RESUMED")
    state = change(world.state, world.clock.now())
    following = type(state)(**{**{f: getattr(state, f) for f in state.__slots__}, "version": state.version + 1})
    release = following.release
    assert release is not None
    entry = entry_for(following, word, release.phase, "", at=world.clock.now(), by="bob", release_id=release.release_id)
    world.record(following, entry, None)


def seconds_of(world: FakeWorld, event: str) -> list[float]:
    """When an event happened, in seconds from the start."""
    return [(entry.at - START).total_seconds() for entry in world.entries if entry.event == event]


def test_paused_by_somebody_else_it_holds_its_weights_and_then_goes_on() -> None:
    world = FakeWorld()
    world.clock.during[3] = lambda: somebody(world, is_paused=True)
    world.clock.during[100] = lambda: somebody(world, is_paused=False)
    assert world.started().run() is Phase.DONE
    [held], [went_on] = seconds_of(world, "PAUSED"), seconds_of(world, "RESUMED")
    assert not [entry for entry in world.entries if held < (entry.at - START).total_seconds() < went_on]
    assert min(second for second in seconds_of(world, "STEP_PASSED") if second > went_on) >= went_on + 2  # bakes anew


def test_while_it_is_paused_it_is_watched() -> None:
    world = FakeWorld()
    world.clock.during[3] = lambda: somebody(world, is_paused=True)
    world.clock.during[50] = lambda: setattr(world, "verdict_now", lambda: bad("status 500"))
    assert world.started().run() is Phase.ROLLED_BACK
    [failed] = seconds_of(world, "FAILED")
    assert 50 <= failed < 51


def test_while_it_is_paused_a_colour_that_loses_its_servers_is_taken_back() -> None:
    world = FakeWorld()
    world.clock.during[3] = lambda: somebody(world, is_paused=True)
    world.clock.during[50] = lambda: world.sick.update({GREEN: SERVERS})
    assert world.started().run() is Phase.ROLLED_BACK


def test_nobody_pauses_it_for_ever() -> None:
    world = FakeWorld()
    world.clock.during[3] = lambda: somebody(world, is_paused=True)
    assert world.started(flight(plan=plan(pause_seconds=30.0))).run() is Phase.ROLLED_BACK
    [failed] = [entry for entry in world.entries if entry.event == "FAILED"]
    assert failed.why == "paused for 30 s, and nobody let it go on"
    assert 33 <= (failed.at - START).total_seconds() < 35


@pytest.mark.parametrize("phase", [Phase.VERIFYING, Phase.SHIFTING])
def test_what_nobody_can_tell_is_waited_for_and_then_paused(phase: Phase) -> None:
    world = FakeWorld()
    world.verdict_now = lambda: UNSURE if world.state.release and world.state.release.phase is phase else GOOD
    world.upon["Pause"] = lambda: world.clock.during.update({200: lambda: setattr(world, "verdict_now", lambda: GOOD)})
    world.clock.during[210] = lambda: somebody(world, is_paused=False)
    assert world.started().run() is Phase.DONE
    [held] = [entry for entry in world.entries if entry.event == "PAUSED"]
    assert held.phase == phase
    assert held.why == "no verdict in 10 s; INCONCLUSIVE: as slow as blue"
    assert (held.at - START).total_seconds() >= 10


def test_a_verdict_that_comes_late_lets_the_step_pass() -> None:
    world = FakeWorld()
    world.verdict_now = lambda: Verdict(Outcome.NO_DATA, "3 of 20 samples") if world.clock.monotonic() < 8 else GOOD
    assert world.started().run() is Phase.DONE
    assert "PAUSED" not in [entry.event for entry in world.entries]


def test_on_its_way_back_nobody_pauses_it() -> None:
    world = FakeWorld()
    engine = world.started()
    engine.take_back("slow")
    with pytest.raises(Refused, match="release r-1 is on its way back"):
        paused(world.state, START + timedelta(seconds=1))
    assert engine.run() is Phase.ROLLED_BACK


def test_without_a_release_nobody_pauses_anything() -> None:
    for change in (paused, resumed):
        with pytest.raises(Refused, match="no release is in flight"):
            change(FakeWorld().state, START)


def test_somebody_who_writes_in_between_is_heard() -> None:
    world = FakeWorld()
    world.upon["Record"] = lambda: somebody(world, is_paused=True)  # between the decision and its writing
    world.clock.during[5] = lambda: somebody(world, is_paused=False)
    assert world.started().run() is Phase.DONE
    assert [entry.event for entry in world.entries][:3] == ["PLANNED", "PAUSED", "RESUMED"]
    assert [entry.version for entry in world.entries] == list(range(2, world.state.version + 1))
