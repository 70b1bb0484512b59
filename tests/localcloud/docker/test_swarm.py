"""Services of a cloud in an engine of our own making, over a Unix socket. A real one: tests/swarm."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from docker_world import within
from fake_swarm import FakeDocker, fake_docker
from localcloud.docker import services as services_module
from localcloud.docker import tasks as tasks_module
from localcloud.docker.driver import DockerDriver
from localcloud.docker.engine import Engine, clear
from localcloud.docker.errors import DockerError, NoSwarm
from localcloud.docker.services import TASK, Services
from localcloud.docker.swarm import EngineSwarm
from localcloud.docker.tasks import TaskWatch
from localcloud.errors import LocalCloudError
from localcloud.provider.swarm import Network, Port

MARK, REGISTRY = "0a0b", "127.0.0.1:4000"
DIGEST = f"sha256:{'0a' * 32}"
IMAGE = f"127.0.0.1:5000/123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop@{DIGEST}"
HERE = f"{REGISTRY}/123456789012/eu-west-1/shop@{DIGEST}"
SPEC: dict[str, Any] = {
    "Mode": {"Replicated": {"Replicas": 2}},
    "TaskTemplate": {
        "ContainerSpec": {"Image": IMAGE, "Labels": {"teal.colour": "blue"}},
        "Resources": {"Limits": {"NanoCPUs": 8_000_000_000}},
    },
}
PORT = Port(target=8080, published=8081)


class FakeDriver:
    """Pulls nothing, and says what it was asked for."""

    def __init__(self) -> None:
        self.pulled: list[str] = []

    def pull(self, _: object, reference: object) -> Any:
        self.pulled.append(str(reference))
        return SimpleNamespace(name=HERE)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeDocker]:
    with fake_docker(tmp_path) as server:
        yield server


@pytest.fixture
def engine(fake: FakeDocker) -> Iterator[Engine]:
    with closing(Engine(MARK, fake.host)) as made:
        yield made


@pytest.fixture
def driver() -> FakeDriver:
    return FakeDriver()


@pytest.fixture
def swarm(engine: Engine, driver: FakeDriver) -> EngineSwarm:
    pulling = cast("DockerDriver", driver)
    return EngineSwarm(Services(engine), pulling, REGISTRY, lambda region: cast("Any", region), lambda: None)


def test_a_service_is_made_with_all_that_the_cloud_adds(
    fake: FakeDocker, swarm: EngineSwarm, driver: FakeDriver
) -> None:
    assert swarm.create_service("teal-dev-blue", SPEC, PORT) == "s1"
    made = fake.services["s1"]["Spec"]
    assert re.fullmatch("teal-dev-blue-[0-9a-f]{6}", made["Name"])
    assert made["Labels"] == {
        "teal.cloud": MARK,
        "teal.cloud.service": "teal-dev-blue",
        "teal.cloud.port": "8080",
        "teal.cloud.published": "8081",
        "teal.cloud.nano-cpus": "8000000000",
    }
    template = made["TaskTemplate"]
    assert template["ContainerSpec"] == {
        "Image": HERE,
        "Labels": {"teal.colour": "blue", "teal.cloud": MARK},
        "CapabilityDrop": ["ALL"],
    }
    assert template["Resources"] == {"Limits": {"NanoCPUs": 2_000_000_000, "Pids": 512}}
    assert template["LogDriver"] == {"Name": "json-file", "Options": {"max-size": "10m", "max-file": "1"}}
    assert driver.pulled == [IMAGE.removeprefix("127.0.0.1:5000/")]


def test_what_the_cloud_added_is_not_told(swarm: EngineSwarm) -> None:
    swarm.create_service("teal-dev-blue", SPEC, PORT)
    told = swarm.service("s1")
    assert told is not None
    assert told["TaskTemplate"]["ContainerSpec"]["Image"] == IMAGE
    assert told["TaskTemplate"]["Resources"]["Limits"]["NanoCPUs"] == 8_000_000_000
    assert told["Mode"] == SPEC["Mode"]


def test_what_somebody_changed_is_told_as_it_is(fake: FakeDocker, swarm: EngineSwarm) -> None:
    swarm.create_service("teal-dev-blue", SPEC, PORT)
    template = fake.services["s1"]["Spec"]["TaskTemplate"]
    template["ContainerSpec"]["Image"] = "nginx:1"
    template["Resources"]["Limits"]["NanoCPUs"] = 1
    told = swarm.service("s1")
    assert told is not None
    assert told["TaskTemplate"]["ContainerSpec"]["Image"] == "nginx:1"
    assert told["TaskTemplate"]["Resources"]["Limits"]["NanoCPUs"] == 1


def test_an_update_keeps_the_name_and_outlives_swarms_own(fake: FakeDocker, swarm: EngineSwarm) -> None:
    swarm.create_service("teal-dev-blue", SPEC, PORT)
    name = fake.services["s1"]["Spec"]["Name"]
    fake.services["s1"]["Spec"]["TaskTemplate"]["ForceUpdate"] = 2
    fake.stale_updates = 2
    swarm.update_service("s1", "teal-dev-blue", {**SPEC, "Mode": {"Replicated": {"Replicas": 0}}}, PORT)
    now = fake.services["s1"]["Spec"]
    assert (now["Name"], now["Mode"]) == (name, {"Replicated": {"Replicas": 0}})
    assert now["TaskTemplate"]["ForceUpdate"] == 2
    fake.stale_updates = 99
    with pytest.raises(DockerError, match=r"changing the service .* out of sequence"):
        swarm.update_service("s1", "teal-dev-blue", SPEC, PORT)


def test_what_is_gone_is_told_or_does_not_matter(swarm: EngineSwarm) -> None:
    assert swarm.service("s9") is None
    assert swarm.network("n9") is None
    swarm.remove_service("s9")
    swarm.remove_network("n9")
    with pytest.raises(DockerError, match="s9 is gone"):
        swarm.update_service("s9", "teal-dev-blue", SPEC, PORT)


@pytest.mark.parametrize("image", ["nginx:1", IMAGE.removeprefix("127.0.0.1:5000/"), "127.0.0.1:5000/a.b/c@" + DIGEST])
def test_images_come_through_the_door_to_ecr_only(swarm: EngineSwarm, fake: FakeDocker, image: str) -> None:
    spec = {"TaskTemplate": {"ContainerSpec": {"Image": image}}}
    with pytest.raises(LocalCloudError, match=r"image must be 127\.0\.0\.1:5000/|is in no registry of ECR"):
        swarm.create_service("teal-dev-blue", spec, PORT)
    assert fake.services == {}


def test_an_engine_in_no_swarm_is_one_line_with_the_command(fake: FakeDocker, swarm: EngineSwarm) -> None:
    fake.is_manager = False
    line = r"manages no swarm: docker swarm init --advertise-addr 127\.0\.0\.1 --listen-addr 127\.0\.0\.1:2377$"
    with pytest.raises(NoSwarm, match=line):
        swarm.create_service("teal-dev-blue", SPEC, PORT)
    with pytest.raises(NoSwarm, match=line):
        swarm.create_network(Network(name="teal-dev", options={}, labels={}))


def test_a_network_lives(fake: FakeDocker, swarm: EngineSwarm, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Network(name="teal-dev", options={"encrypted": "true"}, labels={"a": "b"}, is_internal=True)
    assert swarm.create_network(wanted) == "n1"
    assert fake.networks["n1"]["Driver"] == "overlay"
    assert fake.networks["n1"]["Labels"]["teal.cloud"] == MARK
    fake.networks["n1"]["Options"]["com.docker.network.driver.overlay.vxlanid_list"] = "4097"
    told = swarm.network("n1")
    assert told is not None
    assert (told.name, told.options, told.is_internal, told.is_attachable) == (
        "teal-dev",
        {"encrypted": "true"},
        True,
        False,
    )
    monkeypatch.setattr(services_module, "POLL_SECONDS", 0.01)
    fake.network_is_held = 3
    swarm.remove_network("n1")
    assert fake.networks == {}
    monkeypatch.setattr(services_module, "NETWORK_SECONDS", 0.0)
    fake.network_is_held = 3
    with pytest.raises(DockerError, match=r"removing the network n1 .* in use by task"):
        swarm.remove_network("n1")


def test_the_clouds_services_and_networks_go_and_no_others(fake: FakeDocker) -> None:
    def service(mark: str) -> dict[str, Any]:
        return {"ID": mark, "Spec": {"Labels": {"teal.cloud": mark}}}

    fake.services = {mark: service(mark) for mark in (MARK, "ffff")}
    fake.networks = {mark: {"Id": mark, "Labels": {"teal.cloud": mark}} for mark in (MARK, "ffff")}
    fake.network_is_held = 2
    clear(MARK, REGISTRY, fake.host)
    assert [*fake.services] == [*fake.networks] == ["ffff"]


def test_an_engine_in_no_swarm_is_cleared_all_the_same(fake: FakeDocker) -> None:
    fake.is_manager = False
    clear(MARK, REGISTRY, fake.host)


def told_task(name: str, state: str, **status: Any) -> dict[str, Any]:
    container = {"Image": HERE, "Labels": {"teal.colour": "blue"}}
    return {
        "ID": name,
        "Slot": 1,
        "ServiceID": "s1",
        "Spec": {"ContainerSpec": container},
        "Status": {"State": state, **status},
    }


def test_tasks_are_followed_from_their_start_on(
    fake: FakeDocker, engine: Engine, swarm: EngineSwarm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening = {"172.18.0.4": False}
    monkeypatch.setattr(tasks_module, "accepts_connections", lambda address, _: listening[address])
    monkeypatch.setattr(tasks_module, "LOOK_SECONDS", 0.01)
    swarm.create_service("teal-dev-blue", SPEC, PORT)
    service = fake.services["s1"]["Spec"]["Name"]
    watch = TaskWatch(engine, lambda name: tmp_path / name / "instance.log")
    try:
        fake.tasks = [told_task("t1", "starting"), told_task("t2", "rejected", Err="no room\n at all")]
        fake.containers = [{"Id": "c1", "Labels": {"teal.cloud": MARK, TASK: "t1"}}]
        fake.bridge = {"c1": {"IPv4Address": "172.18.0.4/16"}, "ingress-sbox": {"IPv4Address": "172.18.0.2/16"}}
        assert watch.tasks() == ()  # nobody has said that there are services
        watch.begin()
        within(5, lambda: len(watch.tasks()) == 2, "tasks are known")
        first, second = watch.tasks()
        assert (first.id, first.service, first.colour) == (f"{service}.1.t1", "teal-dev-blue", "blue")
        assert (first.published, first.port, first.address, first.digest) == (8081, 8080, "172.18.0.4", DIGEST)
        assert (first.runs, first.is_listening, first.reason) == (True, False, "")
        assert (second.runs, second.state, second.reason) == (False, "rejected", "no room at all")
        listening["172.18.0.4"] = True
        within(5, lambda: watch.tasks()[0].is_listening, "it listens")
        listening["172.18.0.4"] = False  # once is enough: what it is worth then, health checks say
        fake.tasks = fake.tasks[:1]
        within(5, lambda: len(watch.tasks()) == 1, "one is gone")
        assert watch.tasks()[0].is_listening
        fake.containers = []
        within(5, lambda: not watch.tasks()[0].runs, "its container has ended")
    finally:
        watch.stop()


def test_convergence_is_waited_for_and_not_for_ever(fake: FakeDocker, swarm: EngineSwarm) -> None:
    swarm.create_service("teal-dev-blue", SPEC, PORT)
    fake.tasks = [told_task("t1", "running"), told_task("t2", "starting")]
    with pytest.raises(DockerError, match="after 0 s 1 of 2 tasks of s1 run"):
        swarm.await_converged("s1", 0)
    fake.tasks[1]["Status"]["State"] = "running"
    swarm.await_converged("s1", 0)
