"""Every stack file through the program itself, on mocks."""

import functools
import json
import re
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest

from config import settings
from config.stack_files import stack_config
from deployed import Deployment, deploy
from localcloud.provider import aws, docker
from release.ledger import Colour, Side, State
from release.ledger_text import KEY, item
from release_world import flight

ROOT = Path(__file__).parent.parent
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))
DIGEST = "sha256:" + "ab" * 32
RELEASED = State(
    version=7,
    live=Colour.GREEN,
    blue=Side(digest=None, capacity=0, weight=0),
    green=Side(digest=DIGEST, capacity=3, weight=100),
    release=None,
)


def program(stack: str, lookups: dict[str, Any] | None = None, **changes: str) -> Deployment:
    config = {**stack_config(ROOT, stack), **{f"teal:{key}": value for key, value in changes.items()}}
    return deploy(lambda: runpy.run_path(str(ROOT / "__main__.py")), config, lookups, stack)


NO_CHILD = re.compile(":index:|^pulumi:providers:")
"""Components, and the one provider that the program makes."""


@functools.cache
def unreleased(stack: str) -> Deployment:
    """A stack's program before its first run; several tests look at the same one."""
    return program(stack)


@functools.cache
def swarming(stack: str) -> Deployment:
    """The same with a swarm in place of the fleets, and a colour released."""
    return program(stack, ledger_of(stack, RELEASED), orchestrator="swarm")


def ledger_of(stack: str, state: State) -> dict[str, Any]:
    def read(arguments: dict[str, Any]) -> dict[str, Any]:
        assert arguments["tableName"] == "ledger-table-1"
        assert json.loads(arguments["key"]) == json.loads(KEY)
        return {"item": item(state)}

    pointer = {"names": [f"/teal/{stack}/ledger"], "values": ["ledger-table-1"]}
    return {
        "aws:ssm/getParametersByPath:getParametersByPath": pointer,
        "aws:dynamodb/getTableItem:getTableItem": read,
    }


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_file_is_a_whole_environment(stack: str) -> None:
    found = unreleased(stack)
    wanted = settings.of_stack(ROOT, stack)
    assert len(found.of_type("subnet:Subnet")) == 2 * wanted.zones
    assert sorted(found.of_type("targetGroup:TargetGroup")) == ["web-blue", "web-green"]
    assert found.exports["isReleased"] is wanted.builds_image
    assert {colour: len(names) for colour, names in found.exports["alarmNames"].items()} == {"blue": 3, "green": 3}
    assert bool(found.of_type("image:Image")) is wanted.builds_image
    assert all(resource.protect for resource in found.of_type("table:Table").values()) is wanted.protects


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_that_can_be_tagged_says_whose_it_is(stack: str) -> None:
    resources = {**unreleased(stack).resources, **swarming(stack).resources}
    for name, resource in resources.items():
        if isinstance(resource.inputs.get("tags"), dict):
            assert resource.inputs["tags"]["Environment"] == stack, name
            assert resource.inputs["tags"]["Project"] == "teal", name


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_hangs_outside_a_component(stack: str) -> None:
    both = {**unreleased(stack).resources, **swarming(stack).resources}
    loose = [n for n, r in both.items() if not NO_CHILD.search(r.type) and "::" in r.parent]
    assert loose == []


def test_a_released_state_is_what_gets_declared() -> None:
    found = program("prod", ledger_of("prod", RELEASED))
    [listener] = [one for one in found.of_type("listener:Listener").values() if one.inputs["port"] == 443]
    [action] = listener.inputs["defaultActions"]
    assert {g["arn"]: g["weight"] for g in action["forward"]["targetGroups"]} == {
        "arn:web-blue": 0,
        "arn:web-green": 100,
    }
    groups = found.of_type("group:Group")
    assert {name: group.inputs["minSize"] for name, group in groups.items()} == {"blue-group": 0, "green-group": 3}
    assert found.exports["liveColour"] == "green"


def test_a_release_in_flight_stops_everybody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side(digest=DIGEST, capacity=2, weight=100)
    nothing = Side(digest=None, capacity=0, weight=0)
    state = State(version=3, live=Colour.BLUE, blue=side, green=nothing, release=flight(release_id="r-42"))
    with pytest.raises(pulumi.RunError, match="release r-42 is in flight"):
        program("qa", ledger_of("qa", state))
    monkeypatch.setenv("TEAL_RELEASE", "r-41")  # of an engine that was frozen meanwhile, and overtaken
    with pytest.raises(pulumi.RunError, match="release r-42 is in flight"):
        program("qa", ledger_of("qa", state))
    monkeypatch.setenv("TEAL_RELEASE", "r-42")
    assert program("qa", ledger_of("qa", state)).exports["liveColour"] == "blue"


def test_a_wrong_setting_is_one_line_that_names_it() -> None:
    with pytest.raises(pulumi.RunError, match="teal:zones is '1': input should be greater than or equal to 2"):
        program("dev", zones="1")


@pytest.mark.parametrize("stack", STACKS)
def test_with_a_swarm_everything_is_the_same_but_the_servers(stack: str) -> None:
    plain, found = program(stack, ledger_of(stack, RELEASED)), swarming(stack)
    assert set(found.exports) == set(plain.exports) - {"scalingGroupNames", "dataVolumeId"} | {"serviceNames"}
    assert found.exports["serviceNames"] == {"blue": f"teal-{stack}-blue", "green": f"teal-{stack}-green"}
    wanted = settings.of_stack(ROOT, stack)
    sizes = {name: group.inputs["minSize"] for name, group in found.of_type("group:Group").items()}
    assert sizes == {"swarm-managers-group": 3, "swarm-workers-group": wanted.max_instances}
    ports = {name: group.inputs["port"] for name, group in found.of_type("targetGroup:TargetGroup").items()}
    assert ports == {"web-blue": 8081, "web-green": 8082}
    out = {r.inputs["fromPort"] for n, r in found.of_type("EgressRule").items() if n.startswith("web-to-targets")}
    assert out == {8081, 8082}


def test_a_released_state_is_what_a_swarms_services_run() -> None:
    found = swarming("prod")
    [service] = found.of_type("service:Service").values()
    assert service.inputs["name"] == "teal-prod-green"
    assert service.inputs["mode"] == {"replicated": {"replicas": 3}}
    assert service.inputs["taskSpec"]["containerSpec"]["image"].endswith(f"@{DIGEST}")
    assert "swarm" in found.of_type("pulumi:providers:docker")


def test_before_its_first_release_a_stack_asks_no_docker() -> None:
    found = program("prod", orchestrator="swarm")
    assert not found.of_type("providers:docker")
    assert not [name for name, r in found.resources.items() if r.type.startswith("docker:")]


def test_a_capacity_beyond_the_workers_is_brought_down_to_them() -> None:
    found = program("dev", ledger_of("dev", RELEASED), orchestrator="swarm", instances="1", maxInstances="2")
    assert found.resources["app-green"].inputs["mode"]["replicated"]["replicas"] == 2


@pytest.mark.parametrize("host", ["", "ssh://swarm-manager"])
def test_a_managers_docker_is_asked_where_the_setting_says(host: str) -> None:
    found = program("dev", orchestrator="swarm", swarmHost=host).resources["swarm"]
    assert found.inputs.get("host", "") == host


def test_secrets_of_the_app_are_refused_with_a_swarm_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.app.app_secrets", lambda: {"DATABASE_URL": "hunter2"})
    told = "^teal:orchestrator is swarm: it must be scaling-group where the app has secrets [(]DATABASE_URL[)]"
    with pytest.raises(pulumi.RunError, match=told) as caught:
        program("dev", orchestrator="swarm")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("stack", STACKS)
def test_the_embedded_clouds_table_covers_all_that_the_program_registers(stack: str) -> None:
    known = {**aws.package("http://127.0.0.1:1").types, **docker.package("http://127.0.0.1:1").types}
    swarm = {name: r for name, r in swarming(stack).resources.items() if r.type.startswith("aws:")}
    for name, resource in {**unreleased(stack).resources, **swarm}.items():
        if resource.type.startswith(("aws:", "docker:")):
            assert resource.type in known, name
            assert resource.inputs.keys() <= known[resource.type].input_names, name


TAGGED = (
    *("ec2/vpc:Vpc", "ec2/subnet:Subnet", "ec2/routeTable:RouteTable", "ec2/internetGateway:InternetGateway"),
    *("ec2/natGateway:NatGateway", "ec2/eip:Eip", "ec2/securityGroup:SecurityGroup", "ec2/flowLog:FlowLog"),
    *("ec2/vpcEndpoint:VpcEndpoint", "ec2/launchTemplate:LaunchTemplate", "ec2/instance:Instance"),
    *("lb/listener:Listener", "lb/listenerRule:ListenerRule", "acm/certificate:Certificate"),
)


@pytest.mark.parametrize("stack", STACKS)
def test_what_the_pipelines_roles_know_by_its_tags_bears_them(stack: str) -> None:
    """Conditions of the pipeline's policies ask for both tags; what lacks one could be made and never be changed."""
    for found in (unreleased(stack), swarming(stack)):
        check_tagged(stack, found)


def check_tagged(stack: str, found: Deployment) -> None:
    seen = [(name, each) for name, each in found.resources.items() if each.type.endswith(TAGGED)]
    assert len(seen) > 10
    for name, each in seen:
        assert each.inputs["tags"]["Project"] == "teal", name
        assert each.inputs["tags"]["Environment"] == stack, name
    for group in found.of_type("autoscaling/group:Group").values():
        assert {"Project", "Environment"} <= {tag["key"] for tag in group.inputs["tags"]}


def test_a_data_volume_brings_both_fleets_into_its_zone_and_the_load_balancer_stays_in_all() -> None:
    found = program("stage", dataVolumeGib="20", instances="1", maxInstances="1")
    [disk] = found.of_type("ebs/volume:Volume").values()
    assert (disk.inputs["availabilityZone"], disk.inputs["size"]) == ("eu-west-1a", 20)
    assert (disk.protect, disk.inputs["kmsKeyId"]) == (True, "arn:main-key")
    for group in found.of_type("group:Group").values():
        assert group.inputs["vpcZoneIdentifiers"] == ["main-private-a-id"]
    [balancer] = found.of_type("loadBalancer:LoadBalancer").values()
    assert len(balancer.inputs["subnets"]) == 2
    assert found.exports["dataVolumeId"] == "data-volume-id"
    known = aws.package("http://127.0.0.1:1").types[disk.type]
    assert disk.inputs.keys() <= known.input_names


def test_without_one_nothing_of_it_is_there() -> None:
    found = unreleased("stage")
    assert not found.of_type("ebs/volume:Volume")
    assert found.exports["dataVolumeId"] is None
