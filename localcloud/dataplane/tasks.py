"""Tasks of a swarm's services, and which worker each stands at.

The engine of this machine is the only node of its swarm, and the embedded cloud's workers are instances without a
machine. So it says itself which task is at which worker: a task gets the first one whose port nobody has, zones in
turn, and keeps it as long as it runs. Pure.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest

from localcloud.dataplane.snapshot import Snapshot, Target, TargetGroup, TargetState
from localcloud.instances.node import WORKER, Node


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


Place = tuple[str, int]
"""A worker's instance id and one of its ports."""


@dataclass(slots=True)
class Seating:
    """Which task is at which worker's port. Belongs to one thread."""

    source: Callable[[], Sequence[Task]]
    """The tasks as they are now; has to be quick."""
    taken: Mapping[Place, Task] = field(default_factory=dict)
    """Those that run and for which there is a worker."""
    waiting: Mapping[str, Task] = field(default_factory=dict)
    """All others, by id."""
    seats: Sequence[Seat] = ()

    def follow(self, snapshot: Snapshot, nodes: Mapping[str, tuple[Node, str]]) -> Snapshot:
        """Seats the tasks at nodes, given with their zones by instance id.

        Returns the snapshot with each target that is a node where its task is; without one it can't be reached.
        """
        self.seats = in_turn(nodes)
        tasks = {task.id: task for task in self.source()}
        running = {task.id: task for task in tasks.values() if task.runs and task.published}
        kept = self._kept(running)
        self.taken = kept | self._newly_seated(running, kept)
        at_work = {task.id for task in self.taken.values()}
        self.waiting = {name: task for name, task in tasks.items() if name not in at_work}
        groups = {arn: _seated(group, nodes, self.taken) for arn, group in snapshot.groups.items()}
        return replace(snapshot, groups=groups)

    def home_of(self, task: Task) -> Seat | None:
        """Any worker of a task's cluster."""
        return next((seat for seat in self.seats if serves(seat.cluster, task)), None)

    def _kept(self, running: Mapping[str, Task]) -> dict[Place, Task]:
        clusters = {seat.instance_id: seat.cluster for seat in self.seats}
        return {
            place: running[task.id]
            for place, task in self.taken.items()
            if task.id in running and place[0] in clusters and serves(clusters[place[0]], task)
        }

    def _newly_seated(self, running: Mapping[str, Task], kept: Mapping[Place, Task]) -> dict[Place, Task]:
        known, found = {task.id for task in kept.values()}, dict[Place, Task]()
        for name in sorted(running.keys() - known):
            task = running[name]
            places = ((seat.instance_id, task.published) for seat in self.seats if serves(seat.cluster, task))
            free = next((place for place in places if place not in kept and place not in found), None)
            if free:
                found[free] = task
        return found


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


def _seated(group: TargetGroup, nodes: Mapping[str, object], taken: Mapping[Place, Task]) -> TargetGroup:
    at = {each.id: taken.get((each.id, each.port)) for each in group.targets}
    return replace(
        group, targets=tuple(_target(each, at[each.id]) if each.id in nodes else each for each in group.targets)
    )


def _target(target: Target, task: Task | None) -> Target:
    if task is None:
        return replace(target, address="", state=TargetState.UNREACHABLE)
    state = TargetState.READY if task.is_listening else TargetState.REGISTERED
    return replace(target, address=task.address, port=task.port, state=state)
