"""One environment on the API: ledger, listener, twin groups with servers; and what must always hold of it."""

import itertools
import json
import os
import time
from dataclasses import dataclass, field, replace
from typing import Any

from processes.api import Api, Call, weights_of
from processes.engine_work import NEXT, targets
from processes.job import NO_FAULT, Do, FastClock, Fault, Job, Pace
from release.adapters.dynamodb import LedgerTable
from release.adapters.dynamodb_lock import LockTable
from release.adapters.elbv2 import ListenerTraffic, TargetHealth
from release.history import Entry
from release.ledger import Colour, InFlight, Plan, Routes, Side, State
from release.ledger_text import item
from release.machine import Phase
from release.states import floor

LIVE = "sha256:" + "a" * 64
RATE = 20.0
"""How much faster than the machine's the clocks of engines run: their locks' 30 s are 1.5 s."""
PHASE_SECONDS, POLL_SECONDS = 20.0, 0.02
CONVERGED_SECONDS = 2.0
"""How long weights must have been shown before servers may go that they took the requests from."""
TERM_OVER = 60.0
"""Seconds ahead at which a lock of an engine that was killed has run out."""
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Write:
    """Weights that the listener was given, and by which engine."""

    engine: str
    weights: dict[Colour, int]
    healthy: dict[Colour, int]
    """Of both groups at that moment."""
    at: float
    """Monotonic time."""


@dataclass(frozen=True)
class Clients:
    """The tests' own clients; the API does as usual for them."""

    dynamodb: Any
    elbv2: Any
    ec2: Any


@dataclass
class Environment:
    """What engines work on. `made` makes one."""

    api: Api
    clients: Clients
    table: str
    routes: Routes
    servers: int
    pace: Pace
    writes: list[Write] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """What should never be, and was."""
    drains_converged: bool = False
    """Whether to look that servers go only once the weights were live for a while."""

    @property
    def ledger(self) -> LedgerTable:
        """Its ledger."""
        return LedgerTable(self.clients.dynamodb, self.table)

    @property
    def traffic(self) -> ListenerTraffic:
        """Its listener."""
        return ListenerTraffic(self.clients.elbv2, self.routes)

    @property
    def healthy(self) -> dict[Colour, int]:
        """Its healthy servers."""
        return dict(TargetHealth(self.clients.elbv2, self.routes).healthy())

    @property
    def end(self) -> tuple[State, dict[Colour, int], dict[Colour, int]]:
        """What a release leaves behind, but for versions."""
        return replace(self.ledger.read(), version=1), dict(self.traffic.weights()), self.healthy

    def wait_for(self, phase: Phase) -> None:
        """Returns once its release is in a phase."""
        deadline = time.monotonic() + PHASE_SECONDS
        while (release := self.ledger.read().release) is None or release.phase is not phase:
            assert time.monotonic() < deadline, f"not {phase} after {PHASE_SECONDS} s"
            time.sleep(POLL_SECONDS)

    def empty(self, colour: Colour) -> None:
        """Takes all servers of a colour away, by hand."""
        self.clients.elbv2.deregister_targets(**self._servers_of(colour))

    def fill(self, colour: Colour) -> None:
        """Gives a colour its servers, by hand."""
        self.clients.elbv2.register_targets(**self._servers_of(colour))

    def _servers_of(self, colour: Colour) -> dict[str, Any]:
        ids = [{"Id": each} for each in targets(colour, self.servers)]
        return {"TargetGroupArn": self.routes.group_arns[colour], "Targets": ids}

    def job(self, name: str, do: Do, fault: Fault = NO_FAULT, *, ahead: float = 0.0, **plan: Any) -> Job:
        """An engine's job here."""
        return Job(
            name=f"{name}-{self.table}",
            do=do,
            table=self.table,
            listener_arn=self.routes.listener_arn,
            blue_arn=self.routes.group_arns[Colour.BLUE],
            green_arn=self.routes.group_arns[Colour.GREEN],
            pace=replace(self.pace, ahead=ahead),
            fault=fault,
            **plan,
        )

    def locks(self, ahead: float = 0.0) -> LockTable:
        """Its lock, as somebody sees it whose clock is ahead."""
        return LockTable(self.clients.dynamodb, self.ledger, FastClock(replace(self.pace, ahead=ahead)).now)

    def history(self) -> list[Entry]:
        """Every entry, checked to be whole: one a version, none left out."""
        found, last = self.ledger.history(), self.ledger.read().version
        assert [entry.version for entry in found] == list(range(2, last + 1))
        return found

    def check(self, ahead: float = 0.0) -> None:
        """Asserts what must hold whatever happened: safe weights throughout, a whole history, no lock left."""
        assert not self.broken
        self.history()
        assert self.locks(ahead).holder() is None
        assert self.traffic.weights() == self.ledger.read().weights

    def before(self, call: Call) -> None:
        """Looks at a change that is about to be made; the tests themselves may do as they like."""
        if not call.engine:
            return
        if call.action == "ModifyListener":
            by_arn = weights_of(call)
            self._look_at_weights(call.engine, {c: by_arn[arn] for c, arn in self.routes.group_arns.items()})
        elif call.action == "DeregisterTargets":
            [colour] = [c for c, arn in self.routes.group_arns.items() if arn == call.fields["TargetGroupArn"]]
            self._look_at_tear_down(call.engine, colour)

    def _look_at_weights(self, engine: str, weights: dict[Colour, int]) -> None:
        healthy = self.healthy
        self.writes.append(Write(engine, weights, healthy, time.monotonic()))
        if sum(weights.values()) != 100 or not all(0 <= weight <= 100 for weight in weights.values()):
            self.broken.append(f"{engine} gave weights {weights}")
        self.broken += [
            f"{engine} gave {colour} {weight} % with {healthy[colour]} healthy servers"
            for colour, weight in weights.items()
            if weight and healthy[colour] < floor(self.servers)
        ]

    def _look_at_tear_down(self, engine: str, colour: Colour) -> None:
        weight = self.traffic.weights()[colour]
        if weight:
            self.broken.append(f"{engine} took servers of {colour} away, which had {weight} %")
        if self.drains_converged:
            shown_for = time.monotonic() - self.api.shown_stale_until(self.routes.listener_arn)
            if shown_for < CONVERGED_SECONDS / self.pace.rate:
                self.broken.append(f"{engine} took servers of {colour} away {shown_for:.3f} s after the weights showed")


def made(
    api: Api, clients: Clients, network: tuple[str, list[str]], servers: int = 2, rate: float = RATE
) -> Environment:
    """A new environment with a first image live on blue."""
    name = f"e{os.getpid()}-{next(_numbers)}"
    vpc, subnets = network
    elbv2 = clients.elbv2
    groups = {
        colour: elbv2.create_target_group(
            Name=f"{name}-{colour}", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
        for colour in Colour
    }
    balancer = elbv2.create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    action = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}
    listener = elbv2.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[action])
    routes = Routes(listener_arn=listener["Listeners"][0]["ListenerArn"], group_arns=groups, sticky_seconds=0)
    clients.dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    environment = Environment(api, clients, name, routes, servers, Pace(epoch=time.time(), rate=rate))
    put(environment, State.first(LIVE, servers))
    for arn in (routes.listener_arn, *groups.values()):
        api.guards[arn] = environment
    return environment


def put(environment: Environment, state: State) -> None:
    """Brings an environment into a state, as if a release had done so."""
    elbv2 = environment.clients.elbv2
    for colour, arn in environment.routes.group_arns.items():
        ids = [{"Id": each} for each in targets(colour, state.side(colour).capacity)]
        if ids:
            elbv2.register_targets(TargetGroupArn=arn, Targets=ids)
    environment.traffic.shift(state.weights)
    environment.clients.dynamodb.put_item(TableName=environment.table, Item=json.loads(item(state)))


def put_warm(environment: Environment, ready_seconds: float = 600.0) -> State:
    """Brings an environment to where a release has moved everything, the colour before is warm, its engine dead."""
    now = FastClock(environment.pace).now()
    plan = Plan(
        digest=NEXT,
        target=Colour.GREEN,
        capacity=environment.servers,
        capacity_after=environment.servers,
        steps=(100,),
        bakes=(0.0,),
        ready_seconds=ready_seconds,
        judge_seconds=60.0,
        pause_seconds=3600.0,
        warm_seconds=36_000.0,
    )
    release = InFlight(
        release_id="r-1",
        phase=Phase.SETTLING,
        since=now,
        step=0,
        paused_at=None,
        started_by="dead",
        started_at=now,
        plan=plan,
        previous=Side(digest=None, capacity=0, weight=0),
        routes=environment.routes,
    )
    state = State(
        version=1,
        live=Colour.GREEN,
        blue=Side(digest=LIVE, capacity=environment.servers, weight=0),
        green=Side(digest=NEXT, capacity=environment.servers, weight=100),
        release=release,
    )
    put(environment, state)
    environment.locks().acquire("dead", "release r-1")
    return state
