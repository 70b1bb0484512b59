"""Services and networks of package docker, with a swarm that only keeps what it is told. A real one: tests/swarm."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from localcloud.provider import docker
from localcloud.provider.durations import nanoseconds, written
from localcloud.provider.errors import ProviderError
from localcloud.provider.swarm import Network, Port
from localcloud.provider.swarm_specs import Spec
from localcloud.provider.values import UNKNOWN

SERVICE, NETWORK = "docker:index/service:Service", "docker:index/network:Network"
IMAGE = "127.0.0.1:5000/123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:" + "a" * 64
INPUTS: dict[str, Any] = {
    "name": "teal-dev-blue",
    "mode": {"replicated": {"replicas": 2}},
    "endpointSpec": {
        "ports": [{"protocol": "tcp", "targetPort": 8080, "publishedPort": 8081, "publishMode": "host"}],
    },
    "updateConfig": {"order": "stop-first", "parallelism": 1, "failureAction": "pause"},
    "taskSpec": {
        "containerSpec": {
            "image": IMAGE,
            "env": {"TEAL_COLOUR": "blue", "MOOD": "a=b"},
            "readOnly": True,
            "capDrops": ["ALL"],
            "mounts": [{"target": "/tmp", "type": "tmpfs"}, {"target": "/run", "type": "tmpfs", "readOnly": False}],
            "stopGracePeriod": "1m30s",
            "labels": [{"label": "teal.colour", "value": "blue"}],
        },
        "resources": {"limits": {"memoryBytes": 512 * 1024 * 1024}},
        "restartPolicy": {"condition": "any", "delay": "1s"},
        "placement": {"constraints": ["node.role==worker"], "prefs": ["spread=node.labels.zone"], "maxReplicas": 1},
        "networksAdvanceds": [{"id": "net-1"}],
        "logDriver": {"name": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "eu-west-1", "tag": "t"}},
    },
}


class FakeSwarm:
    """Keeps specs by id."""

    def __init__(self) -> None:
        self.services: dict[str, Spec] = {}
        self.ports: list[Port | None] = []
        self.networks: dict[str, Network] = {}
        self.awaited: list[float] = []

    def create_service(self, name: str, spec: Spec, port: Port | None) -> str:
        self.services["s-1"] = copy.deepcopy({**spec, "Name": f"{name}-0a0b0c"})
        self.ports.append(port)
        return "s-1"

    def service(self, service_id: str) -> Spec | None:
        return self.services.get(service_id)

    def update_service(self, service_id: str, name: str, spec: Spec, port: Port | None) -> None:
        self.services[service_id] = copy.deepcopy(spec)

    def remove_service(self, service_id: str) -> None:
        self.services.pop(service_id, None)

    def await_converged(self, service_id: str, seconds: float) -> None:
        self.awaited.append(seconds)

    def create_network(self, network: Network) -> str:
        self.networks["n-1"] = network
        return "n-1"

    def network(self, network_id: str) -> Network | None:
        return self.networks.get(network_id)

    def remove_network(self, network_id: str) -> None:
        self.networks.pop(network_id, None)


@pytest.fixture
def swarm() -> FakeSwarm:
    return FakeSwarm()


@pytest.fixture
def docked(engine: Any, swarm: FakeSwarm) -> Any:
    package = docker.package(engine.api.endpoint, swarm=swarm)
    return replace(engine, package=package, api=package.configure({"host": "ssh://manager", "sshOpts": '["-q"]'}))


def changed(path: str, value: Any) -> dict[str, Any]:
    """The inputs with another value at a path; None takes it away."""
    made = copy.deepcopy(INPUTS)
    *above, last = path.split(".")
    found = made
    for key in above:
        found = found.setdefault(key, {})
    found[last] = value
    if value is None:
        del found[last]
    return made


def test_a_service_is_what_the_engine_calls_it(docked: Any, swarm: FakeSwarm) -> None:
    docked.create(SERVICE, INPUTS)
    spec = swarm.services["s-1"]
    container = spec["TaskTemplate"]["ContainerSpec"]
    assert container == {
        "Image": IMAGE,
        "Env": ["MOOD=a=b", "TEAL_COLOUR=blue"],
        "Labels": {"teal.colour": "blue"},
        "Mounts": [
            {"Type": "tmpfs", "Target": "/tmp"},
            {"Type": "tmpfs", "Target": "/run"},
        ],
        "ReadOnly": True,
        "StopGracePeriod": 90_000_000_000,
    }
    assert spec["TaskTemplate"]["RestartPolicy"] == {"Condition": "any", "Delay": 1_000_000_000}
    assert spec["TaskTemplate"]["Networks"] == [{"Target": "net-1"}]
    assert spec["TaskTemplate"]["Resources"] == {"Limits": {"MemoryBytes": 536_870_912}}
    assert spec["Mode"] == {"Replicated": {"Replicas": 2}}
    assert spec["UpdateConfig"] == {"Order": "stop-first", "Parallelism": 1, "FailureAction": "pause"}
    assert swarm.ports == [Port(target=8080, published=8081)]
    assert "Placement" not in spec["TaskTemplate"]  # played, as is the port
    assert "EndpointSpec" not in spec


def test_its_life(docked: Any, swarm: FakeSwarm) -> None:
    living = docked.create(SERVICE, INPUTS)
    living.update(mode={"replicated": {"replicas": 0}})
    assert swarm.services["s-1"]["Mode"] == {"Replicated": {"Replicas": 0}}
    assert living.diff(name="teal-dev-green").replaces == ("name",)
    other = changed("taskSpec.containerSpec.image", IMAGE.replace("a" * 64, "b" * 64))["taskSpec"]
    assert living.diff(taskSpec=other).changed == ("taskSpec",)
    living.delete()


@pytest.mark.parametrize(
    ("where", "by_hand", "path", "seen"),
    [
        (("Mode", "Replicated"), {"Replicas": 5}, "mode.replicated.replicas", 5),
        (("TaskTemplate", "ContainerSpec"), {"Image": "other:1"}, "taskSpec.containerSpec.image", "other:1"),
        (("TaskTemplate", "ContainerSpec"), {"Env": ["A=b"]}, "taskSpec.containerSpec.env", {"A": "b"}),
        (("TaskTemplate", "ContainerSpec"), {"User": "0"}, "taskSpec.containerSpec.user", "0"),
        (("TaskTemplate", "ContainerSpec"), {"Mounts": []}, "taskSpec.containerSpec.mounts", []),
        (("TaskTemplate", "RestartPolicy"), {"Delay": 90_000_000_000}, "taskSpec.restartPolicy.delay", "1m30s"),
        (("TaskTemplate", "Resources", "Limits"), {"MemoryBytes": 1}, "taskSpec.resources.limits.memoryBytes", 1),
        (("TaskTemplate",), {"Networks": None}, "taskSpec.networksAdvanceds", None),
        ((), {"Labels": {"a": "b", "teal.cloud.port": "1"}}, "labels", [{"label": "a", "value": "b"}]),
    ],
)
def test_what_was_changed_by_hand_shows_up(
    docked: Any, swarm: FakeSwarm, where: tuple[str, ...], by_hand: Mapping[str, Any], path: str, seen: Any
) -> None:
    living = docked.create(SERVICE, INPUTS)
    spec = swarm.services["s-1"]
    for key in where:
        spec = spec[key]
    spec.update(by_hand)
    found: Any = living.refresh()
    for key in path.split("."):
        found = found.get(key)
    assert found == seen
    assert living.refresh() != living.inputs


def test_the_clouds_own_labels_and_forced_updates_are_no_drift(docked: Any, swarm: FakeSwarm) -> None:
    living = docked.create(SERVICE, INPUTS)
    spec = swarm.services["s-1"]
    spec["Labels"] = {"teal.cloud": "0a", "teal.cloud.port": "8080"}
    spec["TaskTemplate"]["ContainerSpec"]["Labels"]["teal.cloud"] = "0a"
    spec["TaskTemplate"]["ForceUpdate"] = 3
    living.assert_unchanged()


def test_mode_and_name_have_defaults(docked: Any) -> None:
    made = docked.create(SERVICE, {"taskSpec": {"containerSpec": {"image": IMAGE}}}, name="web")
    assert made.inputs["mode"] == {"replicated": {"replicas": 1}}
    assert made.inputs["name"].startswith("web-")
    made.update(mode={"replicated": {"replicas": 2}})
    assert made.diff().changed == ()


def test_a_wish_to_converge_is_waited_for(docked: Any, swarm: FakeSwarm) -> None:
    docked.create(SERVICE, {**INPUTS, "convergeConfig": {"timeout": "2m"}}).update(convergeConfig={"delay": "1s"})
    assert swarm.awaited == [120.0, 180.0]


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("mode.global", True, "does not apply property mode.global"),
        ("taskSpec.containerSpec.capAdds", ["NET_RAW"], "does not apply property taskSpec.containerSpec.capAdds"),
        ("taskSpec.containerSpec.secrets", [], "does not apply property taskSpec.containerSpec.secrets"),
        ("taskSpec.containerSpec.capDrops", ["NET_RAW"], "must be ['ALL'] here"),
        ("taskSpec.containerSpec.stopGracePeriod", "soon", "must be a duration such as 1m30s, got 'soon'"),
        ("taskSpec.containerSpec.mounts", [{"target": "/x", "type": "bind"}], "must be of type tmpfs here, got 'bind'"),
        ("taskSpec.containerSpec.mounts", [{"target": "/x", "type": "tmpfs", "source": "v"}], "mounts.source"),
        (
            "taskSpec.containerSpec.mounts",
            [{"target": "/x", "type": "tmpfs", "tmpfsOptions": {"odd": 1}}],
            "mounts.tmpfsOptions.odd",
        ),
        ("taskSpec.containerSpec.labels", [{"label": "teal.cloud", "value": "x"}], "is the embedded cloud's own"),
        ("taskSpec.containerSpec.image", None, "needs taskSpec.containerSpec.image"),
        ("taskSpec.networksAdvanceds", [{"id": "n", "driverOpts": []}], "networksAdvanceds.driverOpts"),
        ("taskSpec.placement.maxReplicas", 2, "must be 1 here, got 2"),
        ("taskSpec.placement.constraints", ["node.labels.gpu==true"], "must be ['node.role==worker'] here"),
        ("taskSpec.placement.prefs", ["spread=node.labels.rack"], "must be 'spread=node.labels.zone' alone here"),
        ("taskSpec.placement.platforms", [], "does not apply property taskSpec.placement.platforms"),
        ("taskSpec.logDriver.name", "syslog", "must be 'awslogs' here, got 'syslog'"),
        ("taskSpec.logDriver.options", {"labels": "x"}, "and not labels"),
        ("endpointSpec.ports", [{"targetPort": 1, "publishedPort": 2}], "must be published in mode host"),
        ("endpointSpec.ports", [], "must be one port here, got 0"),
        ("endpointSpec.ports", [{"publishMode": "host"}], "must have targetPort and publishedPort"),
        ("updateConfig.maxFailureRatio", "much", "could not convert"),
        ("odd", 1, "does not apply property odd"),
    ],
)
def test_nothing_is_ignored(docked: Any, path: str, value: Any, why: str) -> None:
    told = docked.refusals(SERVICE, changed(path, value))
    assert any(why in line for line in told.values()), told


def test_what_is_not_known_yet_is_no_refusal(docked: Any) -> None:
    for path in ("taskSpec.containerSpec.image", "taskSpec.networksAdvanceds", "taskSpec", "endpointSpec.ports"):
        assert docked.refusals(SERVICE, changed(path, UNKNOWN)) == {}


def test_a_network_lives_and_is_never_changed_in_place(docked: Any, swarm: FakeSwarm) -> None:
    inputs = {"name": "teal-dev", "driver": "overlay", "options": {"encrypted": "true"}}
    living = docked.create(NETWORK, inputs)
    assert swarm.networks["n-1"] == Network(name="teal-dev", options={"encrypted": "true"}, labels={})
    assert living.outputs["scope"] == "swarm"
    assert living.diff(options={}).replaces == ("options",)
    swarm.networks["n-1"] = Network(name="teal-dev", options={}, labels={})
    assert living.refresh() == {**inputs, "options": {}}
    living.delete()


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"driver": "bridge"}, "must be 'overlay' here, got 'bridge'"),
        ({"driver": "overlay", "options": {"com.docker.network.driver.mtu": "1"}}, "options.com.docker"),
        ({"driver": "overlay", "ipv6": True}, "does not apply property ipv6"),
    ],
)
def test_nothing_of_a_network_is_ignored(docked: Any, inputs: dict[str, Any], why: str) -> None:
    assert why in "".join(docked.refusals(NETWORK, inputs).values())


def test_without_the_driver_a_preview_works_and_a_run_says_what_to_do(engine: Any) -> None:
    package = docker.package(engine.api.endpoint)
    engine = replace(engine, package=package)
    checked = engine.check(SERVICE, INPUTS)
    assert package.types[SERVICE].planned(checked)["name"] == "teal-dev-blue"
    with pytest.raises(ProviderError, match=r"orchestrator: swarm.*`teal local up --driver docker`"):
        package.types[SERVICE].create(engine.api, checked)
    with pytest.raises(ProviderError, match="--driver docker"):
        package.types[NETWORK].create(engine.api, {"name": "n", "driver": "overlay"})


@pytest.mark.parametrize("text", ["1m30s", "500ms", "1h", "0s", "1s1ns"])
def test_durations_read_as_they_are_written(text: str) -> None:
    assert written(nanoseconds(text)) == text
