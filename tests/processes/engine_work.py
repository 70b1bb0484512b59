"""An engine's life with the real adapters, as cli/release/conduct.py leads it; the program is a stand-in."""

import fcntl
import os
import signal
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from processes.job import Do, Ended, FastClock, Fault, Harm, Job, When
from release.adapters.dynamodb import LedgerTable
from release.adapters.dynamodb_lock import TERM, HeldLock, LockTable
from release.adapters.elbv2 import ListenerTraffic, TargetHealth
from release.effects import Decision, Seen
from release.engine import Engine, World
from release.errors import InfrastructureFailed, Refused, ReleaseError, ReleaseInFlight
from release.history import Entry
from release.keeping import kept
from release.ledger import Colour, InFlight, Plan, Routes, State, admit
from release.machine import Phase
from release.verdict import GOOD, NO_HOOK, HookAnswer, HookRun, Verdict

NEXT = "sha256:" + "b" * 64
NETWORK = {Colour.BLUE: "10.0.1", Colour.GREEN: "10.0.2"}
OTHER_RUN_SECONDS, OTHER_RUN_POLL_SECONDS = 30.0, 0.01
STACK_LOCKS = Path(tempfile.gettempdir()) / f"teal-tests-{os.getuid()}.locks"
"""A byte of it is the lock of a stack."""
ENGINE_HEADER = "X-Engine"
"""Says to the API which engine calls."""


class Wire:
    """Counts every call of every client, signs it with the engine's name, and does the harm."""

    def __init__(self, name: str, fault: Fault) -> None:
        self.calls, self._met = 0, 0
        self._name, self._fault, self._counting, self._mine = name, fault, threading.Lock(), threading.local()

    def attach(self, clients: dict[str, Any]) -> None:
        """From now on it hears each call."""
        for each in clients.values():
            each.meta.events.register_first("before-call", self._first)
            each.meta.events.register_last("before-send", self._before)
            each.meta.events.register_last("after-call", self._after)

    def _first(self, params: dict[str, Any], event_name: str, **_: Any) -> None:
        params["headers"][ENGINE_HEADER] = self._name
        call = _call(event_name)
        with self._counting:
            self.calls += 1
            is_meant = call.endswith(self._fault.call)
            self._met += is_meant
            if is_meant and self._met == self._fault.number:
                self._mine.call = call
        self._harm(When.FIRST, call)

    def _before(self, event_name: str, **_: Any) -> None:
        self._harm(When.BEFORE, _call(event_name))

    def _after(self, event_name: str, **_: Any) -> None:
        self._harm(When.AFTER, _call(event_name))

    def _harm(self, when: When, call: str) -> None:
        fault = self._fault
        if fault.harm is Harm.NONE or fault.when is not when or getattr(self._mine, "call", None) != call:
            return
        self._mine.call = None
        os.kill(os.getpid(), signal.Signals[fault.harm.value])


def _call(event_name: str) -> str:
    """Such as dynamodb.GetItem."""
    return event_name.partition(".")[2]


class Program:
    """Stands for the Pulumi program: declares the ledger's weights and capacities, servers before weights.

    As with a stack of Pulumi's, one run at a time: a lock that a frozen process keeps and a dead one does not.
    """

    def __init__(self, ledger: LedgerTable, elbv2: Any, routes: Routes) -> None:
        self._ledger, self._elbv2, self._routes = ledger, elbv2, routes

    def apply(self, release_id: str) -> None:
        with self._locked():
            state = self._ledger.read()
            try:
                admit(state, release_id)
            except ReleaseInFlight as error:
                raise InfrastructureFailed(str(error)) from error
            self._declare(state)

    def _declare(self, state: State) -> None:
        servers = {colour: self._servers(colour) for colour in Colour}
        wanted = {colour: targets(colour, state.side(colour).capacity) for colour in Colour}
        self._change(self._elbv2.register_targets, wanted, servers)
        ListenerTraffic(self._elbv2, self._routes).shift(state.weights)
        self._change(self._elbv2.deregister_targets, servers, wanted)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        deadline = time.monotonic() + OTHER_RUN_SECONDS
        with STACK_LOCKS.open("ab") as file:
            while not _is_ours(file.fileno(), self._ledger.table_name):
                if time.monotonic() > deadline:
                    raise InfrastructureFailed("the stack is locked by another run")
                time.sleep(OTHER_RUN_POLL_SECONDS)
            yield

    def _servers(self, colour: Colour) -> list[str]:
        arn = self._routes.group_arns[colour]
        found = self._elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return [each["Target"]["Id"] for each in found]

    def _change(self, call: Callable[..., Any], some: dict[Colour, list[str]], but: dict[Colour, list[str]]) -> None:
        for colour, arn in self._routes.group_arns.items():
            meant = [{"Id": each} for each in some[colour] if each not in but[colour]]
            if meant:
                call(TargetGroupArn=arn, Targets=meant)


def _is_ours(file: int, stack: str) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, zlib.crc32(stack.encode()))
    except BlockingIOError:
        return False
    return True


class Onlooker:
    """A judge that finds nothing wrong, no hooks, and a watcher that says nothing."""

    def verdict(self, release: InFlight) -> Verdict:
        return GOOD

    def ask(self, release: InFlight) -> HookAnswer:
        return NO_HOOK

    def tell(self, release_id: str, phase: Phase) -> tuple[HookRun, ...]:
        return ()

    def recorded(self, entry: Entry) -> None:
        """Looks on."""

    def looked(self, state: State, seen: Seen, decision: Decision) -> None:
        """Looks on."""


class CountedHealth(TargetHealth):
    """Counts how often the engine looks."""

    looks = 0

    def healthy(self) -> Any:
        self.looks += 1
        return super().healthy()


def targets(colour: Colour, capacity: int) -> list[str]:
    """Addresses of a colour's servers."""
    return [f"{NETWORK[colour]}.{number + 10}" for number in range(capacity)]


def routes_of(job: Job) -> Routes:
    """Where a job's traffic is turned."""
    arns = {Colour.BLUE: job.blue_arn, Colour.GREEN: job.green_arn}
    return Routes(listener_arn=job.listener_arn, group_arns=arns, sticky_seconds=0)


class Work:
    """One job."""

    def __init__(self, job: Job, clients: dict[str, Any]) -> None:
        self._job, self._clients = job, clients
        self._clock = FastClock(job.pace)
        self._ledger = LedgerTable(clients["dynamodb"], job.table)
        self._locks = LockTable(clients["dynamodb"], self._ledger, self._clock.now)
        self._routes = routes_of(job)
        self.health = CountedHealth(clients["elbv2"], self._routes)

    def do(self) -> Phase | None:
        """What a command of that name does."""
        if self._job.do is Do.RELEASE:
            return self._launch()
        release = self._ledger.read().release
        if release is None:
            raise Refused("no release is in flight")
        if self._job.do is Do.RESUME:
            lock = self._locks.acquire(self._job.name, f"resume {release.release_id}")
            return self._conduct(lock, lambda engine: engine.resume())
        lock = self._locks.take_over(self._job.name, f"take {release.release_id} back")
        return self._conduct(lock, lambda engine: engine.take_back("by hand"))

    def _launch(self) -> Phase | None:
        in_flight = self._ledger.read().release
        if in_flight:
            raise Refused(f"release {in_flight.release_id} is in flight, by {in_flight.started_by}")
        lock = self._locks.acquire(self._job.name, f"release as r-{self._job.name}")
        try:
            release = self._planned(self._ledger.read())
        except BaseException:
            lock.release()
            raise
        return self._conduct(lock, lambda engine: engine.begin(release, "because"))

    def _planned(self, state: State) -> InFlight:
        if state.release is not None:
            raise Refused(f"release {state.release.release_id} is in flight, by {state.release.started_by}")
        job, now = self._job, self._clock.now()
        plan = Plan(
            digest=NEXT,
            target=state.idle,
            capacity=state.side(state.live).capacity,
            capacity_after=state.side(state.live).capacity,
            steps=job.steps,
            bakes=(job.bake_seconds,) * len(job.steps),
            ready_seconds=job.ready_seconds,
            judge_seconds=60.0,
            pause_seconds=3600.0,
            warm_seconds=job.warm_seconds,
        )
        return InFlight(
            release_id=f"r-{job.name}",
            phase=Phase.PLANNED,
            since=now,
            step=0,
            paused_at=None,
            started_by=job.name,
            started_at=now,
            plan=plan,
            previous=state.side(state.idle),
            routes=self._routes,
        )

    def _conduct(self, lock: HeldLock, first: Callable[[Engine], None]) -> Phase | None:
        try:
            with kept(lock, TERM.total_seconds() / 3 / self._job.pace.rate):
                engine = Engine(self._world(lock), lock)
                first(engine)
                return engine.run()
        finally:
            lock.release()

    def _world(self, lock: HeldLock) -> World:
        onlooker, elbv2 = Onlooker(), self._clients["elbv2"]
        return World(
            ledger=self._ledger,
            infrastructure=Program(self._ledger, elbv2, self._routes),
            traffic=ListenerTraffic(elbv2, self._routes, sleep=self._doze),
            health=self.health,
            data=None,
            snapshots=None,
            judge=onlooker,
            hooks=onlooker,
            clock=self._clock,
            watcher=onlooker,
            by=self._job.name,
        )

    def _doze(self, seconds: float) -> None:
        time.sleep(seconds / self._job.pace.rate)


def work(job: Job, clients: dict[str, Any]) -> Ended:
    """Does a job in this process, and says how it ended."""
    wire = Wire(job.name, job.fault)
    wire.attach(clients)
    here = Work(job, clients)
    try:
        outcome, why = here.do() or "paused", ""
    except ReleaseError as error:
        outcome, why = type(error).__name__, str(error)
    return Ended(status=0, outcome=str(outcome), why=why, calls=wire.calls, looks=here.health.looks)
