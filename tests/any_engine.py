"""Engines in a world that does what it likes: killed, paused, throttled, overruled, with clocks that jump."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from release.engine import PAUSED, RESUMED, Engine
from release.errors import ReleaseError
from release.flags import flag
from release.ledger import Colour, Plan, State
from release.machine import Phase
from release.states import paused, resumed
from release.verdict import GOOD, Outcome, Verdict
from release_world import LIVE, SERVERS, FakeWorld, Killed, OutOfSight, Throttled, bad, flight, plan

VERDICTS = st.sampled_from([GOOD, GOOD, bad("status 500"), *(Verdict(o, "") for o in Outcome if o is not Outcome.FAIL)])
STEPS = st.sampled_from([(100,), (5, 100), (1, 10, 40, 100)])


class AnyEngine(RuleBasedStateMachine):
    """One environment, one engine at a time that has the lock, and everything that may happen to them."""

    stepped: ClassVar[int] = 0
    """Rules that were run, by all machines of a class."""
    servers: ClassVar[int] = SERVERS
    """Of the live colour, while no release is under way."""

    def made(self, is_empty: bool) -> FakeWorld:
        return FakeWorld(State.initial() if is_empty else State.first(LIVE, SERVERS))

    def wanted(self, steps: tuple[int, ...], digest: str, capacity: int) -> Plan:
        state = self.world.state
        return plan(
            digest=digest,
            target=state.idle,
            steps=steps if state.is_released else (100,),
            capacity=max(capacity, SERVERS),
        )

    def check_served(self, colour: Colour, weight: int) -> None:
        is_served = not weight or self.world.servers[colour][1]
        assert self.is_foreign or is_served, f"{colour} gets {weight} % without servers"

    @initialize(is_empty=st.booleans())
    def begin(self, is_empty: bool) -> None:
        self.world = self.made(is_empty)
        self.engine: Engine | None = None
        self.releases, self.is_foreign = 0, False

    @property
    def is_in_flight(self) -> bool:
        return self.world.state.release is not None

    def does(self, act: Callable[[], object]) -> None:
        """Whatever an engine may end by: it says so, it is killed, or nobody looks any longer."""
        try:
            act()
        except (ReleaseError, Killed, Throttled):
            self.engine = None
        except OutOfSight:
            pass
        finally:
            self.world.wire.mend()
            self.world.clock.is_pause_wanted = False

    @rule(steps=STEPS, digest=st.sampled_from("bcd"), capacity=st.integers(1, 4))
    def somebody_starts(self, steps: tuple[int, ...], digest: str, capacity: int) -> None:
        if self.is_in_flight or self.is_foreign:  # the lock is held, or a gate is closed
            return
        state = self.world.state
        self.releases += 1
        release = flight(
            release_id=f"r-{self.releases}",
            plan=self.wanted(steps, f"sha256:{digest * 64}", capacity),
            previous=state.side(state.idle),
            since=self.world.clock.now(),
        )
        engine = self.world.engine()
        self.engine = engine
        self.does(lambda: engine.begin(release, ""))

    @rule(looks=st.integers(1, 8))
    def time_passes(self, looks: int) -> None:
        engine = self.engine
        if engine is None or not self.is_in_flight:
            self.world.clock.time += timedelta(seconds=looks)
            return
        self.world.clock.sleeps_left = looks
        self.does(engine.run)
        self.world.clock.sleeps_left = None

    @rule(looks=st.integers(1, 20))
    def a_quiet_while(self, looks: int) -> None:
        self.all_recovers()
        if self.is_in_flight and (self.engine is None or self.world.state.release.is_paused):  # type: ignore[union-attr]
            self.somebody_resumes()
        self.time_passes(looks)

    @rule(looks=st.integers(1, 6))
    def another_quiet_while(self, looks: int) -> None:
        self.a_quiet_while(looks)

    @rule()
    def all_recovers(self) -> None:
        self.world.sick, self.world.verdict_now = dict.fromkeys(Colour, 0), lambda: GOOD

    @rule(call=st.integers(0, 6), is_before=st.booleans(), looks=st.integers(1, 8))
    def it_is_killed(self, call: int, is_before: bool, looks: int) -> None:
        wire = self.world.wire
        at = len(wire.calls) + call
        wire.cut_before, wire.cut_after = (at, None) if is_before else (None, at)
        self.time_passes(looks)
        self.world.wire.mend()
        self.engine = None

    @rule(calls=st.integers(1, 5), looks=st.integers(1, 8))
    def it_is_throttled(self, calls: int, looks: int) -> None:
        self.world.wire.throttled = calls
        self.time_passes(looks)
        self.world.wire.throttled = 0

    @rule(looks=st.integers(1, 10))
    def ctrl_c(self, looks: int) -> None:
        self.world.clock.is_pause_wanted = True
        self.time_passes(looks)
        self.world.clock.is_pause_wanted = False
        self.engine = None

    @rule(is_paused=st.booleans())
    def somebody_flags_it(self, is_paused: bool) -> None:
        now = self.world.clock.now()
        change, word = (paused, PAUSED) if is_paused else (resumed, RESUMED)
        try:
            flag(self.world, lambda state: change(state, now), word, "", by="bob", at=now)
        except ReleaseError:
            assert not self.is_in_flight or self.world.state.release is None or is_paused

    @precondition(lambda self: self.is_in_flight)
    @rule()
    def somebody_resumes(self) -> None:
        engine = self.engine = self.world.engine()
        self.does(engine.resume)

    @precondition(lambda self: self.is_in_flight)
    @rule(looks=st.integers(0, 8))
    def somebody_takes_it_back(self, looks: int) -> None:
        engine = self.engine = self.world.engine()  # takes the lock over
        self.does(lambda: engine.take_back("because"))
        self.time_passes(looks)

    @rule(share=st.integers(0, 100))
    def somebody_changes_the_listener(self, share: int) -> None:
        if self.world.state.is_released:
            self.world.listener = {Colour.BLUE: share, Colour.GREEN: 100 - share}
            self.is_foreign = self.world.listener != self.world.state.shares

    @precondition(lambda self: self.is_foreign and self.is_in_flight)
    @rule(is_adopted=st.booleans())
    def somebody_adopts_or_restores(self, is_adopted: bool) -> None:
        engine = self.engine = self.world.engine()
        self.does(engine.adopt if is_adopted else engine.restore)
        self.is_foreign = self.world.listener != self.world.state.shares

    @rule(colour=st.sampled_from(Colour), sick=st.integers(0, 4), looks=st.integers(0, 8))
    def servers_flap(self, colour: Colour, sick: int, looks: int) -> None:
        self.world.sick[colour] = sick
        self.time_passes(looks)

    @rule(verdict=VERDICTS, looks=st.integers(0, 8))
    def the_judge_says(self, verdict: Verdict, looks: int) -> None:
        self.world.verdict_now = lambda: verdict
        self.time_passes(looks)

    @rule(hours=st.integers(-48, 48))
    def the_clock_jumps(self, hours: int) -> None:
        self.world.clock.jumped += timedelta(hours=hours)

    @invariant()
    def all_is_well(self) -> None:
        type(self).stepped += 1
        state, world = self.world.state, self.world
        if world.listener == state.shares:
            self.is_foreign = False
        assert sum(world.listener.values()) in ({100} if state.is_released and not state.release else {0, 100})
        for colour, weight in world.listener.items():
            self.check_served(colour, weight)
        assert [entry.version for entry in world.entries] == list(range(2, state.version + 1))
        if state.release is None and not self.is_foreign:
            assert world.listener == state.shares
            assert world.servers[state.idle][1] == 0
            assert world.servers[state.live][1] == state.side(state.live).capacity  # no pin is left
            assert state.side(state.live).capacity == (self.servers if state.is_released else 0)

    def teardown(self) -> None:
        """However it stands: once the world is well again, somebody can end it."""
        if not hasattr(self, "world"):
            return
        self.all_recovers()
        if self.world.state.release is None:
            return
        engine = self.world.engine()
        if self.world.listener != self.world.state.shares and self.world.state.release.phase is not Phase.ROLLING_BACK:
            engine.restore()
        engine.resume()
        assert engine.run() in (Phase.DONE, Phase.ROLLED_BACK)
        self.is_foreign = False
        self.all_is_well()
        assert replace(self.world.state, version=1).release is None
