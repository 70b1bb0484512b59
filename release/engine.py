"""The loop around a release: look, decide, do one thing, and again until it is over.

What decides is release.decision, which is pure. The intent of every effect is in the ledger before it, and every effect
may be done twice; so whoever gets the lock after a crash goes on by the same loop. The ledger is read at every look:
`pause` and `resume` of somebody else's reach a running engine by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from release.decision import decide
from release.effects import Apply, Decision, Pause, Record, Seen, Shift, TakeSnapshot, Wait, declared
from release.errors import (
    ForeignWeights,
    InfrastructureFailed,
    LedgerConflict,
    LockLost,
    Refused,
    SnapshotFailed,
    TrafficNotConfirmed,
)
from release.history import Entry, entry_for
from release.keeping import API_IS_AWAY
from release.ledger import InFlight, State
from release.lookout import Lookout
from release.machine import Phase, after
from release.moves import take_back
from release.ports import Clock, Data, Health, Hooks, Infrastructure, Judge, Ledger, Lock, Snapshots, Traffic, Watcher
from release.snapshots import versions_of
from release.states import Weights, adopted, is_fit, paused, resumed, told
from release.tidying import UNTIDY, Tidier
from release.verdict import HookRun

LOOK_SECONDS = 0.5
"""Between two looks while there is nothing to do."""
LEAST_SECONDS = 0.01
WRITE_TRIES = 5
BACK_RUNS = 3
"""How often in a row the program may fail on the way back of a data volume: nobody is served until it has run."""
PLANNED, PAUSED, RESUMED, ADOPTED, RESTORED, HOOK = "PLANNED", "PAUSED", "RESUMED", "ADOPTED", "RESTORED", "HOOK"
"""Words of the history for what is no event of the machine's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that an engine deals with."""

    ledger: Ledger
    infrastructure: Infrastructure
    traffic: Traffic
    health: Health
    data: Data | None
    """The data volume; None where there is none."""
    snapshots: Snapshots | None
    """Its snapshots; None where there is none."""
    judge: Judge
    hooks: Hooks
    clock: Clock
    watcher: Watcher
    by: str
    """Who runs the engine: for the history."""


class Engine:
    """Takes one release of one environment on, under a lock that it holds. Raises ReleaseError as its ports do."""

    def __init__(self, world: World, lock: Lock) -> None:
        self._world, self._lock = world, lock
        self._written: State | None = None
        """What this engine has just written: known without reading it."""
        self._failed_runs = 0
        self._lookout = Lookout(world.traffic, world.health, world.data, world.judge, world.hooks, world.clock)

    def begin(self, release: InFlight, why: str) -> None:
        """Puts a planned release into the ledger: from now on nobody else changes the environment.

        Raises Refused while another one is in flight.
        """
        state = self._world.ledger.read()
        if state.release is not None:
            raise Refused(f"release {state.release.release_id} is in flight (phase {state.release.phase})")
        self._note(replace(state, release=release), PLANNED, why)
        if tidier := self._tidier(state, release, Phase.PLANNED):
            tidier.before(release.plan, versions_of(state))

    def resume(self) -> None:
        """Notes that a paused or killed release goes on. Raises Refused where none is in flight."""
        state, _ = self._in_flight()
        self._note(resumed(state, self._world.clock.now()), RESUMED)

    def adopt(self) -> None:
        """Takes weights that somebody else gave the listener for those of the step. Raises Refused where none fit."""
        state, release = self._in_flight()
        weights = self._world.traffic.weights()
        self._note(adopted(state, release, weights), ADOPTED, f"the listener's weights: {told(weights)}")

    def restore(self) -> None:
        """Gives the listener the ledger's weights again. Raises UnsafeWeights, LockLost, TrafficNotConfirmed."""
        state, _ = self._in_flight()
        found = self._world.traffic.weights()
        self._lookout.check_fit(state, state.shares)
        self._note(state, RESTORED, f"the listener had {told(found)}")
        self._shift(state.shares)

    def take_back(self, why: str) -> None:
        """Turns the release in flight back; nothing to do where it is on its way back already. Raises Refused."""
        state, release = self._in_flight()
        if release.phase is not Phase.ROLLING_BACK:
            self._record(take_back(state, release, why, self._world.clock.now()), release)

    def run(self) -> Phase | None:
        """Takes the release in flight on until it is over, and returns its last phase.

        None when the clock was asked for a pause. A release that is paused otherwise is watched until it goes on.
        """
        while True:
            state, release = self._in_flight()
            self._written = None  # once: from now on others may write
            seen = self._lookout.look(state, release)
            if seen.hook.ended:
                self._note_hooks(seen.hook.ended, release.release_id)
                state, release = self._in_flight()
            decision = self._decide(state, release, seen)
            self._world.watcher.looked(state, seen, decision)
            try:
                # A shift that the ledger promises is made even so: the listener is never left behind what is written.
                if self._world.clock.is_pause_wanted and not isinstance(decision, Shift):
                    self._pause(state, release, "")
                    return None
                last = self._do(state, release, decision)
            except LedgerConflict:
                self._lock.renew()  # still ours: then somebody paused it or let it go on, and that is to be read first
                continue
            if last:
                self._note_hooks(self._world.hooks.tell(release.release_id, last), release.release_id)
                if last is Phase.DONE:
                    self._tidy(release)
                return last

    def _decide(self, state: State, release: InFlight, seen: Seen) -> Decision:
        try:
            return decide(state, release, seen)
        except ForeignWeights:
            self._lock.renew()  # whoever took the lock over may have taken the traffic, too: that is the news then
            raise

    def _do(self, state: State, release: InFlight, decision: Decision) -> Phase | None:
        """Does what was decided; the last phase where that was the end."""
        match decision:
            case Record():
                return self._record(decision, release)
            case Shift():
                self._shift(decision.weights)
            case Apply():
                self._apply(state, release)
            case TakeSnapshot():
                self._take_snapshot(state, release)
            case Pause():
                self._pause(state, release, decision.why)
            case Wait():
                left = (decision.until - self._world.clock.now()).total_seconds()
                self._world.clock.sleep(max(LEAST_SECONDS, min(LOOK_SECONDS, left)))
        return None

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
        if world.traffic.weights() == late and late != state.shares and is_fit(state, world.health.healthy()):
            world.traffic.shift(state.shares, lambda: None)

    def _apply(self, state: State, release: InFlight) -> None:
        self._lock.renew()
        self._lookout.applied = None  # a run that fails may have done half of its work
        try:
            self._world.infrastructure.apply(release.release_id)
        except InfrastructureFailed as error:
            if self._world.clock.is_pause_wanted:
                return  # Ctrl-C reached the run of the program, too
            if release.phase is Phase.PREPARING:
                self._lookout.blame(str(error))
            elif not self._tries_again(release):
                raise
        else:
            self._failed_runs, self._lookout.applied = 0, declared(state)

    def _tries_again(self, release: InFlight) -> bool:
        """Whether a run of the program that failed is to be followed by another: while requests fail meanwhile."""
        self._failed_runs += 1
        is_urgent = release.phase is Phase.ROLLING_BACK and bool(release.plan.data_volume)
        return is_urgent and self._failed_runs < BACK_RUNS

    def _take_snapshot(self, state: State, release: InFlight) -> None:
        if self._world.data is None:
            raise AssertionError("nobody decides so without a data volume")
        self._lock.renew()
        try:
            self._lookout.snapshot = self._world.data.snapshot(release.release_id, state.side(state.live).digest or "")
        except SnapshotFailed as error:
            self._lookout.blame(str(error))

    def _in_flight(self) -> tuple[State, InFlight]:
        state = self._written or self._world.ledger.read()
        if state.release is None:
            self._lock.renew()  # where somebody has taken the lock over and ended it, that is the news
            raise Refused("no release is in flight")
        return state, state.release

    def _pause(self, state: State, release: InFlight, why: str) -> None:
        if not release.is_paused and release.phase is not Phase.ROLLING_BACK:  # which nobody holds up; `resume` goes on
            self._note(paused(state, self._world.clock.now()), PAUSED, why)

    def _record(self, decision: Record, release: InFlight) -> Phase | None:
        phase = after(release.phase, decision.event)
        self._write(decision.state, decision.event, phase, decision.why, release.release_id)
        return phase if phase.is_over else None

    def _note(self, state: State, word: str, why: str = "") -> None:
        """Writes a state as the next version, with a word for the history."""
        release = state.release
        phase, release_id = (release.phase, release.release_id) if release else ("", "")
        self._write(replace(state, version=state.version + 1), word, phase, why, release_id)

    def _note_hooks(self, runs: Sequence[HookRun], release_id: str) -> None:
        for run in runs:
            why = f"{run.command}: {run.answer} after {run.seconds:.1f} s. {run.output}"
            self._note_beside(HOOK, run.phase, why, release_id)

    def _note_beside(self, word: str, phase: str, why: str, release_id: str) -> bool:
        """Puts what changes no state into the history; False where others were quicker each time. Raises LockLost."""
        for _ in range(WRITE_TRIES):
            state = self._world.ledger.read()
            following = replace(state, version=state.version + 1)
            try:
                self._write(following, word, phase, why, release_id)
            except LedgerConflict:
                self._lock.renew()
            else:
                return True
        return False

    def _tidy(self, release: InFlight) -> None:
        state = self._written or self._world.ledger.read()
        if tidier := self._tidier(state, release, Phase.DONE):
            tidier.after(release.plan, versions_of(state), release.release_id)

    def _tidier(self, state: State, release: InFlight, phase: Phase) -> Tidier | None:
        """Whoever deletes old snapshots; None where there is none."""
        world = self._world
        if world.snapshots is None or not release.plan.snapshots_kept:
            return None

        def tell(word: str, why: str) -> bool:
            try:
                return self._note_beside(word, phase, why, release.release_id)
            except (LockLost, *API_IS_AWAY):  # the release is not the worse for it, and here it is shown all the same
                if word == UNTIDY:
                    world.watcher.recorded(self._entry(state, word, phase, why, release.release_id))
                return False

        return Tidier(world.snapshots, self._lock, world.clock, tell)

    def _write(self, state: State, event: str, phase: str, why: str, release_id: str) -> None:
        entry = self._entry(state, event, phase, why, release_id)
        self._world.ledger.record(state, entry, self._lock.token)
        self._written = state
        self._world.watcher.recorded(entry)

    def _entry(self, state: State, event: str, phase: str, why: str, release_id: str) -> Entry:
        now = self._world.clock.now()
        return entry_for(state, event, phase, why, at=now, by=self._world.by, release_id=release_id)
