"""A world in memory for releases: ledger, lock, listener, servers and clock, which can be cut off at any call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from release.effects import Decision, Seen
from release.engine import Engine, World
from release.errors import InfrastructureFailed, LedgerConflict, LockLost
from release.history import Entry
from release.ledger import Colour, InFlight, Plan, Routes, Side, State
from release.machine import Phase
from release.ports import Data, Snapshots
from release.states import floor
from release.verdict import GOOD, NO_HOOK, HookAnswer, HookRun, Outcome, Verdict

LIVE, NEXT = "sha256:" + "a" * 64, "sha256:" + "b" * 64
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROUTES = Routes(
    listener_arn="arn:listener", group_arns={colour: f"arn:{colour}" for colour in Colour}, sticky_seconds=0
)
SERVERS = 2


def plan(**changes: object) -> Plan:
    """A short release of NEXT on green."""
    values: dict[str, object] = {
        "digest": NEXT,
        "target": Colour.GREEN,
        "capacity": SERVERS,
        "capacity_after": SERVERS,
        "steps": (5, 50, 100),
        "ready_seconds": 60.0,
        "judge_seconds": 10.0,
        "pause_seconds": 600.0,
        "warm_seconds": 5.0,
        **changes,
    }
    values.setdefault("bakes", (2.0,) * len(values["steps"]))  # type: ignore[arg-type]
    return Plan(**values)  # type: ignore[arg-type]  # the test says which fields


def flight(**changes: object) -> InFlight:
    """A release that was just planned."""
    values: dict[str, object] = {
        "release_id": "r-1",
        "phase": Phase.PLANNED,
        "since": START,
        "step": 0,
        "paused_at": None,
        "started_by": "ann",
        "started_at": START,
        "plan": plan(),
        "previous": Side(digest=None, capacity=0, weight=0),
        "routes": ROUTES,
    }
    return InFlight(**{**values, **changes})  # type: ignore[arg-type]


def bad(why: str) -> Verdict:
    """A verdict against the target colour."""
    return Verdict(Outcome.FAIL, why)


class Throttled(Exception):
    """Stands for an API that answers nothing else, for longer than its client tries."""


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the engine may catch it."""


@dataclass
class Wire:
    """Every call to the outside goes over it; it is cut before or after the call of a given number."""

    cut_before: int | None = None
    cut_after: int | None = None
    throttled: int = 0
    """Calls that are still to be refused."""
    calls: list[str] = field(default_factory=list)

    def over(self, name: str, effect: Callable[[], None]) -> None:
        """Makes a call."""
        number = len(self.calls)
        self.calls.append(name)
        if self.throttled:
            self.throttled -= 1
            raise Throttled(name)
        if number == self.cut_before:
            raise Killed(f"before {name}")
        effect()
        if number == self.cut_after:
            raise Killed(f"after {name}")

    def mend(self) -> None:
        """No more cuts."""
        self.cut_before = self.cut_after = None


class OutOfSight(BaseException):
    """Ends a look at an engine that goes on later: nothing in it may catch this."""


class FakeClock:
    """Time that passes only in sleep, and a little with every look at it."""

    def __init__(self) -> None:
        self.time, self.is_pause_wanted = START, False
        self.jumped = timedelta(0)
        """How far the time of day was set forth or back."""
        self.during: dict[float, Callable[[], None]] = {}
        self.sleeps_left: int | None = None

    def now(self) -> datetime:
        return self.time + self.jumped

    def monotonic(self) -> float:
        return (self.time - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        if self.sleeps_left is not None:
            if not self.sleeps_left:
                raise OutOfSight
            self.sleeps_left -= 1
        self.time += timedelta(seconds=max(seconds, 0.01))
        for moment in [moment for moment in self.during if moment <= self.monotonic()]:
            self.during.pop(moment)()


class FakeLock:
    """One of a series of locks; only the last one is good."""

    def __init__(self, world: "FakeWorld") -> None:
        self._world = world
        world.token += 1
        self.token = world.token

    def renew(self) -> None:
        if self.token != self._world.token:
            raise LockLost(f"token {self._world.token} is the lock's, not {self.token}")


class FakeWorld:
    """Every port in one; `engine` makes an engine as a new process would."""

    def __init__(self, state: State | None = None) -> None:
        self.wire, self.clock = Wire(), FakeClock()
        self.state, self.entries, self.token = state or State.first(LIVE, SERVERS), list[Entry](), 0
        self.listener: Mapping[Colour, int] = self.state.shares
        self.declared_weights = self.listener
        self.servers = {
            colour: (self.state.side(colour).digest or "", self.state.side(colour).capacity) for colour in Colour
        }
        self.sick: dict[Colour, int] = dict.fromkeys(Colour, 0)
        self.verdict_now: Callable[[], Verdict] = lambda: GOOD
        self.hook_now: Callable[[], HookAnswer] = lambda: NO_HOOK
        self.told: list[Phase] = []
        self.broken_program = 0
        self.data: Data | None = None
        self.shelf: Snapshots | None = None
        self.writes: list[Mapping[Colour, int]] = []
        self.upon: dict[str, Callable[[], None]] = {}

    def engine(self) -> Engine:
        """An engine of a new process, with a new lock."""
        world = World(
            ledger=self,
            infrastructure=self,
            traffic=self,
            health=self,
            data=self.data,
            snapshots=self.shelf,
            judge=self,
            hooks=self,
            clock=self.clock,
            watcher=self,
            by="ann",
        )
        return Engine(world, FakeLock(self))

    def started(self, release: InFlight | None = None) -> Engine:
        """An engine whose release is in the ledger."""
        engine = self.engine()
        engine.begin(release or flight(), "because")
        return engine

    def read(self) -> State:
        return self.state

    def record(self, state: State, entry: Entry, token: int | None) -> None:
        def write() -> None:
            if token not in (self.token, None):
                raise LockLost("the lock was taken over")
            if state.version != self.state.version + 1:
                raise LedgerConflict("somebody else wrote")
            self.state = state
            self.entries.append(entry)

        self.wire.over(f"record {entry.event}", write)

    def apply(self, release_id: str) -> None:
        def run() -> None:
            if self.broken_program:
                self.broken_program -= 1
                raise InfrastructureFailed("the run failed")
            assert self.state.release is not None
            assert self.state.release.release_id == release_id
            self._place_servers()
            if self.declared_weights != self.state.shares:  # the engine writes only what its own state has otherwise
                self._set(self.state.shares)
                self.declared_weights = self.state.shares
            self._check_served()

        self.wire.over("apply", run)

    def _place_servers(self) -> None:
        for colour in Colour:
            side = self.state.side(colour)
            self.servers[colour] = (side.digest or "", side.capacity)

    def weights(self) -> Mapping[Colour, int]:
        return self.listener

    def shift(self, weights: Mapping[Colour, int], fence: Callable[[], None]) -> None:
        fence()
        self.wire.over("shift", lambda: self._set(weights))

    def healthy(self) -> Mapping[Colour, int]:
        return {colour: max(0, self.servers[colour][1] - self.sick[colour]) for colour in Colour}

    def verdict(self, release: InFlight) -> Verdict:
        return self.verdict_now()

    def ask(self, release: InFlight) -> HookAnswer:
        return self.hook_now()

    def tell(self, release_id: str, phase: Phase) -> tuple[HookRun, ...]:
        self.told.append(phase)
        return ()

    def recorded(self, entry: Entry) -> None:
        """Looks on; what a test wants to happen upon an event happens here."""
        if entry.event in self.upon:
            self.upon.pop(entry.event)()

    def looked(self, state: State, seen: Seen, decision: Decision) -> None:
        """Looks on; what a test wants to happen at a decision happens here."""
        name = type(decision).__name__
        if name in self.upon:
            self.upon.pop(name)()

    def _set(self, weights: Mapping[Colour, int]) -> None:
        assert sum(weights.values()) == 100 or not self.state.is_released
        assert all(0 <= weight <= 100 for weight in weights.values())
        for colour, weight in weights.items():
            is_fit = self.healthy()[colour] >= floor(self.servers[colour][1])
            assert weight <= self.listener[colour] or is_fit, f"{colour} is not fit for {weight} %"
        self.listener = dict(weights)
        self.writes.append(self.listener)

    def _check_served(self) -> None:
        """Nobody may take servers away that get requests."""
        for colour, weight in self.listener.items():
            assert not weight or self.servers[colour][1], f"{colour} gets {weight} % and has no servers"

    @property
    def outcome(self) -> object:
        """What a release leaves behind, but for versions and times."""
        return replace(self.state, version=1), self.listener, self.servers
