"""Tasks of a swarm's services, and which worker each stands at.

The engine of this machine is the only node of its swarm, and the embedded cloud's workers are instances without a
machine. So it says itself which task is at which worker: a task gets the first one that has none of its service, zone by
zone, and keeps it as long as it runs. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from localcloud.dataplane.runner import WORKER, Node
from localcloud.dataplane.snapshot import Snapshot, Target, TargetGroup, TargetState


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task that Swarm wants to run."""

    id: str
    """Name that Swarm gives it."""
    service: str
    """Name of its service, as the program has it."""
    colour: str
    digest: str
    published: int
    """Port of a worker that stands for it; 0 for none."""
    port: int
    """Port that it answers at itself."""
    address: str = ""
    """Where this machine reaches it; empty while it has no container."""
    container: str = ""
    pid: int | None = None
    state: str = ""
    """In Swarm's words."""
    reason: str = ""
    """What Swarm says is wrong."""
    is_listening: bool = False

    @property
    def runs(self) -> bool:
        """Whether it has a container that runs."""
        return bool(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A worker of a cluster, as the tasks' place."""

    instance_id: str
    zone: str
    cluster: str


@dataclass(slots=True)
class Seating:
    """Which task is at which worker's port. Belongs to one thread."""

    _taken: dict[tuple[str, int], str] = field(default_factory=dict)
    """Task id by worker and port."""

    def follow(self, seats: Sequence[Seat], tasks: Iterable[Task]) -> Mapping[tuple[str, int], Task]:
        """Task by worker and port: those that run and for which there is a worker."""
        running = {task.id: task for task in tasks if task.runs and task.published}
        known = {seat.instance_id: seat for seat in seats}
        self._taken = {
            place: task
            for place, task in self._taken.items()
            if task in running and place[0] in known and serves(known[place[0]].cluster, running[task])
        }
        seated = set(self._taken.values())
        for task in sorted((task for task in running.values() if task.id not in seated), key=lambda task: task.id):
            free = (
                seat
                for seat in seats
                if serves(seat.cluster, task) and (seat.instance_id, task.published) not in self._taken
            )
            if seat := next(free, None):
                self._taken[(seat.instance_id, task.published)] = task.id
        return {place: running[task] for place, task in self._taken.items()}


def serves(cluster: str, task: Task) -> bool:
    """Whether a task belongs to a cluster: its service's name says so."""
    return task.service == f"teal-{cluster}-{task.colour}"


def in_turn(nodes: Mapping[str, tuple[Node, str]]) -> list[Seat]:
    """Workers in the order in which they get tasks, zones in turn; from node and zone by instance id."""
    by_zone: dict[str, list[Seat]] = {}
    for instance_id, (node, zone) in sorted(nodes.items(), key=lambda item: (item[1][1], item[0])):
        if node.role == WORKER:
            by_zone.setdefault(zone, []).append(Seat(instance_id=instance_id, zone=zone, cluster=node.cluster))
    return [seat for row in zip_longest(*by_zone.values()) for seat in row if seat]


def seated(snapshot: Snapshot, nodes: Iterable[str], tasks: Mapping[tuple[str, int], Task]) -> Snapshot:
    """The snapshot with each target that is a node where its task is; without one it can't be reached."""
    known = set(nodes)
    groups = {arn: _group(group, known, tasks) for arn, group in snapshot.groups.items()}
    return replace(snapshot, groups=groups)


def _group(group: TargetGroup, nodes: set[str], tasks: Mapping[tuple[str, int], Task]) -> TargetGroup:
    targets = tuple(_target(each, tasks.get((each.id, each.port))) if each.id in nodes else each for each in group.targets)
    return replace(group, targets=targets)


def _target(target: Target, task: Task | None) -> Target:
    if task is None:
        return replace(target, address="", state=TargetState.UNREACHABLE)
    state = TargetState.READY if task.is_listening else TargetState.REGISTERED
    return replace(target, address=task.address, port=task.port, state=state)
