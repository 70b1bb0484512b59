"""What a release does next: a pure function of what the ledger says and what was seen.

Nothing is remembered between two decisions but the ledger, so a release that was killed goes on where it was: whatever
an effect was to bring about is either seen, or brought about again.

    Record   write the ledger: an event happened, and from now on the state holds (the intent of what follows)
    Shift    give the listener the ledger's shares
    Apply    run the program, which declares the ledger's digests and capacities
    Pause    write into the ledger that the release is paused: nobody can tell whether the step is good
    Wait     look again later
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from release.errors import ForeignWeights, Refused, UnsafeWeights
from release.ledger import Colour, InFlight, Side, State
from release.machine import Event, Phase, after
from release.states import Weights, before_step, floor, restored, retired, told, with_share, with_side
from release.verdict import GOOD, NO_HOOK, Answer, HookAnswer, Outcome, Verdict

CONVERGED_SECONDS = 2.0
"""Weights that the listener shows may take a moment to be everywhere: no servers go before they were live so long."""
HOLD_SECONDS = 1.0
"""How soon a release that is paused, and can't go back, is looked at again."""
HOOK_SECONDS = 1.0
"""How soon a hook that runs is looked at again; how long it may run is its own setting."""

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
    verdict: Verdict = GOOD
    """What is said of the target colour; good where nobody was asked."""
    hook: HookAnswer = NO_HOOK
    """What the hooks of the phase say."""


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
class Pause:
    """Hold the weights until somebody says how to go on."""

    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again soon; what for, and until when at the latest."""

    what: str
    until: datetime


Decision = Record | Shift | Apply | Pause | Wait


def decide(state: State, release: InFlight, seen: Seen) -> Decision:
    """The next thing to do for the release of a state.

    Raises ForeignWeights where the listener has weights that this release never gave it, and UnsafeWeights where the
    way back has too few healthy servers for longer than the plan allows; the release stays as it is.
    """
    if release.paused_at is None:
        return _DECIDERS[release.phase](state, release, seen)
    return _hold(state, release, release.paused_at, seen)


def _hold(state: State, release: InFlight, since: datetime, seen: Seen) -> Decision:
    """Paused: what is promised to the listener is kept, what is bad is taken back, and nothing else goes on."""
    ends = since + timedelta(seconds=release.plan.pause_seconds)
    if release.phase is not Phase.ROLLING_BACK and (release.phase is not Phase.SETTLING or is_warm(state, release)):
        if seen.verdict.outcome is Outcome.FAIL:
            return _fall_back(state, release, Event.FAILED, seen.verdict.why, seen.now)
        if seen.now >= ends:
            why = f"paused for {release.plan.pause_seconds:g} s, and nobody let it go on"
            return _fall_back(state, release, Event.FAILED, why, seen.now)
    decision = _DECIDERS[release.phase](state, release, seen)
    if isinstance(decision, Shift) or (isinstance(decision, Record) and decision.event is Event.FAILED):
        return decision
    until = max(ends, seen.now + timedelta(seconds=HOLD_SECONDS))
    return Wait("paused: `teal release resume` goes on, `teal release abort` takes it back", until)


def declared(state: State) -> Declared:
    """What the program declares for a state: the idle colour has the test route, hence the live one counts too."""
    return state.live, state.blue, state.green


def take_back(state: State, release: InFlight, why: str, now: datetime) -> Record:
    """The way back, asked for by somebody. Raises IllegalEvent on the way back; Refused once the way is cold."""
    return _fall_back(state, release, Event.TAKEN_BACK, why, now)


def is_warm(state: State, release: InFlight) -> bool:
    """Whether the colour that was live before still has its servers."""
    return state.side(release.plan.target.other).capacity > 0


def _start(state: State, release: InFlight, seen: Seen) -> Decision:
    plan = release.plan
    filled = with_side(state, plan.target, Side(digest=plan.digest, capacity=plan.capacity, weight=0))
    if state.is_released:
        filled = with_side(filled, state.live, replace(state.side(state.live), capacity=plan.capacity))
    why = f"{plan.target} gets {plan.capacity} servers of {plan.digest}"
    return _record(filled, release, Event.STARTED, why, seen.now)


def _prepare(state: State, release: InFlight, seen: Seen) -> Decision:
    target = release.plan.target
    if trouble := _trouble(seen):
        return _fall_back(state, release, Event.FAILED, trouble, seen.now)
    if seen.applied != declared(state):
        return Apply()
    wanted = state.side(target).capacity
    found = f"{seen.healthy[target]} of {wanted} servers of {target} healthy"
    until = release.since + timedelta(seconds=release.plan.ready_seconds)
    if seen.healthy[target] >= wanted:
        return _waiting_for_hook(seen) or _record(state, release, Event.IDLE_HEALTHY, found, seen.now)
    if seen.now >= until:
        return _fall_back(state, release, Event.FAILED, f"{found} in {release.plan.ready_seconds:g} s", seen.now)
    return Wait(found, until)


def _verify(state: State, release: InFlight, seen: Seen) -> Decision:
    trouble = _trouble(seen) or _shortage(state, release.plan.target, seen)
    if trouble:
        return _fall_back(state, release, Event.FAILED, trouble, seen.now)
    unsure = _unsure(release, seen, release.since + timedelta(seconds=release.plan.judge_seconds))
    return unsure or _waiting_for_hook(seen) or _step(state, release, 0, Event.IDLE_VERIFIED, seen.now)


def _shift(state: State, release: InFlight, seen: Seen) -> Decision:
    target = release.plan.target
    _refuse_foreign(state, seen, before_step(state, release))
    trouble = _trouble(seen) or _shortage(state, target, seen)
    if trouble:
        return _fall_back(state, release, Event.FAILED, trouble, seen.now)
    if seen.weights != state.shares:
        return Shift(state.shares)
    bake = timedelta(seconds=release.plan.bakes[release.step])
    if seen.steady < bake:
        return Wait(f"{target} bakes at {state.side(target).weight} %", seen.now + bake - seen.steady)
    patience = bake + timedelta(seconds=release.plan.judge_seconds)
    waiting = _unsure(release, seen, seen.now + patience - seen.steady) or _waiting_for_hook(seen)
    if waiting:
        return waiting
    if release.step + 1 < len(release.plan.steps):
        return _step(state, release, release.step + 1, Event.STEP_PASSED, seen.now)
    return _record(
        replace(state, live=target), release, Event.ALL_MOVED, f"{target} has every request and is live", seen.now
    )


def _settle(state: State, release: InFlight, seen: Seen) -> Decision:
    target, leaving = release.plan.target, release.plan.target.other
    _refuse_foreign(state, seen)
    if is_warm(state, release):
        trouble = _trouble(seen) or _shortage(state, target, seen)
        if trouble:
            return _fall_back(state, release, Event.FAILED, trouble, seen.now)
        until = release.since + timedelta(seconds=max(release.plan.warm_seconds, CONVERGED_SECONDS))
        if seen.now < until:
            return Wait(f"{leaving} stays warm", until)
        if waiting := _waiting_for_hook(seen):
            return waiting
    if (emptied := retired(state, release)) != state:
        return _record(emptied, release, Event.RETIRED, f"{leaving} loses its servers", seen.now)
    if seen.applied != declared(state):
        return Apply()
    return _record(state, release, Event.SETTLED, f"{target} is live with {release.plan.digest}", seen.now)


def _roll_back(state: State, release: InFlight, seen: Seen) -> Decision:
    target, live = release.plan.target, release.plan.target.other
    if seen.weights != state.shares:
        shortage = _shortage(state, live, seen) if state.is_released else None
        if shortage is None:
            return Shift(state.shares)
        until = release.since + timedelta(seconds=release.plan.ready_seconds)
        if seen.now >= until:
            raise UnsafeWeights(f"release {release.release_id} cannot go back: {shortage}")
        return Wait(shortage, until)
    calm = timedelta(seconds=max(release.plan.bakes[0], CONVERGED_SECONDS))
    if seen.steady < calm:  # what was sent to the target colour a moment ago is still under way
        return Wait(f"{live} has every request again", seen.now + calm - seen.steady)
    if (back := restored(state, release)) != state:
        return _record(back, release, Event.RETIRED, f"{target} loses its servers", seen.now)
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


def _trouble(seen: Seen) -> str | None:
    if seen.verdict.outcome is Outcome.FAIL:
        return seen.verdict.why
    return seen.hook.why if seen.hook.answer is Answer.STOP else None


def _unsure(release: InFlight, seen: Seen, until: datetime) -> Decision | None:
    """A wait for a verdict, then a pause; None once there is one."""
    if seen.verdict.outcome is Outcome.PASS:
        return None
    said = f"{seen.verdict.outcome}: {seen.verdict.why}"
    return Wait(said, until) if seen.now < until else Pause(f"no verdict in {release.plan.judge_seconds:g} s; {said}")


def _waiting_for_hook(seen: Seen) -> Wait | None:
    if seen.hook.answer is not Answer.WAIT:
        return None
    return Wait(seen.hook.why, seen.now + timedelta(seconds=HOOK_SECONDS))


def _step(state: State, release: InFlight, step: int, event: Event, now: datetime) -> Record:
    target = release.plan.target
    share = release.plan.steps[step]
    weighted = with_share(state, target, share)
    return _record(weighted, replace(release, step=step), event, f"{target} is to get {share} %", now)


def _fall_back(state: State, release: InFlight, event: Event, why: str, now: datetime) -> Record:
    live = release.plan.target.other
    if release.phase is Phase.SETTLING and not is_warm(state, release):
        raise Refused(
            f"release {release.release_id} can no longer go back: {live} has lost its servers. Let it end with "
            "`teal release resume`, then release the previous image with `teal release rollback`"
        )
    back = replace(with_share(state, live, 100), live=live)
    return _record(back, release, event, why, now)


def _record(state: State, release: InFlight, event: Event, why: str, now: datetime) -> Record:
    """The event, and the state with the release in the phase that follows; without it where that is the end."""
    phase = after(release.phase, event)
    since = release.since if phase is release.phase else now
    going_on = None if phase.is_over else replace(release, phase=phase, since=since, paused_at=None)
    return Record(event, replace(state, version=state.version + 1, release=going_on), why)


def _shortage(state: State, colour: Colour, seen: Seen) -> str | None:
    needed = floor(state.side(colour).capacity)
    if seen.healthy[colour] >= needed:
        return None
    return f"{colour} has {seen.healthy[colour]} healthy servers, and needs {needed} to get requests"


def _refuse_foreign(state: State, seen: Seen, also: Weights | None = None) -> None:
    if seen.weights not in (state.shares, also):
        raise ForeignWeights(
            f"the listener has weights {told(seen.weights)}, and the ledger {told(state.shares)}: somebody else "
            "changed them. `teal release resume --weights restore` gives the listener the ledger's again, "
            "`--weights adopt` goes on from the listener's, `teal release abort` takes the release back"
        )
