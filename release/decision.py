"""What a release does next: a pure function of what the ledger says and what was seen.

Nothing is remembered between two decisions but the ledger, so a release that was killed goes on where it was: whatever
an effect was to bring about is either seen, or brought about again. Two colours that serve at once have the way through
that is here; where a data volume has to move from one to the other, some phases go as release.gap says.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from release import gap
from release.effects import Apply, Decision, Record, Seen, Shift, Wait, declared
from release.errors import UnsafeWeights
from release.ledger import InFlight, Side, State
from release.machine import Event, Phase
from release.moves import (
    CONVERGED_SECONDS,
    fall_back,
    is_warm,
    record,
    refuse_foreign,
    shortage,
    step,
    trouble,
    unsure,
    waiting_for_hook,
)
from release.states import before_step, restored, retired, with_side
from release.verdict import Outcome

HOLD_SECONDS = 1.0
"""How soon a release that is paused, and can't go back, is looked at again."""

Decider = Callable[[State, InFlight, Seen], Decision]


def decide(state: State, release: InFlight, seen: Seen) -> Decision:
    """The next thing to do for the release of a state.

    Raises ForeignWeights where the listener has weights that this release never gave it; UnsafeWeights where the way
    back has too few healthy servers, and VolumeHeld where it finds the data volume held, for longer than the plan
    allows. The release stays as it is.
    """
    if release.paused_at is None:
        return _decider(release)(state, release, seen)
    return _hold(state, release, release.paused_at, seen)


def _decider(release: InFlight) -> Decider:
    return (_WITH_VOLUME if release.plan.data_volume else _DECIDERS)[release.phase]


def _hold(state: State, release: InFlight, since: datetime, seen: Seen) -> Decision:
    """Paused: what is promised to the listener is kept, what is bad is taken back, and nothing else goes on."""
    ends = since + timedelta(seconds=release.plan.pause_seconds)
    if release.phase is not Phase.ROLLING_BACK and (release.phase is not Phase.SETTLING or is_warm(state, release)):
        if seen.verdict.outcome is Outcome.FAIL:
            return fall_back(state, release, Event.FAILED, seen.verdict.why, seen.now)
        if seen.now >= ends:
            why = f"paused for {release.plan.pause_seconds:g} s, and nobody let it go on"
            return fall_back(state, release, Event.FAILED, why, seen.now)
    decision = _decider(release)(state, release, seen)
    if isinstance(decision, Shift) or (isinstance(decision, Record) and decision.event is Event.FAILED):
        return decision
    until = max(ends, seen.now + timedelta(seconds=HOLD_SECONDS))
    return Wait("paused: `teal release resume` goes on, `teal release abort` takes it back", until)


def _start(state: State, release: InFlight, seen: Seen) -> Decision:
    plan = release.plan
    filled = with_side(state, plan.target, Side(digest=plan.digest, capacity=plan.capacity, weight=0))
    if state.is_released:
        filled = with_side(filled, state.live, replace(state.side(state.live), capacity=plan.capacity))
    why = f"{plan.target} gets {plan.capacity} servers of {plan.digest}"
    return record(filled, release, Event.STARTED, why, seen.now)


def _prepare(state: State, release: InFlight, seen: Seen) -> Decision:
    target = release.plan.target
    if said := trouble(seen):
        return fall_back(state, release, Event.FAILED, said, seen.now)
    if seen.applied != declared(state):
        return Apply()
    wanted = state.side(target).capacity
    found = f"{seen.healthy[target]} of {wanted} servers of {target} healthy"
    until = release.since + timedelta(seconds=release.plan.ready_seconds)
    if seen.healthy[target] >= wanted:
        return waiting_for_hook(seen) or record(state, release, Event.IDLE_HEALTHY, found, seen.now)
    if seen.now >= until:
        return fall_back(state, release, Event.FAILED, f"{found} in {release.plan.ready_seconds:g} s", seen.now)
    return Wait(found, until)


def _verify(state: State, release: InFlight, seen: Seen) -> Decision:
    said = trouble(seen) or shortage(state, release.plan.target, seen)
    if said:
        return fall_back(state, release, Event.FAILED, said, seen.now)
    doubt = unsure(release, seen, release.since + timedelta(seconds=release.plan.judge_seconds))
    return doubt or waiting_for_hook(seen) or step(state, release, 0, Event.IDLE_VERIFIED, seen.now)


def _shift(state: State, release: InFlight, seen: Seen) -> Decision:
    target = release.plan.target
    refuse_foreign(state, seen, before_step(state, release))
    said = trouble(seen) or shortage(state, target, seen)
    if said:
        return fall_back(state, release, Event.FAILED, said, seen.now)
    if seen.weights != state.shares:
        return Shift(state.shares)
    bake = timedelta(seconds=release.plan.bakes[release.step])
    if seen.steady < bake:
        return Wait(f"{target} bakes at {state.side(target).weight} %", seen.now + bake - seen.steady)
    patience = bake + timedelta(seconds=release.plan.judge_seconds)
    waiting = unsure(release, seen, seen.now + patience - seen.steady) or waiting_for_hook(seen)
    if waiting:
        return waiting
    if release.step + 1 < len(release.plan.steps):
        return step(state, release, release.step + 1, Event.STEP_PASSED, seen.now)
    return record(
        replace(state, live=target), release, Event.ALL_MOVED, f"{target} has every request and is live", seen.now
    )


def _settle(state: State, release: InFlight, seen: Seen) -> Decision:
    target, leaving = release.plan.target, release.plan.target.other
    refuse_foreign(state, seen)
    if is_warm(state, release):
        said = trouble(seen) or shortage(state, target, seen)
        if said:
            return fall_back(state, release, Event.FAILED, said, seen.now)
        until = release.since + timedelta(seconds=max(release.plan.warm_seconds, CONVERGED_SECONDS))
        if seen.now < until:
            return Wait(f"{leaving} stays warm", until)
        if waiting := waiting_for_hook(seen):
            return waiting
    if (emptied := retired(state, release)) != state:
        return record(emptied, release, Event.RETIRED, f"{leaving} loses its servers", seen.now)
    if seen.applied != declared(state):
        return Apply()
    return record(state, release, Event.SETTLED, f"{target} is live with {release.plan.digest}", seen.now)


def _roll_back(state: State, release: InFlight, seen: Seen) -> Decision:
    target, live = release.plan.target, release.plan.target.other
    if seen.weights != state.shares:
        short = shortage(state, live, seen) if state.is_released else None
        if short is None:
            return Shift(state.shares)
        until = release.since + timedelta(seconds=release.plan.ready_seconds)
        if seen.now >= until:
            raise UnsafeWeights(f"release {release.release_id} cannot go back: {short}")
        return Wait(short, until)
    calm = timedelta(seconds=max(release.plan.bakes[0], CONVERGED_SECONDS))
    if seen.steady < calm:  # what was sent to the target colour a moment ago is still under way
        return Wait(f"{live} has every request again", seen.now + calm - seen.steady)
    if (back := restored(state, release)) != state:
        return record(back, release, Event.RETIRED, f"{target} loses its servers", seen.now)
    if seen.applied != declared(state):
        return Apply()
    return record(state, release, Event.LIVE_RESTORED, f"{live} is live as before", seen.now)


_DECIDERS: Mapping[Phase, Decider] = {
    Phase.PLANNED: _start,
    Phase.PREPARING: _prepare,
    Phase.VERIFYING: _verify,
    Phase.SHIFTING: _shift,
    Phase.SETTLING: _settle,
    Phase.ROLLING_BACK: _roll_back,
}
_WITH_VOLUME: Mapping[Phase, Decider] = {
    **_DECIDERS,
    Phase.PLANNED: gap.start,
    Phase.PREPARING: gap.prepare,
    Phase.VERIFYING: gap.verify,
    Phase.ROLLING_BACK: gap.roll_back,
}
