from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from release.decision import decide
from release.effects import Apply, Record, Seen, Shift, Wait, declared
from release.errors import ForeignWeights, IllegalEvent, Refused, UnsafeWeights
from release.ledger import Colour, State
from release.machine import Event, Phase
from release.moves import is_warm, take_back
from release.states import floor
from release.verdict import GOOD, Verdict
from release_world import LIVE, SERVERS, START, bad, flight, plan

BLUE, GREEN = Colour.BLUE, Colour.GREEN
BEFORE = State.first(LIVE, SERVERS)


def shifting(step: int = 0) -> State:
    """A release that is at a step of 5, 50, 100."""
    share = plan().steps[step]
    release = flight(phase=Phase.SHIFTING, step=step)
    green = replace(BEFORE.green, digest=release.plan.digest, capacity=SERVERS, weight=share)
    return replace(BEFORE, version=5, blue=replace(BEFORE.blue, weight=100 - share), green=green, release=release)


def seen(state: State, **changes: object) -> Seen:
    """The world as the ledger has it, and everybody healthy."""
    values: dict[str, object] = {
        "now": START,
        "healthy": {colour: state.side(colour).capacity for colour in Colour},
        "weights": state.weights,
        "steady": timedelta(0),
        "applied": declared(state),
    }
    return Seen(**{**values, **changes})  # type: ignore[arg-type]  # the test says which fields


def decided(state: State, **changes: object) -> object:
    assert state.release is not None
    return decide(state, state.release, seen(state, **changes))


def event_of(decision: object) -> Event:
    assert isinstance(decision, Record)
    return decision.event


def test_a_step_is_written_to_the_listener_once_the_ledger_has_it() -> None:
    assert decided(shifting(), weights={BLUE: 100, GREEN: 0}) == Shift({BLUE: 95, GREEN: 5})


def test_a_step_bakes_as_long_as_the_plan_says() -> None:
    waiting = decided(shifting(), steady=timedelta(seconds=1.5))
    assert waiting == Wait("green bakes at 5 %", START + timedelta(seconds=0.5))
    assert event_of(decided(shifting(), steady=timedelta(seconds=2))) is Event.STEP_PASSED


def test_after_the_last_step_the_target_is_live() -> None:
    decision = decided(shifting(2), steady=timedelta(seconds=2))
    assert isinstance(decision, Record)
    assert (decision.event, decision.state.live) == (Event.ALL_MOVED, GREEN)


def test_a_colour_with_too_few_healthy_servers_gets_no_request() -> None:
    decision = decided(shifting(), weights={BLUE: 100, GREEN: 0}, healthy={BLUE: SERVERS, GREEN: floor(SERVERS) - 1})
    assert event_of(decision) is Event.FAILED
    assert isinstance(decision, Record)
    assert decision.state.weights == {BLUE: 100, GREEN: 0}


@pytest.mark.parametrize("weights", [{BLUE: 0, GREEN: 0}, {BLUE: 30, GREEN: 70}, {BLUE: 0, GREEN: 100}])
def test_weights_that_no_step_gave_stop_the_release(weights: dict[Colour, int]) -> None:
    with pytest.raises(ForeignWeights):
        decided(shifting(), weights=weights)


def test_the_weights_of_the_step_before_are_its_own() -> None:
    assert decided(shifting(1), weights={BLUE: 95, GREEN: 5}) == Shift({BLUE: 50, GREEN: 50})


def test_on_its_way_back_it_takes_nothing_more() -> None:
    state = shifting()
    assert state.release is not None
    back = take_back(state, state.release, "slow", START).state
    assert back.release is not None
    assert back.release.phase is Phase.ROLLING_BACK
    with pytest.raises(IllegalEvent, match="a release that is ROLLING_BACK takes no TAKEN_BACK"):
        take_back(back, back.release, "slow", START)


class AnyWorld(RuleBasedStateMachine):
    """A release in a world that does what it likes; the engine does what was decided, or is killed instead."""

    @initialize()
    def begin(self) -> None:
        self.now, self.state = START, replace(BEFORE, version=2, release=flight())
        self.weights, self.servers = dict(BEFORE.weights), {BLUE: SERVERS, GREEN: 0}
        self.healthy = dict(self.servers)
        self.applied = declared(BEFORE)
        self.knows_applied, self.steady_from = False, START
        self.events: list[str] = []

    def seen(self, verdict: Verdict) -> Seen:
        return Seen(
            now=self.now,
            healthy=dict(self.healthy),
            weights=dict(self.weights),
            steady=self.now - self.steady_from,
            applied=self.applied if self.knows_applied else None,
            verdict=verdict,
        )

    @rule(looks=st.integers(1, 20))
    def nothing_disturbs_it(self, looks: int) -> None:
        for _ in range(looks):
            self.looks(GOOD, does_it=True)
            self.now += timedelta(seconds=1)

    @rule()
    def all_recover(self) -> None:
        self.healthy = dict(self.servers)

    @rule(verdict=st.sampled_from([GOOD, GOOD, bad("status 500")]), does_it=st.booleans())
    def something_may(self, verdict: Verdict, does_it: bool) -> None:
        self.looks(verdict, does_it=does_it)

    def looks(self, verdict: Verdict, *, does_it: bool) -> None:
        release = self.state.release
        if release is None:
            return
        try:
            decision = decide(self.state, release, self.seen(verdict))
        except (ForeignWeights, UnsafeWeights):
            return
        if not does_it:  # killed between the decision and the deed
            self.is_killed()
            return
        match decision:
            case Record():
                assert decision.state.version == self.state.version + 1
                self.state = decision.state
                self.steady_from = self.now
                self.events.append(decision.event)
            case Shift():
                self.check(decision)
                self.weights = dict(decision.weights)
                self.steady_from = self.now
            case Apply():
                self.applies()
            case Wait():
                assert decision.until > self.now

    def check(self, decision: Shift) -> None:
        assert sum(decision.weights.values()) == 100
        assert decision.weights == self.state.weights  # the intent was in the ledger
        for colour, weight in decision.weights.items():
            risen = weight > self.weights[colour]
            assert not risen or self.healthy[colour] >= floor(self.servers[colour])

    def applies(self) -> None:
        for colour in Colour:
            wanted = self.state.side(colour).capacity
            assert wanted or not self.weights[colour], f"{colour} loses its servers at {self.weights[colour]} %"
            self.healthy[colour] = wanted if wanted != self.servers[colour] else self.healthy[colour]
            self.servers[colour] = wanted
        self.applied, self.knows_applied = declared(self.state), True

    @rule()
    def is_killed(self) -> None:
        self.knows_applied, self.steady_from = False, self.now

    @rule(seconds=st.sampled_from([0.5, 2, 5, 60, 600]))
    def time_goes_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(colour=st.sampled_from(Colour), share=st.integers(0, 2))
    def health_flaps(self, colour: Colour, share: int) -> None:
        self.healthy[colour] = min(self.servers[colour], share)

    @rule()
    def somebody_asks_for_the_way_back(self) -> None:
        release = self.state.release
        if release is None:
            return
        try:
            self.state = take_back(self.state, release, "by hand", self.now).state
        except IllegalEvent:
            assert release.phase is Phase.ROLLING_BACK
        except Refused:
            assert not is_warm(self.state, release)
        else:
            self.steady_from = self.now

    @rule(share=st.integers(0, 100))
    def somebody_else_turns_the_traffic(self, share: int) -> None:
        if all(self.servers.values()):
            self.weights = {BLUE: 100 - share, GREEN: share}
            self.steady_from = self.now

    @invariant()
    def a_colour_with_requests_has_servers(self) -> None:
        assert sum(self.weights.values()) == 100
        for colour in Colour:
            assert not self.weights[colour] or self.servers[colour]

    @invariant()
    def the_end_is_clean(self) -> None:
        if self.state.release is None:
            assert self.state.side(self.state.live).weight == 100
            assert self.state.side(self.state.idle).capacity == 0
            assert (self.state.live is GREEN) == (self.events[-1] == Event.SETTLED)


AnyWorld.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
TestAnyWorld = AnyWorld.TestCase
