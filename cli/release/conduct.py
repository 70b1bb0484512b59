"""Runs an engine in the foreground: keeps the lock, hears Ctrl-C, shows progress, turns the end into an exit code."""

import json
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

import click

from cli.failures import PAUSED, ROLLED_BACK
from cli.release.company import Company
from cli.release.gap import Gap
from cli.release.place import Place, caller
from cli.release.planning import planned
from cli.release.screen import JsonLines, Screen
from release.adapters.dynamodb_lock import TERM, HeldLock
from release.clock import PausableClock
from release.engine import Engine
from release.errors import ReleaseInFlight
from release.keeping import kept
from release.ledger import InFlight, Plan
from release.machine import Phase
from release.states import is_cut_off


def conduct(
    place: Place, lock: HeldLock, release: InFlight, about: str, first: Callable[[Engine], None]
) -> Phase | None:
    """Lets an engine do the first thing, then runs it until the release is over or paused. Lets the lock go."""
    clock, company = PausableClock(), Company(place)
    try:
        with place.steps.step(about) as step, _ctrl_c(clock), kept(lock, TERM.total_seconds() / 3):
            watcher = JsonLines(step) if place.tells_json else Screen(place.steps, step)
            engine = Engine(place.world(release, company, clock, watcher), lock)
            first(engine)
            outcome = engine.run()
            step.detail, step.below = outcome or "paused", ""
            return outcome
    finally:
        company.close()
        lock.release()


def launch(place: Place, plan: Plan, gap: Gap | None) -> Phase | None:
    """Releases by a plan, from the gates on, and tells of its gap. Raises Refused for a closed gate, LockHeld."""
    release_id = f"r-{secrets.token_hex(4)}"
    in_flight = place.ledger.read().release
    if in_flight:  # before the lock: taken by a clock that is ahead, it would stop the engine that runs that release
        raise ReleaseInFlight(f"release {in_flight.release_id} is in flight (phase {in_flight.phase})")
    lock = place.locks.acquire(caller(), f"release {plan.digest} as {release_id}")
    routes = place.routes
    with ExitStack() as undo:
        undo.callback(lock.release)
        release = planned(place, plan, release_id, routes)
        undo.pop_all()
    why = f"{plan.digest} on {plan.target} in steps of {', '.join(map(str, plan.steps))} %"
    if gap:
        why = f"{why}; gap: {gap.told}"
        for remark in filter(None, (f"gap: {gap.told}", gap.overridden)):
            place.steps.remark(remark)
    return conduct(place, lock, release, f"Release {release_id}", lambda engine: engine.begin(release, why))


def end(place: Place, outcome: Phase | None, *, wanted: Phase) -> None:
    """Says how it ended, and ends the command with the exit code for it."""
    code = PAUSED if outcome is None else 0 if outcome is wanted else ROLLED_BACK
    in_gap = outcome is None and is_cut_off(place.ledger.read())
    if place.tells_json:
        click.echo(json.dumps({"event": "ENDED", "outcome": outcome or "PAUSED", "exit_code": code, "in_gap": in_gap}))
    elif outcome is None:
        now = "requests fail" if in_gap else "the traffic stays as it is"
        click.echo(
            f"Paused: {now}, and nobody watches it. "
            f"`teal release resume {place.name}` goes on, `teal release abort {place.name}` takes it back."
        )
    else:
        click.echo(f"{place.name} is {outcome}.")
    click.get_current_context().exit(code)


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
