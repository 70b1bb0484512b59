"""What a release shows while it runs: a line for every event, and what is the case right now."""

import json
import sys

import click

from cli.steps import Step, Steps
from release.effects import Apply, Decision, Pause, Record, Seen, Shift, TakeSnapshot, Wait
from release.history import Entry
from release.ledger import Colour, State
from release.states import are_answered


class Screen:
    """For people: events as lines on standard error, the present beside the clock."""

    def __init__(self, progress: Steps, step: Step) -> None:
        self._progress, self._step = progress, step

    def recorded(self, entry: Entry) -> None:
        """A line for every entry of the history."""
        shares = ", ".join(f"{colour} {entry.weights[colour]}" for colour in Colour)
        why = entry.why.partition("\n")[0]
        self._progress.remark(f"{entry.at:%H:%M:%S} {entry.event:<13} {entry.phase:<12} {shares}  {why}".rstrip())

    def looked(self, state: State, seen: Seen, decision: Decision) -> None:
        """What is the case."""
        self._step.detail = next_of(decision)
        self._step.below = "\n".join(present(state, seen))


class JsonLines:
    """For programs: every event as a line of JSON on standard output."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def recorded(self, entry: Entry) -> None:
        """The entry, at once."""
        click.echo(json.dumps(entry.document()))
        sys.stdout.flush()

    def looked(self, state: State, seen: Seen, decision: Decision) -> None:
        """Progress stays on standard error."""
        self._step.detail = next_of(decision)


def next_of(decision: Decision) -> str:
    """What a release does next, or waits for and until when, in a few words."""
    match decision:
        case Record():
            return decision.event
        case Shift():
            return "gives the listener its weights"
        case Apply():
            return "runs the program"
        case TakeSnapshot():
            return "makes a snapshot of the data volume"
        case Pause():
            return "pauses"
        case Wait():
            return f"{decision.what}, until {decision.until.astimezone():%H:%M:%S} at the latest"


def present(state: State, seen: Seen) -> list[str]:
    """The phase; both colours with weight, health and image; what judge and hooks say: a line each."""
    release = state.release
    lines = []
    if release:
        paused = ", paused" if release.is_paused else ""
        step = f"step {release.step + 1} of {len(release.plan.steps)}"
        lines.append(f"  {release.release_id} {release.phase}{paused}, {step}")
    if state.data_volume and not are_answered(seen.weights, seen.healthy):
        lines.append(f"  requests fail: {state.data_volume} moves")
    for colour in Colour:
        side = state.side(colour)
        role = "live" if colour is state.live else "idle"
        servers = f"{seen.healthy[colour]} of {side.capacity} healthy"
        lines.append(f"  {colour:<6}{role}  {seen.weights[colour]:>3} %  {servers:<16} {(side.digest or '-')[:19]}")
    if seen.verdict.why:
        lines += [f"  judged {seen.verdict.outcome}", *(f"    {said}" for said in seen.verdict.why.split("; "))]
    if seen.hook.why:
        lines.append(f"  {seen.hook.why}")
    return lines
