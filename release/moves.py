"""What both ways through a release are made of: an event with its state, the way back, reasons to wait. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from release.effects import Decision, Pause, Record, Seen, Wait
from release.errors import ForeignWeights, Refused
from release.ledger import Colour, InFlight, State
from release.machine import Event, Phase, after
from release.states import Weights, floor, told, with_share
from release.verdict import Answer, Outcome

CONVERGED_SECONDS = 2.0
"""Weights that the listener shows may take a moment to be everywhere: no servers go before they were live so long."""
HOOK_SECONDS = 1.0
"""How soon a hook that runs is looked at again; how long it may run is its own setting."""


def record(
    state: State, release: InFlight, event: Event, why: str, now: datetime, *, is_afresh: bool = False
) -> Record:
    """The event, and the state with the release in the phase that follows; without it where that is the end.

    The phase's time counts from its start, or with `is_afresh` from now on.
    """
    phase = after(release.phase, event)
    since = release.since if phase is release.phase and not is_afresh else now
    going_on = None if phase.is_over else replace(release, phase=phase, since=since, paused_at=None)
    return Record(event, replace(state, version=state.version + 1, release=going_on), why)


def step(state: State, release: InFlight, number: int, event: Event, now: datetime) -> Record:
    """The next step: its share of the requests for the target colour."""
    target = release.plan.target
    share = release.plan.steps[number]
    weighted = with_share(state, target, share)
    return record(weighted, replace(release, step=number), event, f"{target} is to get {share} %", now)


def fall_back(state: State, release: InFlight, event: Event, why: str, now: datetime) -> Record:
    """The way back. Raises IllegalEvent on the way back; Refused once the way is cold."""
    live = release.plan.target.other
    if release.phase is Phase.SETTLING and not is_warm(state, release):
        raise Refused(
            f"release {release.release_id} can no longer go back: {live} has lost its servers. Let it end with "
            "`teal release resume`, then release the previous image with `teal release rollback`"
        )
    back = replace(with_share(state, live, 100), live=live)
    return record(back, release, event, why, now)


def take_back(state: State, release: InFlight, why: str, now: datetime) -> Record:
    """The way back, asked for by somebody. Raises IllegalEvent on the way back; Refused once the way is cold."""
    return fall_back(state, release, Event.TAKEN_BACK, why, now)


def is_warm(state: State, release: InFlight) -> bool:
    """Whether the colour that was live before still has its servers."""
    return state.side(release.plan.target.other).capacity > 0


def trouble(seen: Seen) -> str | None:
    """What judge or hooks have against the target colour; None for nothing."""
    if seen.verdict.outcome is Outcome.FAIL:
        return seen.verdict.why
    return seen.hook.why if seen.hook.answer is Answer.STOP else None


def unsure(release: InFlight, seen: Seen, until: datetime) -> Decision | None:
    """A wait for a verdict, then a pause; None once there is one."""
    if seen.verdict.outcome is Outcome.PASS:
        return None
    said = f"{seen.verdict.outcome}: {seen.verdict.why}"
    return Wait(said, until) if seen.now < until else Pause(f"no verdict in {release.plan.judge_seconds:g} s; {said}")


def waiting_for_hook(seen: Seen) -> Wait | None:
    """A wait for the hooks of the phase; None where they say go."""
    if seen.hook.answer is not Answer.WAIT:
        return None
    return Wait(seen.hook.why, seen.now + timedelta(seconds=HOOK_SECONDS))


def shortage(state: State, colour: Colour, seen: Seen) -> str | None:
    """How many healthy servers the colour lacks to get requests; None where it has enough."""
    needed = floor(state.side(colour).capacity)
    if seen.healthy[colour] >= needed:
        return None
    return f"{colour} has {seen.healthy[colour]} healthy servers, and needs {needed} to get requests"


def refuse_foreign(state: State, seen: Seen, also: Weights | None = None) -> None:
    """Raises ForeignWeights unless the listener has the ledger's weights, or those others."""
    if seen.weights not in (state.shares, also):
        raise ForeignWeights(
            f"the listener has weights {told(seen.weights)}, and the ledger {told(state.shares)}: somebody else "
            "changed them. `teal release resume --weights restore` gives the listener the ledger's again, "
            "`--weights adopt` goes on from the listener's, `teal release abort` takes the release back"
        )
