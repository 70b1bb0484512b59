"""Gives every instance of the scaling groups a life, watches it, and says which are lost.

One thread owns a Fleet (the plane's loop); pulling images and stopping processes happen in a small pool of workers.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

import structlog

from localcloud.dataplane.runner import (
    Birth,
    CannotStart,
    Life,
    Prepared,
    Runner,
    VolumeHeld,
    accepts_connections,
)
from localcloud.dataplane.snapshot import TargetState
from localcloud.instances.node import Node

LOG = structlog.get_logger(__name__)

WORKERS = 4
STOP_GRACE = timedelta(seconds=30)
QUICK_GRACE = timedelta(seconds=3)
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
LOST_RETRY_SECONDS = 5.0
CALM_SECONDS = 60.0
"""A scaling group's losses longer ago than this count no more against replacing at once."""


class Phase(StrEnum):
    """Where an instance is in its life."""

    PREPARING = "preparing"
    """Its image is being fetched."""
    IDLE = "idle"
    """Its user data names no image: nothing has been released yet."""
    WAITING = "waiting"
    """Its data volume is another instance's; it starts as soon as that is free."""
    NODE = "node"
    """It is a node of a swarm: what runs there are tasks, which tasks.py says."""
    STARTING = "starting"
    """Its process runs but does not listen yet."""
    RUNNING = "running"
    FAILED = "failed"
    """It could not be started; it is tried again after a pause."""
    LOST = "lost"
    """It ran, and died: its scaling group is to replace it."""
    DRAINING = "draining"
    """It is wanted no more and finishes its requests."""
    STOPPING = "stopping"
    OVER = "over"


TARGET_STATES = {
    Phase.PREPARING: TargetState.REGISTERED,
    Phase.WAITING: TargetState.REGISTERED,
    Phase.STARTING: TargetState.REGISTERED,
    Phase.RUNNING: TargetState.READY,
    Phase.DRAINING: TargetState.DRAINING,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an instance is, and whether it can be offered to the load balancer."""

    address: str
    state: TargetState


@dataclass(slots=True)
class Member:
    """An instance and its life so far."""

    birth: Birth
    scaling_group: str
    phase: Phase = Phase.PREPARING
    reason: str = ""
    preparing: Future[Prepared | Node | None] | None = None
    prepared: Prepared | None = None
    node: Node | None = None
    life: Life | None = None
    running_since: float = 0.0
    failures: int = 0
    retry_at: float = 0.0
    stopping: Future[None] | None = None

    @property
    def place(self) -> Place:
        """Where it is for the load balancer."""
        return Place(self.life.address if self.life else "", TARGET_STATES.get(self.phase, TargetState.UNREACHABLE))


@dataclass(slots=True)
class Losses:
    """A scaling group's recent losses, so that an instance which dies again and again is not replaced hotly."""

    at: list[float] = field(default_factory=list)

    def next_replacement(self, now: float) -> float:
        """Notes a loss; the moment from which its replacement may be asked for."""
        self.at = [moment for moment in self.at if now - moment < CALM_SECONDS]
        pause = pause_after(len(self.at)) if self.at else 0.0
        self.at.append(now)
        return now + pause


class Fleet:
    """All instances by id. is_draining tells whether an instance still has requests to finish."""

    def __init__(self, runner: Runner, is_draining: Callable[[str], bool]) -> None:
        self._runner = runner
        self._is_draining = is_draining
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="fleet")
        self._losses: dict[str, Losses] = {}
        self.members: dict[str, Member] = {}
        self._steps: dict[Phase, Callable[[Member, float], None]] = {
            Phase.PREPARING: self._await_preparation,
            Phase.WAITING: self._retry,
            Phase.STARTING: self._await_listening,
            Phase.RUNNING: self._watch,
            Phase.FAILED: self._retry,
            Phase.DRAINING: self._await_drained,
            Phase.STOPPING: self._await_stopped,
        }

    def admit(self, birth: Birth, scaling_group: str) -> None:
        """Takes a new instance in."""
        member = Member(birth, scaling_group)
        member.preparing = self._pool.submit(self._runner.prepare, birth)
        self.members[birth.instance_id] = member

    def dismiss_all_but(self, wanted: Iterable[str]) -> None:
        """Lets go of the instances that no scaling group wants any more; those that serve are drained first."""
        for instance_id in self.members.keys() - set(wanted):
            member = self.members[instance_id]
            if member.phase is Phase.RUNNING:
                member.phase = Phase.DRAINING
            elif member.phase not in (Phase.DRAINING, Phase.STOPPING):
                self._stop(member, QUICK_GRACE)

    def step(self) -> bool:
        """Takes every instance one step on, where there is one to take. Quick. True if that changed any."""
        now = time.monotonic()
        before = {key: member.phase for key, member in self.members.items()}
        for member in list(self.members.values()):
            if step := self._steps.get(member.phase):
                step(member, now)
        has_changed = any(member.phase is not before[key] for key, member in self.members.items())
        self.members = {key: member for key, member in self.members.items() if member.phase is not Phase.OVER}
        return has_changed

    def lost(self) -> list[str]:
        """Instances that their scaling groups should replace now; named again later if that does not come about."""
        now = time.monotonic()
        lost = [key for key, member in self.members.items() if member.phase is Phase.LOST and member.retry_at <= now]
        for key in lost:
            self.members[key].retry_at = now + LOST_RETRY_SECONDS
        return lost

    def give_up(self, instance_id: str, reason: str) -> None:
        """Declares a running instance lost, such as one that the load balancer finds unhealthy."""
        self._lose(self.members[instance_id], reason, time.monotonic())

    def places(self) -> dict[str, Place]:
        """Place by instance id."""
        return {key: member.place for key, member in self.members.items()}

    def nodes(self) -> Mapping[str, tuple[Node, str]]:
        """The nodes of swarms, each with its zone, by instance id."""
        members = ((key, member) for key, member in self.members.items() if member.phase is Phase.NODE)
        return {key: (member.node, member.birth.zone) for key, member in members if member.node}

    def stop(self) -> None:
        """Ends every instance, without draining, and waits for them: QUICK_GRACE at most, then by force."""
        for member in self.members.values():
            if member.phase is not Phase.STOPPING:
                self._stop(member, QUICK_GRACE)
        self._pool.shutdown(wait=True, cancel_futures=False)
        self.members.clear()

    def _await_preparation(self, member: Member, now: float) -> None:
        if member.preparing is None or not member.preparing.done():
            return
        problem = member.preparing.exception()
        if problem is not None:
            self._fail(member, str(problem), now)
            return
        found = member.preparing.result()
        if isinstance(found, Node):
            member.node, member.phase = found, Phase.NODE
            return
        member.prepared = found
        if member.prepared is None:
            member.phase, member.reason = Phase.IDLE, "its user data names no image"
        else:
            self._start(member, member.prepared, now)

    def _start(self, member: Member, prepared: Prepared, now: float) -> None:
        try:
            member.life = prepared.start()
        except VolumeHeld as problem:
            member.phase, member.reason, member.retry_at = Phase.WAITING, str(problem), now
            return
        except CannotStart as problem:
            self._fail(member, str(problem), now)
            return
        member.phase, member.reason = Phase.STARTING, "it does not listen yet"

    def _await_listening(self, member: Member, now: float) -> None:
        if member.life is None or member.prepared is None:
            return
        if not member.life.is_alive():
            self._pool.submit(member.life.stop, QUICK_GRACE)
            self._fail(member, f"its process ended before it listened: {member.life.last_words()}", now)
        elif accepts_connections(member.life.address, member.prepared.port):
            member.phase, member.reason, member.failures, member.running_since = Phase.RUNNING, "", 0, now

    def _watch(self, member: Member, now: float) -> None:
        if member.life and not member.life.is_alive():
            self._lose(member, "its process ended", now)

    def _retry(self, member: Member, now: float) -> None:
        if now < member.retry_at:
            return
        if member.prepared:
            self._start(member, member.prepared, now)
        else:
            member.phase = Phase.PREPARING
            member.preparing = self._pool.submit(self._runner.prepare, member.birth)

    def _await_drained(self, member: Member, _: float) -> None:
        if not self._is_draining(member.birth.instance_id):
            self._stop(member, STOP_GRACE)

    def _await_stopped(self, member: Member, _: float) -> None:
        if member.stopping is None or member.stopping.done():
            if member.stopping and (problem := member.stopping.exception()):
                LOG.error("instance could not be stopped", instance=member.birth.instance_id, problem=str(problem))
            member.phase = Phase.OVER
            self._runner.forget(member.birth.instance_id)

    def _fail(self, member: Member, reason: str, now: float) -> None:
        member.failures += 1
        member.phase, member.reason, member.life = Phase.FAILED, reason, None
        member.retry_at = now + pause_after(member.failures)
        LOG.warning("instance does not start", instance=member.birth.instance_id, problem=reason)

    def _lose(self, member: Member, reason: str, now: float) -> None:
        losses = self._losses.setdefault(member.scaling_group, Losses())
        member.phase, member.reason, member.retry_at = Phase.LOST, reason, losses.next_replacement(now)
        LOG.warning("instance lost", instance=member.birth.instance_id, problem=reason)

    def _stop(self, member: Member, grace: timedelta) -> None:
        member.phase = Phase.STOPPING
        if member.preparing:
            member.preparing.cancel()
        member.stopping = self._pool.submit(member.life.stop, grace) if member.life else None


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row: doubling, up to LONGEST_RETRY_SECONDS.

    >>> [pause_after(n) for n in (1, 2, 3, 9)]
    [1.0, 2.0, 4.0, 60.0]
    """
    doubled: float = FIRST_RETRY_SECONDS * 2.0 ** (failures - 1)
    return min(doubled, LONGEST_RETRY_SECONDS)
