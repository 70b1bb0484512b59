"""What a release holds on to, hears and tells: capacity, hooks, weights of somebody else's."""

import pytest

from release.engine import Engine
from release.errors import ForeignWeights, Refused, UnsafeWeights
from release.ledger import Colour
from release.machine import Phase
from release.verdict import NO_HOOK, Answer, HookAnswer, HookRun
from release_world import LIVE, NEXT, SERVERS, FakeWorld, flight, plan

BLUE, GREEN = Colour.BLUE, Colour.GREEN
GROWN = flight(plan=plan(capacity=6))


def test_while_it_is_under_way_neither_colour_is_scaled_in_and_afterwards_both_are_free() -> None:
    world = FakeWorld()
    during: list[tuple[int, int]] = []
    world.clock.during[1] = lambda: during.append((world.servers[BLUE][1], world.servers[GREEN][1]))
    assert world.started(GROWN).run() is Phase.DONE
    assert during == [(6, 6)]
    assert world.servers == {BLUE: (LIVE, 0), GREEN: (NEXT, SERVERS)}


def test_taken_back_the_live_colour_is_free_again_too() -> None:
    world = FakeWorld()
    engine = world.started(GROWN)
    world.clock.during[1] = lambda: engine.take_back("slow")
    assert engine.run() is Phase.ROLLED_BACK
    assert world.servers == {BLUE: (LIVE, SERVERS), GREEN: ("", 0)}


def asked(world: FakeWorld, phase: Phase, answer: HookAnswer) -> None:
    """Hooks that answer so in a phase."""

    def hook() -> HookAnswer:
        release = world.state.release
        return answer if release and release.phase is phase else NO_HOOK

    world.hook_now = hook


@pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.VERIFYING, Phase.SHIFTING, Phase.SETTLING])
def test_a_hook_that_says_stop_takes_it_back(phase: Phase) -> None:
    world = FakeWorld()
    asked(world, phase, HookAnswer(answer=Answer.STOP, why="smoke.sh says stop"))
    assert world.started().run() is Phase.ROLLED_BACK
    [failed] = [entry for entry in world.entries if entry.event == "FAILED"]
    assert failed.why == "smoke.sh says stop"
    assert world.told == [Phase.ROLLED_BACK]


@pytest.mark.parametrize("phase", [Phase.PREPARING, Phase.VERIFYING, Phase.SHIFTING, Phase.SETTLING])
def test_a_hook_that_says_wait_is_waited_for(phase: Phase) -> None:
    world = FakeWorld()
    asked(world, phase, HookAnswer(answer=Answer.WAIT, why="smoke.sh runs"))
    world.clock.during[60] = lambda: setattr(world, "hook_now", lambda: NO_HOOK)
    assert world.started().run() is Phase.DONE
    assert world.clock.monotonic() >= 60
    assert world.told == [Phase.DONE]


def test_what_a_hook_printed_is_in_the_history() -> None:
    world = FakeWorld()
    run = HookRun(command="smoke.sh", phase=Phase.VERIFYING, answer=Answer.GO, seconds=1.25, output="3 passed")
    answers = [HookAnswer(answer=Answer.GO, why="", ended=(run,))]
    world.hook_now = lambda: answers.pop() if answers else NO_HOOK
    assert world.started().run() is Phase.DONE
    [kept] = [entry for entry in world.entries if entry.event == "HOOK"]
    assert (kept.why, kept.phase) == ("smoke.sh: GO after 1.2 s. 3 passed", Phase.VERIFYING)


def foreign(share: int, at: float = 1) -> tuple[FakeWorld, Engine]:
    """A release at 5 % whose listener somebody gives other weights; and the engine of whoever comes next."""
    world = FakeWorld()
    world.clock.during[at] = lambda: setattr(world, "listener", {BLUE: 100 - share, GREEN: share})
    with pytest.raises(ForeignWeights):
        world.started().run()
    return world, world.engine()


def test_restored_it_goes_on_from_the_ledgers_weights() -> None:
    world, engine = foreign(30)
    engine.restore()
    assert world.listener == {BLUE: 95, GREEN: 5}
    engine.resume()
    assert engine.run() is Phase.DONE


@pytest.mark.parametrize(("share", "then"), [(2, 50), (30, 50), (70, 100)])
def test_adopted_it_goes_on_from_the_listeners(share: int, then: int) -> None:
    world, engine = foreign(share)
    engine.adopt()
    engine.resume()
    writes = len(world.writes)
    assert engine.run() is Phase.DONE
    assert world.writes[writes][GREEN] == then


def test_weights_that_no_step_can_have_are_not_adopted() -> None:
    world, engine = foreign(0, at=3)
    with pytest.raises(Refused, match="can't go on from weights blue 100, green 0: restore them"):
        engine.adopt()
    world.listener = {BLUE: 0, GREEN: 0}
    with pytest.raises(Refused):
        engine.adopt()


def test_weights_are_not_restored_to_a_colour_without_servers() -> None:
    world, engine = foreign(30)
    world.sick[BLUE] = SERVERS
    with pytest.raises(UnsafeWeights, match="blue has 0 healthy servers, and needs 1"):
        engine.restore()
    assert world.listener == {BLUE: 70, GREEN: 30}
