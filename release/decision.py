"""What a release does next: a pure function of what the ledger says and what was seen.

Nothing is remembered between two decisions but the ledger, so a release that was killed goes on where it was: whatever
an effect was to bring about is either seen, or brought about again.

    Record   write the ledger: an event happened, and from now on the state holds (the intent of what follows)
    Shift    give the listener the ledger's weights
    Apply    run the program, which declares the ledger's digests and capacities
    Wait     look again later
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from release.errors import ForeignWeights, Refused, UnsafeWeights
from release.ledger import Colour, InFlight, Side, State
from release.machine import Event, Phase, after

CONVERGED_SECONDS = 2.0
"""Weights that the listener shows may take a moment to be everywhere: no servers go before they were live so long."""

Weights = Mapping[Colour, int]
Declared = tuple[Colour, Side, Side]
"""What of a state the program declares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The world at one moment."""

    now: datetime
    healthy: Mapping[Colour, int]
    """Servers that pass the load balancer's checks, by colour."""
    weights: Weights
    """Weights that the listener has."""
    steady: timedelta
    """How long they have been seen to be the ledger's."""
    applied: Declared | None
    """What this engine's last successful run of the program declared; None before the first."""
    trouble: str | None
    """What is wrong with the target colour; None where nothing is, or nobody asked."""


@dataclass(frozen=True, slots=True)
class Record:
    """Write the state, which is one version on, with the event that led to it."""

    event: Event
    state: State
    why: str


@dataclass(frozen=True, slots=True)
class Shift:
    """Give the listener these weights."""

    weights: Weights


@dataclass(frozen=True, slots=True)
class Apply:
    """Run the program."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again soon; what for, and until when at the latest."""

    what: str
    until: datetime


Decision = Record | Shift | Apply | Wait


def decide(state: State, release: InFlight, seen: Seen) -> Decision:
    """The next thing to do for the release of a state.

    Raises ForeignWeights where the listener has weights that this release never gave it, and UnsafeWeights where the
    way back has too few healthy servers for longer than the plan allows; the release stays as it is.
    """
    return _DECIDERS[release.phase](state, release, seen)


def floor(capacity: int) -> int:
    """Healthy servers that a colour of this capacity needs to get requests: at least half, at least one.

    >>> [floor(capacity) for capacity in (1, 2, 3, 10)]
    [1, 1, 2, 5]
    """
    return max(1, (capacity + 1) // 2)


def declared(state: State) -> Declared:
    """What the program declares for a state: the idle colour has the test route, hence the live one counts too."""
    return state.live, state.blue, state.green


def take_back(state: State, release: InFlight, why: str, now: datetime) -> Record:
    """The way back, asked for by somebody. Raises IllegalEvent on the way back; Refused once the way is cold."""
    return _fall_back(state, release, Event.TAKEN_BACK, why, now)


def is_fit(state: State, healthy: Weights) -> bool:
    """Whether each colour has the healthy servers that the state's weights ask of it."""
    return all(healthy[colour] >= floor(state.side(colour).capacity) for colour in Colour if state.weights[colour])


def is_warm(state: State, release: InFlight) -> bool:
    """Whether the colour that was live before still has its servers."""
    return state.side(release.plan.target.other).capacity > 0


def _start(state: State, release: InFlight, seen: Seen) -> Decision:
    plan = release.plan
    held = state.side(plan.target.other).capacity
    filled = _with(state, plan.target, Side(digest=plan.digest, capacity=held, weight=0))
    return _record(filled, release, Event.STARTED, f"{plan.target} gets {held} servers of {plan.digest}", seen.now)


def _prepare(state: State, release: InFlight, seen: Seen) -> Decision:
    target = release.plan.target
    if seen.trouble:
        return _fall_back(state, release, Event.FAILED, seen.trouble, seen.now)
    if seen.applied != declared(state):
        return Apply()
    wanted = state.side(target).capacity
    told = f"{seen.healthy[target]} of {wanted} servers of {target} healthy"
    until = release.since + timedelta(seconds=release.plan.ready_seconds)
    if seen.healthy[target] >= wanted:
        return _record(state, release, Event.IDLE_HEALTHY, told, seen.now)
    if seen.now >= until:
        return _fall_back(state, release, Event.FAILED, f"{told} in {release.plan.ready_seconds:g} s", seen.now)
    return Wait(told, until)


def _verify(state: State, release: InFlight, seen: Seen) -> Decision:
    trouble = seen.trouble or _shortage(state, release.plan.target, seen)
    if trouble:
        return _fall_back(state, release, Event.FAILED, trouble, seen.now)
    return _step(state, release, 0, Event.IDLE_VERIFIED, seen.now)


def _shift(state: State, release: InFlight, seen: Seen) -> Decision:
    target = release.plan.target
    _refuse_foreign(state, seen, also=_weights(target, (0, *release.plan.steps)[release.step]))
    trouble = seen.trouble or _shortage(state, target, seen)
    if trouble:
        return _fall_back(state, release, Event.FAILED, trouble, seen.now)
    if seen.weights != state.weights:
        return Shift(state.weights)
    bake = timedelta(seconds=release.plan.bake_seconds)
    if seen.steady < bake:
        return Wait(f"{target} bakes at {state.side(target).weight} %", seen.now + bake - seen.steady)
    if release.step + 1 < len(release.plan.steps):
        return _step(state, release, release.step + 1, Event.STEP_PASSED, seen.now)
    return _record(
        replace(state, live=target), release, Event.ALL_MOVED, f"{target} has every request and is live", seen.now
    )


def _settle(state: State, release: InFlight, seen: Seen) -> Decision:
    target, leaving = release.plan.target, release.plan.target.other
    _refuse_foreign(state, seen)
    if is_warm(state, release):
        trouble = seen.trouble or _shortage(state, target, seen)
        if trouble:
            return _fall_back(state, release, Event.FAILED, trouble, seen.now)
        until = release.since + timedelta(seconds=max(release.plan.warm_seconds, CONVERGED_SECONDS))
        if seen.now < until:
            return Wait(f"{leaving} stays warm", until)
        cold = _with(state, leaving, replace(state.side(leaving), capacity=0))
        return _record(cold, release, Event.RETIRED, f"{leaving} loses its servers", seen.now)
    if seen.applied != declared(state):
        return Apply()
    return _record(state, release, Event.SETTLED, f"{target} is live with {release.plan.digest}", seen.now)


def _roll_back(state: State, release: InFlight, seen: Seen) -> Decision:
    target, live = release.plan.target, release.plan.target.other
    if seen.weights != state.weights:
        shortage = _shortage(state, live, seen)
        if shortage is None:
            return Shift(state.weights)
        until = release.since + timedelta(seconds=release.plan.ready_seconds)
        if seen.now >= until:
            raise UnsafeWeights(f"release {release.release_id} cannot go back: {shortage}")
        return Wait(shortage, until)
    bake = timedelta(seconds=max(release.plan.bake_seconds, CONVERGED_SECONDS))
    if seen.steady < bake:  # what was sent to the target colour a moment ago is still under way
        return Wait(f"{live} has every request again", seen.now + bake - seen.steady)
    if state.side(target) != release.previous:
        emptied = _with(state, target, release.previous)
        return _record(emptied, release, Event.RETIRED, f"{target} loses its servers", seen.now)
    if seen.applied != declared(state):
        return Apply()
    return _record(state, release, Event.LIVE_RESTORED, f"{live} is live as before", seen.now)


_DECIDERS: Mapping[Phase, Callable[[State, InFlight, Seen], Decision]] = {
    Phase.PLANNED: _start,
    Phase.PREPARING: _prepare,
    Phase.VERIFYING: _verify,
    Phase.SHIFTING: _shift,
    Phase.SETTLING: _settle,
    Phase.ROLLING_BACK: _roll_back,
}


def _step(state: State, release: InFlight, step: int, event: Event, now: datetime) -> Record:
    target = release.plan.target
    share = release.plan.steps[step]
    weighted = _weighted(state, target, share)
    return _record(weighted, replace(release, step=step), event, f"{target} is to get {share} %", now)


def _fall_back(state: State, release: InFlight, event: Event, why: str, now: datetime) -> Record:
    live = release.plan.target.other
    if release.phase is Phase.SETTLING and not is_warm(state, release):
        raise Refused(
            f"release {release.release_id} can no longer go back: {live} has lost its servers. Let it end with "
            "`teal release resume`, then release the previous image with `teal release rollback`"
        )
    back = replace(_weighted(state, live, 100), live=live)
    return _record(back, release, event, why, now)


def _record(state: State, release: InFlight, event: Event, why: str, now: datetime) -> Record:
    """The event, and the state with the release in the phase that follows; without it where that is the end."""
    phase = after(release.phase, event)
    since = release.since if phase is release.phase else now
    going_on = None if phase.is_over else replace(release, phase=phase, since=since, is_paused=False)
    return Record(event, replace(state, version=state.version + 1, release=going_on), why)


def _shortage(state: State, colour: Colour, seen: Seen) -> str | None:
    needed = floor(state.side(colour).capacity)
    if seen.healthy[colour] >= needed:
        return None
    return f"{colour} has {seen.healthy[colour]} healthy servers, and needs {needed} to get requests"


def _refuse_foreign(state: State, seen: Seen, also: Weights | None = None) -> None:
    if seen.weights not in (state.weights, also):
        found, wanted = (", ".join(f"{c} {w[c]}" for c in Colour) for w in (seen.weights, state.weights))
        raise ForeignWeights(
            f"the listener has weights {found}, and the ledger {wanted}: somebody else changed them. Set them back and "
            "`teal release resume`, or `teal release abort`"
        )


def _weights(colour: Colour, share: int) -> Weights:
    return {each: share if each is colour else 100 - share for each in Colour}


def _weighted(state: State, colour: Colour, share: int) -> State:
    shares = _weights(colour, share)
    return replace(
        state,
        blue=replace(state.blue, weight=shares[Colour.BLUE]),
        green=replace(state.green, weight=shares[Colour.GREEN]),
    )


def _with(state: State, colour: Colour, side: Side) -> State:
    return replace(state, blue=side) if colour is Colour.BLUE else replace(state, green=side)
