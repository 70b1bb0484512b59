"""Instances, tasks and listeners as they are told to people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from localcloud.dataplane.fleet import Member, Phase
from localcloud.dataplane.health import HealthTable, Hosts
from localcloud.dataplane.snapshot import Snapshot
from localcloud.dataplane.tasks import Seating, Task

NO_ROOM = "no worker has room for it"
NO_LIFE = (Phase.LOST, Phase.FAILED)


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """One instance, or one task of a swarm, for people.

    health is "none" where it is in no target group, pid None where it has no process.
    """

    id: str
    scaling_group: str
    """Of a task: the one of its worker."""
    colour: str
    zone: str
    address: str
    health: str
    state: str
    reason: str
    digest: str
    pid: int | None
    container: str
    requests: int | None
    """What Envoy has sent it so far; None where that is in no target group, or Envoy is down."""
    worker: str = ""
    """Of a task: the instance that it is at; empty for an instance, and for a task that waits for one."""
    worker_port: int = 0
    """Of a task: port of that instance that stands for it."""


@dataclass(frozen=True, slots=True)
class ListenerStatus:
    """One listener, and where it is to be reached on this machine."""

    load_balancer_arn: str
    dns_name: str
    protocol: str
    port: int
    url: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What the load balancer does and sees at a moment."""

    table: HealthTable
    served: Snapshot
    hosts: Hosts

    def instance(self, member: Member) -> InstanceStatus:
        """The status of an instance."""
        health = self.table.of_target(member.birth.instance_id)
        life, prepared = member.life, member.prepared
        return InstanceStatus(
            id=member.birth.instance_id,
            scaling_group=member.scaling_group,
            colour=prepared.colour if prepared else "",
            zone=member.birth.zone,
            address=f"{life.address}:{prepared.port}" if life and prepared else "",
            health=health.state if health else "none",
            state=member.phase,
            reason=member.reason,
            digest=prepared.digest if prepared else "",
            pid=life.pid if life and member.phase not in NO_LIFE else None,
            container=life.container if life else "",
            requests=self._requests(life.address, prepared.port) if life and prepared else None,
        )

    def tasks(self, seating: Seating, scaling_groups: Mapping[str, str]) -> Iterator[InstanceStatus]:
        """The status of every task, from the scaling groups of workers by instance id."""
        zones = {seat.instance_id: seat.zone for seat in seating.seats}
        for (worker, port), task in seating.taken.items():
            told = self._task(task, scaling_groups.get(worker, ""), zones.get(worker, ""), self._health(worker, task))
            yield replace(told, worker=worker, worker_port=port)
        for task in seating.waiting.values():
            home = seating.home_of(task)
            yield self._task(task, scaling_groups.get(home.instance_id, "") if home else "", "", "none")

    def _task(self, task: Task, scaling_group: str, zone: str, health: str) -> InstanceStatus:
        is_homeless = task.runs and not zone
        return InstanceStatus(
            id=task.id,
            scaling_group=scaling_group,
            colour=task.colour,
            zone=zone,
            address=f"{task.address}:{task.port}" if task.address else "",
            health=health,
            state=task.state,
            reason=task.reason or (NO_ROOM if is_homeless else ""),
            digest=task.digest,
            pid=task.pid,
            container=task.container,
            requests=self._requests(task.address, task.port) if task.address else None,
        )

    def _health(self, worker: str, task: Task) -> str:
        """The health of a worker in the target group that sends to a task there."""
        for arn, group in self.served.groups.items():
            if any(each.id == worker and each.address == task.address for each in group.targets):
                health = self.table.get(arn, worker)
                return health.state if health else "none"
        return "none"

    def _requests(self, address: str, port: int) -> int | None:
        found = [hosts[(address, port)].requests for hosts in self.hosts.values() if (address, port) in hosts]
        return sum(found) if found else None
