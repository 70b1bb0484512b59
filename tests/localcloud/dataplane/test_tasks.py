"""Which task is at which worker, and what the load balancer and people are told of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from localcloud.dataplane.admin import HostHealth
from localcloud.dataplane.envoy_routes import resource_name
from localcloud.dataplane.health import HealthTable, target_health
from localcloud.dataplane.seen import NO_ROOM, Seen
from localcloud.dataplane.snapshot import (
    Forward,
    HealthCheck,
    Listener,
    LoadBalancer,
    Snapshot,
    Target,
    TargetGroup,
    TargetState,
)
from localcloud.dataplane.tasks import Seating, Task, in_turn
from localcloud.instances.node import MANAGER, WORKER, Node

BLUE, GREEN = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/blue/1", "arn:...:targetgroup/green/2"
SECOND = timedelta(seconds=1)
WORKERS = {
    "i-1": (Node(cluster="dev", role=WORKER), "a"),
    "i-2": (Node(cluster="dev", role=WORKER), "a"),
    "i-3": (Node(cluster="dev", role=WORKER), "b"),
    "i-9": (Node(cluster="dev", role=MANAGER), "a"),
}
SCALING_GROUPS = {"i-1": "workers", "i-2": "workers", "i-3": "workers"}


class Swarm:
    """Tasks that a test changes."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.seating = Seating(lambda: tuple(self.tasks))

    def run(self, *tasks: Task) -> dict[str, str]:
        """Task by worker, and its port."""
        self.tasks = list(tasks)
        self.seating.follow(Snapshot(), WORKERS)
        return {f"{worker}:{port}": task.id for (worker, port), task in self.seating.taken.items()}


def task(name: str, colour: str = "blue", cluster: str = "dev") -> Task:
    number = name.removeprefix("t")
    return Task(
        id=name,
        service=f"teal-{cluster}-{colour}",
        colour=colour,
        digest="sha256:0",
        published={"blue": 8081, "green": 8082}[colour],
        port=8080,
        address=f"172.18.0.{number}",
        container=f"c{number}",
        state="running",
        is_listening=True,
    )


@pytest.fixture
def swarm() -> Swarm:
    return Swarm()


def test_workers_get_tasks_zone_by_zone_and_managers_none(swarm: Swarm) -> None:
    assert [seat.instance_id for seat in in_turn(WORKERS)] == ["i-1", "i-3", "i-2"]
    assert swarm.run(task("t1"), task("t2")) == {"i-1:8081": "t1", "i-3:8081": "t2"}


def test_a_worker_has_one_task_of_each_colour(swarm: Swarm) -> None:
    taken = swarm.run(task("t1"), task("t2", "green"))
    assert taken == {"i-1:8081": "t1", "i-1:8082": "t2"}


def test_a_task_stays_where_it_is_and_a_new_one_gets_the_free_place(swarm: Swarm) -> None:
    swarm.run(task("t1"), task("t2"), task("t3"))
    assert swarm.run(task("t2"), task("t3"), task("t4")) == {"i-3:8081": "t2", "i-2:8081": "t3", "i-1:8081": "t4"}


def test_a_task_that_does_not_run_yet_has_no_place(swarm: Swarm) -> None:
    assert swarm.run(replace(task("t1"), address="")) == {}
    assert [*swarm.seating.waiting] == ["t1"]


def test_more_tasks_than_workers_wait(swarm: Swarm) -> None:
    swarm.run(task("t1"), task("t2"), task("t3"), task("t4"))
    assert [*swarm.seating.waiting] == ["t4"]


def test_another_clusters_task_is_not_at_our_workers(swarm: Swarm) -> None:
    assert swarm.run(task("t1", cluster="qa"), task("t2", cluster="dev-blue")) == {}


def test_a_task_whose_worker_is_gone_moves(swarm: Swarm) -> None:
    swarm.run(task("t1"))
    left = {name: node for name, node in WORKERS.items() if name != "i-1"}
    swarm.seating.follow(Snapshot(), left)
    assert {worker for worker, _ in swarm.seating.taken} == {"i-2"}


def snapshot() -> Snapshot:
    """Both groups with all workers, and an instance that is none."""

    def group(arn: str, port: int) -> TargetGroup:
        check = HealthCheck("/readyz", SECOND, SECOND, 2, 2, ((200, 200),))
        names = ("i-1", "i-2", "i-3")
        nodes = tuple(Target(name, "", port, TargetState.UNREACHABLE) for name in names)
        other = Target("i-7", "127.16.0.7", port, TargetState.READY)
        return TargetGroup(arn, "HTTP", port, check, (*nodes, other))

    listener = Listener("arn:listener", 80, "HTTP", Forward(((BLUE, 100), (GREEN, 0))))
    balancer = LoadBalancer("arn:lb", "web", "web.example", (listener,))
    return Snapshot((balancer,), {BLUE: group(BLUE, 8081), GREEN: group(GREEN, 8082)})


def targets(served: Snapshot, arn: str) -> Sequence[tuple[str, str, int, TargetState]]:
    return [(each.id, each.address, each.port, each.state) for each in served.groups[arn].targets]


def test_a_target_is_where_its_workers_task_of_that_port_is(swarm: Swarm) -> None:
    swarm.tasks = [task("t1"), replace(task("t2"), is_listening=False), task("t3", "green")]
    served = swarm.seating.follow(snapshot(), WORKERS)
    assert targets(served, BLUE) == [
        ("i-1", "172.18.0.1", 8080, TargetState.READY),
        ("i-2", "", 8081, TargetState.UNREACHABLE),
        ("i-3", "172.18.0.2", 8080, TargetState.REGISTERED),
        ("i-7", "127.16.0.7", 8081, TargetState.READY),
    ]
    assert targets(served, GREEN)[0] == ("i-1", "172.18.0.3", 8080, TargetState.READY)


def test_health_is_that_of_the_task_in_its_own_group(swarm: Swarm) -> None:
    swarm.tasks = [
        task("t1"),
        task("t2", "green"),
        replace(task("t4"), address="", state="rejected", reason="no image"),
    ]
    served = swarm.seating.follow(snapshot(), WORKERS)
    well = HostHealth(is_healthy=True, is_pending=False, timed_out=False, requests=7)
    ill = replace(well, is_healthy=False)
    hosts = {
        resource_name(BLUE): {("172.18.0.1", 8080): well},
        resource_name(GREEN): {("172.18.0.2", 8080): ill},
    }
    health = target_health(served, hosts)
    assert {arn: health[(arn, "i-1")].state.value for arn in (BLUE, GREEN)} == {BLUE: "healthy", GREEN: "unhealthy"}
    assert health[(BLUE, "i-2")].state.value == "unhealthy"
    table = HealthTable()
    table.replace(health)
    told = {one.id: one for one in Seen(table, served, hosts).tasks(swarm.seating, SCALING_GROUPS)}
    assert {name: (one.health, one.zone, one.scaling_group) for name, one in told.items()} == {
        "t1": ("healthy", "a", "workers"),
        "t2": ("unhealthy", "a", "workers"),
        "t4": ("none", "", "workers"),
    }
    assert (told["t1"].address, told["t1"].requests, told["t1"].container) == ("172.18.0.1:8080", 7, "c1")
    assert [(told[name].worker, told[name].worker_port) for name in ("t1", "t2", "t4")] == [
        ("i-1", 8081), ("i-1", 8082), ("", 0),
    ]  # fmt: skip
    assert (told["t4"].state, told["t4"].reason, told["t4"].address) == ("rejected", "no image", "")


def test_a_task_without_a_worker_says_so(swarm: Swarm) -> None:
    swarm.run(task("t1"), task("t2"), task("t3"), task("t4"))
    told = {one.id: one for one in Seen(HealthTable(), Snapshot(), {}).tasks(swarm.seating, SCALING_GROUPS)}
    assert {one.reason for name, one in told.items() if name != "t4"} == {""}
    assert told["t4"].reason == NO_ROOM
