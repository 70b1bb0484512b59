"""The loop around a release: look, decide, do one thing, and again until it is over.

What decides is release.decision, which is pure. The intent of every effect is in the ledger before it, and every effect
may be done twice; so whoever gets the lock after a crash goes on by the same loop.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from release.decision import (
    Apply,
    Decision,
    Declared,
    Record,
    Seen,
    Shift,
    Wait,
    Weights,
    decide,
    declared,
    is_fit,
    take_back,
)
from release.errors import ForeignWeights, InfrastructureFailed, LockLost, Refused, TrafficNotConfirmed
from release.history import Entry, entry_for
from release.ledger import InFlight, State
from release.machine import Phase, after
from release.ports import Clock, Health, Infrastructure, Ledger, Lock, Probe, Traffic, Watcher

LOOK_SECONDS = 0.5
"""Between two looks while there is nothing to do."""
PROBED = frozenset({Phase.VERIFYING, Phase.SHIFTING, Phase.SETTLING})
PLANNED, PAUSED, RESUMED = "PLANNED", "PAUSED", "RESUMED"
"""Words of the history for what is no event of the machine's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that an engine deals with."""

    ledger: Ledger
    infrastructure: Infrastructure
    traffic: Traffic
    health: Health
    probe: Probe
    clock: Clock
    watcher: Watcher
    by: str
    """Who runs the engine: for the history."""


class Engine:
    """Takes one release of one environment on, under a lock that it holds. Raises ReleaseError as its ports do."""

    def __init__(self, world: World, lock: Lock) -> None:
        self._world, self._lock = world, lock
        self._applied: Declared | None = None
        self._trouble: str | None = None
        self._steady_from: float | None = None

    def begin(self, release: InFlight, why: str) -> None:
        """Puts a planned release into the ledger: from now on nobody else changes the environment.

        Raises Refused while another one is in flight.
        """
        state = self._world.ledger.read()
        if state.release is not None:
            raise Refused(f"release {state.release.release_id} is in flight (phase {state.release.phase})")
        planned = replace(state, version=state.version + 1, release=release)
        self._write(planned, PLANNED, release.phase, why, release.release_id)

    def resume(self) -> None:
        """Notes that a paused or killed release goes on. Raises Refused where none is in flight."""
        state, release = self._in_flight()
        self._flag(state, release, RESUMED, is_paused=False)

    def take_back(self, why: str) -> None:
        """Turns the release in flight back; nothing to do where it is on its way back already. Raises Refused."""
        state, release = self._in_flight()
        if release.phase is not Phase.ROLLING_BACK:
            self._record(take_back(state, release, why, self._world.clock.now()), release)

    def run(self) -> Phase | None:
        """Takes the release in flight on until it is over, and returns its last phase; None when it was paused."""
        state, release = self._in_flight()
        while True:
            seen = self._look(state, release)
            decision = self._decide(state, release, seen)
            # A shift that the ledger promises is made even so: the listener is never left behind what is written.
            if self._world.clock.is_pause_wanted and not isinstance(decision, Shift):
                self._flag(state, release, PAUSED, is_paused=True)
                return None
            match decision:
                case Record():
                    self._record(decision, release)
                    if decision.state.release is None:
                        return after(release.phase, decision.event)
                    state, release = decision.state, decision.state.release
                case Shift():
                    self._shift(decision.weights)
                case Apply():
                    self._apply(state, release)
                case Wait():
                    self._world.watcher.doing(decision.what)
                    self._world.clock.sleep(min(LOOK_SECONDS, (decision.until - seen.now).total_seconds()))

    def _decide(self, state: State, release: InFlight, seen: Seen) -> Decision:
        try:
            return decide(state, release, seen)
        except ForeignWeights:
            self._lock.renew()  # whoever took the lock over may have taken the traffic, too: that is the news then
            raise

    def _look(self, state: State, release: InFlight) -> Seen:
        world = self._world
        weights = world.traffic.weights()
        moment = world.clock.monotonic()
        if weights != state.weights:
            self._steady_from = None
        elif self._steady_from is None:
            self._steady_from = moment
        steady_from = moment if self._steady_from is None else self._steady_from
        return Seen(
            now=world.clock.now(),
            healthy=world.health.healthy(),
            weights=weights,
            steady=timedelta(seconds=moment - steady_from),
            applied=self._applied,
            trouble=world.probe.trouble(release) if release.phase in PROBED else self._trouble,
        )

    def _shift(self, weights: Weights) -> None:
        try:
            self._world.traffic.shift(weights, self._lock.renew)
        except TrafficNotConfirmed:
            self._lock.renew()  # whoever took the lock over may have taken the traffic, too: that is the news then
            raise
        try:
            self._lock.renew()
        except LockLost:
            self._undo(weights)
            raise

    def _undo(self, late: Weights) -> None:
        """Takes back weights that got to the listener after the lock was another's.

        Between the fence and the load balancer no condition helps: a call may be held up there while somebody else
        takes the lock over, turns the traffic and is done. So whoever did that gives the listener what the ledger
        says; where that has too few healthy servers it is left to whoever has the lock.
        """
        world, state = self._world, self._world.ledger.read()
        if world.traffic.weights() == late and late != state.weights and is_fit(state, world.health.healthy()):
            world.traffic.shift(state.weights, lambda: None)

    def _apply(self, state: State, release: InFlight) -> None:
        self._world.watcher.doing("pulumi up")
        self._lock.renew()
        try:
            self._world.infrastructure.apply(release.release_id)
        except InfrastructureFailed as error:
            if self._world.clock.is_pause_wanted:
                return  # Ctrl-C reached the run of the program, too
            if release.phase is not Phase.PREPARING:
                raise
            self._trouble = str(error)
        else:
            self._applied = declared(state)

    def _in_flight(self) -> tuple[State, InFlight]:
        state = self._world.ledger.read()
        if state.release is None:
            raise Refused("no release is in flight")
        return state, state.release

    def _record(self, decision: Record, release: InFlight) -> None:
        phase = after(release.phase, decision.event)
        self._write(decision.state, decision.event, phase, decision.why, release.release_id)

    def _flag(self, state: State, release: InFlight, word: str, *, is_paused: bool) -> None:
        flagged = replace(state, version=state.version + 1, release=replace(release, is_paused=is_paused))
        self._write(flagged, word, release.phase, "", release.release_id)

    def _write(self, state: State, event: str, phase: Phase, why: str, release_id: str) -> None:
        now = self._world.clock.now()
        entry: Entry = entry_for(state, event, phase, why, at=now, by=self._world.by, release_id=release_id)
        self._world.ledger.record(state, entry, self._lock.token)
        self._world.watcher.recorded(entry)


@contextmanager
def kept(lock: Lock, every_seconds: float) -> Iterator[None]:
    """Renews a lock in the background, so that it outlives whatever takes longer than its term.

    Whoever has lost it hears so at its next write: a renewal in the background only stops.
    """
    done = threading.Event()

    def beat() -> None:
        while not done.wait(every_seconds):
            try:
                lock.renew()
            except LockLost:
                return

    thread = threading.Thread(target=beat, name="lock", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(every_seconds)
