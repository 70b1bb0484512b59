"""A release in an environment with a data volume: the phases that go otherwise than where two colours serve at once.

The volume is attached to one server at a time, so the live colour ends before the target colour starts, and in between
requests fail: the gap.

    PREPARING     the target colour's image is declared, and hooks are heard, while live still serves; GAP_BEGUN: live
                  loses its server; the volume gets free, and a snapshot of it is made; SNAPSHOT_MADE: the target
                  colour gets its server
    VERIFYING     by the test route; where nobody can tell, it goes back: a pause would make the gap longer
    SHIFTING      one step of 100 %, at which the gap ends
    SETTLING      the other colour has lost its server long ago
    ROLLING_BACK  mirrors the way there: the target colour loses its server, the volume gets free, LIVE_RECALLED: live
                  gets its server back, is healthy, has every request. What was written meanwhile stays.

Never two writers: no colour gets servers before a run of the program has ended the other's, and the volume was then
seen free. release.ledger refuses a state in which both have some.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from release.effects import Apply, Decision, Pause, Record, Seen, Shift, TakeSnapshot, Wait, declared
from release.errors import UnsafeWeights, VolumeHeld
from release.ledger import InFlight, Side, State
from release.machine import Event
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
from release.states import is_cut_off, with_side


def start(state: State, release: InFlight, seen: Seen) -> Decision:
    """The target colour's image, and no server yet."""
    plan = release.plan
    declared_only = with_side(state, plan.target, Side(digest=plan.digest, capacity=0, weight=0))
    why = f"{plan.target} gets {plan.digest}, and its server once {plan.data_volume} is free"
    return record(declared_only, release, Event.STARTED, why, seen.now)


def prepare(state: State, release: InFlight, seen: Seen) -> Decision:
    """From a live colour that serves to a target colour that is healthy, with the snapshot in between."""
    live = release.plan.target.other
    if said := trouble(seen):
        return fall_back(state, release, Event.FAILED, said, seen.now)
    if seen.applied != declared(state):
        return Apply()
    if state.side(release.plan.target).capacity:
        return _fill(state, release, seen)
    if not is_cut_off(state) and (waiting := waiting_for_hook(seen)):
        return waiting
    if is_warm(state, release):
        refuse_foreign(state, seen)  # here nobody misses a request by it yet
        ended = with_side(state, live, replace(state.side(live), capacity=0))
        why = f"{live} loses its server, so that {release.plan.data_volume} gets free: requests fail from here on"
        return record(ended, release, Event.GAP_BEGUN, why, seen.now, is_afresh=True)
    return _secure(state, release, seen)


def verify(state: State, release: InFlight, seen: Seen) -> Decision:
    """A verdict by the test route; while requests fail nobody waits for one beyond the plan's time."""
    said = trouble(seen) or shortage(state, release.plan.target, seen)
    if said:
        return fall_back(state, release, Event.FAILED, said, seen.now)
    doubt = unsure(release, seen, _until(release, release.plan.judge_seconds))
    if isinstance(doubt, Pause) and is_cut_off(state):
        why = f"{doubt.why}; requests fail meanwhile, so it is not waited for"
        return fall_back(state, release, Event.FAILED, why, seen.now)
    return doubt or waiting_for_hook(seen) or step(state, release, 0, Event.IDLE_VERIFIED, seen.now)


def roll_back(state: State, release: InFlight, seen: Seen) -> Decision:
    """From wherever it was to a live colour that serves. Raises VolumeHeld, UnsafeWeights."""
    target, live = release.plan.target, release.plan.target.other
    if (emptied := with_side(state, target, release.previous)) != state:
        why = f"{target} {'loses its server' if state.side(target).capacity else 'gets back what it had'}"
        return record(emptied, release, Event.RETIRED, why, seen.now)
    if seen.applied != declared(state):
        return Apply()
    if state.is_released and not is_warm(state, release):
        return _recall(state, release, seen)
    if state.is_released and (short := shortage(state, live, seen)):
        until = _until(release, release.plan.ready_seconds)
        if seen.now >= until:
            raise UnsafeWeights(f"release {release.release_id} cannot go back: {short}")
        return Wait(short, until)
    if seen.weights != state.shares:
        return Shift(state.shares)
    calm = timedelta(seconds=CONVERGED_SECONDS)
    if seen.steady < calm:
        return Wait(f"{live} has every request again", seen.now + calm - seen.steady)
    return record(state, release, Event.LIVE_RESTORED, f"{live} is live as before", seen.now)


def _secure(state: State, release: InFlight, seen: Seen) -> Decision:
    """The snapshot of a volume that nobody writes to; then the target colour may have it."""
    plan = release.plan
    until = _until(release, plan.ready_seconds)
    if not seen.is_free:
        if seen.now < until:
            return Wait(f"{plan.data_volume} gets free", until)
        why = f"{plan.data_volume} is still held after {plan.ready_seconds:g} s"
        return fall_back(state, release, Event.FAILED, why, seen.now)
    if seen.snapshot is None:
        return TakeSnapshot()
    filled = with_side(state, plan.target, Side(digest=plan.digest, capacity=plan.capacity, weight=0))
    noted = replace(release, snapshot=seen.snapshot)
    why = f"{seen.snapshot} of {plan.data_volume}; {plan.target} gets its server"
    return record(filled, noted, Event.SNAPSHOT_MADE, why, seen.now, is_afresh=True)


def _fill(state: State, release: InFlight, seen: Seen) -> Decision:
    target = release.plan.target
    wanted, until = state.side(target).capacity, _until(release, release.plan.ready_seconds)
    found = f"{seen.healthy[target]} of {wanted} servers of {target} healthy"
    if seen.healthy[target] >= wanted:
        return record(state, release, Event.IDLE_HEALTHY, found, seen.now)
    if seen.now >= until:
        return fall_back(state, release, Event.FAILED, f"{found} in {release.plan.ready_seconds:g} s", seen.now)
    return Wait(found, until)


def _recall(state: State, release: InFlight, seen: Seen) -> Record | Wait:
    plan, live = release.plan, release.plan.target.other
    until = _until(release, plan.ready_seconds)
    if not seen.is_free:
        if seen.now < until:
            return Wait(f"{plan.data_volume} gets free", until)
        raise VolumeHeld(
            f"release {release.release_id} cannot go back: {plan.data_volume} is still held after "
            f"{plan.ready_seconds:g} s. See what has it, detach it there, then `teal release resume`"
        )
    filled = with_side(state, live, replace(state.side(live), capacity=plan.capacity_after))
    why = f"{plan.data_volume} is free: {live} gets its server back"
    return record(filled, release, Event.LIVE_RECALLED, why, seen.now, is_afresh=True)


def _until(release: InFlight, seconds: float) -> datetime:
    return release.since + timedelta(seconds=seconds)
