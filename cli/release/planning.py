"""Makes a plan of settings, options and what runs; and of a plan a release, where every gate is open."""

from dataclasses import replace

from cli.release.options import Pace
from cli.release.place import Place, caller
from release.clock import PausableClock
from release.errors import Refused, SnapshotFailed, VolumeUnread
from release.gates import Gate, gates
from release.ledger import WHOLE, InFlight, Plan, Routes, State
from release.machine import Phase


def plan_of(place: Place, digest: str, state: State, pace: Pace, despite_alarms: tuple[str, ...] = ()) -> Plan:
    """The plan that puts a digest on the idle colour: the pace where it says something, else the settings.

    While the release is under way both colours hold what the live one has by now, within the settings' bounds.
    """
    settings = place.settings
    steps = (WHOLE,) if not state.is_released else pace.steps or settings.steps
    bakes = pace.bakes or tuple(float(bake) for bake in settings.bake_seconds)
    if len(bakes) != len(steps):
        bakes = (bakes[0] if len(bakes) == 1 else max(bakes),) * len(steps)
    volume = place.data_volume
    if volume:  # one colour at a time serves, so there is nothing to share, and nobody to keep warm
        steps, bakes, pace = (WHOLE,), (max(bakes),), replace(pace, warm_seconds=0.0)
    size = min(place.size_of(state.live), settings.max_instances)
    return Plan(
        digest=digest,
        target=state.idle,
        capacity=max(size, settings.instances),
        capacity_after=settings.instances,
        steps=steps,
        bakes=bakes,
        ready_seconds=float(settings.ready_seconds) if pace.ready_seconds is None else pace.ready_seconds,
        judge_seconds=float(settings.judge_seconds),
        pause_seconds=float(settings.pause_seconds),
        warm_seconds=float(settings.keep_warm_seconds) if pace.warm_seconds is None else pace.warm_seconds,
        despite_alarms=despite_alarms,
        data_volume=volume,
        snapshots_kept=settings.data_snapshots_kept if volume else 0,
    )


def planned(place: Place, plan: Plan, release_id: str, routes: Routes) -> InFlight:
    """The release, at its start. Raises Refused, naming every closed gate."""
    found = place.found(plan, routes)
    # The lock is ours by now, so what is said about it is no gate.
    closed = [gate for gate in gates(plan, found) if not gate.is_open and gate.name != "lock free"]
    if closed:
        raise Refused("; ".join(_told(gate) for gate in closed))
    if plan.data_volume:
        _check_snapshot(place, plan, release_id)
    now = PausableClock().now()
    return InFlight(
        release_id=release_id,
        phase=Phase.PLANNED,
        since=now,
        step=0,
        paused_at=None,
        started_by=caller(),
        started_at=now,
        plan=plan,
        previous=found.state.side(plan.target),
        routes=routes,
    )


def _check_snapshot(place: Place, plan: Plan, release_id: str) -> None:
    """Finds out before requests fail, not while they do. No gate, since whoever only plans may make no snapshot."""
    try:
        place.data(plan.data_volume).check_snapshot(release_id)
    except (SnapshotFailed, VolumeUnread) as error:
        raise Refused(f"gate closed: snapshot ({error})") from error


def _told(gate: Gate) -> str:
    return f"gate closed: {gate.name} ({gate.why})"
