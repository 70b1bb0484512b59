"""Runs an engine in the foreground: keeps the lock, hears Ctrl-C, shows progress, turns the end into an exit code."""

import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from cli.failures import PAUSED, ROLLED_BACK
from cli.release.options import Pace
from cli.release.place import Place, caller
from cli.steps import Step
from cli.steps import Steps as Progress
from release.adapters.dynamodb_lock import TERM, HeldLock
from release.clock import PausableClock
from release.engine import Engine, kept
from release.errors import Refused
from release.gates import Gate, gates
from release.history import Entry
from release.ledger import Colour, InFlight, Plan, Routes
from release.machine import Phase


class Screen:
    """Shows a release's progress."""

    def __init__(self, progress: Progress, step: Step) -> None:
        self._progress, self._step = progress, step

    def recorded(self, entry: Entry) -> None:
        """A line for every entry of the history."""
        shares = ", ".join(f"{colour} {entry.weights[colour]}" for colour in Colour)
        self._progress.remark(f"{entry.at:%H:%M:%S} {entry.event:<13} {entry.phase:<12} {shares}  {entry.why}".rstrip())

    def doing(self, what: str) -> None:
        """A word beside the clock."""
        self._step.detail = what


def conduct(place: Place, lock: HeldLock, routes: Routes, about: str, first: Callable[[Engine], None]) -> Phase | None:
    """Lets an engine do the first thing, then runs it until its release is over or paused. Lets the lock go."""
    clock = PausableClock()
    try:
        with place.steps.step(about) as step, _ctrl_c(clock), kept(lock, TERM.total_seconds() / 3):
            engine = Engine(place.world(routes, clock, Screen(place.steps, step)), lock)
            first(engine)
            outcome = engine.run()
            step.detail = outcome or "paused"
            return outcome
    finally:
        lock.release()


def launch(place: Place, plan: Plan) -> Phase | None:
    """Releases by a plan, from the gates on. Raises Refused for a closed gate, LockHeld."""
    release_id = f"r-{secrets.token_hex(4)}"
    lock = place.locks.acquire(caller(), f"release {plan.digest} as {release_id}")
    routes = place.routes
    try:
        release = _planned(place, plan, release_id, routes)
    except BaseException:
        lock.release()
        raise
    why = f"{plan.digest} on {plan.target} in steps of {', '.join(map(str, plan.steps))} %"
    return conduct(place, lock, routes, f"Release {release_id}", lambda engine: engine.begin(release, why))


def plan_of(digest: str, target: Colour, pace: Pace) -> Plan:
    """The plan that puts a digest on a colour."""
    return Plan(
        digest=digest,
        target=target,
        steps=pace.steps,
        ready_seconds=pace.ready_seconds,
        bake_seconds=pace.bake_seconds,
        warm_seconds=pace.warm_seconds,
    )


def end(outcome: Phase | None, environment: str, *, wanted: Phase) -> None:
    """Says how it ended, and ends the command with the exit code for it."""
    if outcome is None:
        click.echo(f"Paused: the traffic stays as it is. `teal release resume {environment}` goes on.")
        click.get_current_context().exit(PAUSED)
    click.echo(f"{environment} is {outcome}.")
    if outcome is not wanted:
        click.get_current_context().exit(ROLLED_BACK)


def _planned(place: Place, plan: Plan, release_id: str, routes: Routes) -> InFlight:
    found = place.found(plan.digest, routes)
    # The lock is ours by now, so what is said about it is no gate.
    closed = [gate for gate in gates(plan, found) if not gate.is_open and gate.name != "lock free"]
    if closed:
        raise Refused("; ".join(_told(gate) for gate in closed))
    now = PausableClock().now()
    target = found.state.side(plan.target)
    return InFlight(
        release_id=release_id,
        phase=Phase.PLANNED,
        since=now,
        step=0,
        is_paused=False,
        started_by=caller(),
        started_at=now,
        plan=plan,
        previous=target,
        routes=routes,
    )


def _told(gate: Gate) -> str:
    return f"gate closed: {gate.name} ({gate.why})"


@contextmanager
def _ctrl_c(clock: PausableClock) -> Iterator[None]:
    """The first Ctrl-C asks for a pause, the second one ends the command as usual."""

    def pause(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        click.echo("Pausing; Ctrl-C once more ends the command at once.", err=True)
        clock.ask_for_pause()

    before = signal.signal(signal.SIGINT, pause)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
