from typing import Any

import pulumi
import pytest

from components.swarm_services import SwarmServices
from deployed import Deployment, Registered, deploy

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
IMAGE = f"{ECR}/shop@sha256:" + "a" * 64
ARGS: dict[str, Any] = {
    "environment": "dev",
    "images": {"blue": IMAGE, "green": IMAGE},
    "replicas": {"blue": 2, "green": 0},
    "log_group_name": "shop-app",
    "region": "eu-west-1",
}


def deployed(**changes: Any) -> Deployment:
    args: Any = {**ARGS, **changes}
    return deploy(lambda: SwarmServices("app", args))


def services(**changes: Any) -> dict[str, Registered]:
    return deployed(**changes).of_type("service:Service")


def container(service: Registered) -> dict[str, Any]:
    return dict(service.inputs["taskSpec"]["containerSpec"])


def test_blue_and_green_are_two_services_with_the_ledgers_capacity() -> None:
    found = services()
    assert {name: r.inputs["name"] for name, r in found.items()} == {
        "app-blue": "teal-dev-blue",
        "app-green": "teal-dev-green",
    }
    replicas = {name: r.inputs["mode"]["replicated"]["replicas"] for name, r in found.items()}
    assert replicas == {"app-blue": 2, "app-green": 0}


def test_a_worker_pulls_through_its_own_door_and_by_digest() -> None:
    assert container(services()["app-blue"])["image"] == f"127.0.0.1:5000/{IMAGE}"
    assert container(services()["app-blue"])["env"]["TEAL_DIGEST"] == "sha256:" + "a" * 64


def test_an_image_that_is_known_later_gets_there_too() -> None:
    images = {"blue": pulumi.Output.from_input(IMAGE), "green": ""}
    assert container(services(images=images)["app-blue"])["image"] == f"127.0.0.1:5000/{IMAGE}"


def test_a_colour_without_an_image_has_no_service_yet() -> None:
    found = deployed(images={"blue": IMAGE, "green": ""})
    assert set(found.of_type("service:Service")) == {"app-blue"}


def test_nothing_at_all_is_asked_of_docker_while_there_is_no_image() -> None:
    found = deployed(images={"blue": "", "green": ""})
    assert not [name for name, r in found.resources.items() if r.type.startswith("docker:")]


def test_each_colour_has_a_port_of_its_own_on_the_worker_itself() -> None:
    found = {name: r.inputs["endpointSpec"]["ports"] for name, r in services().items()}
    assert found == {
        f"app-{colour}": [
            {"protocol": "tcp", "targetPort": 8080, "publishedPort": port, "publishMode": "host"}
        ]
        for colour, port in (("blue", 8081), ("green", 8082))
    }  # fmt: skip


def test_at_most_one_task_of_a_colour_is_on_a_worker_and_they_are_spread_over_zones() -> None:
    placement = services()["app-blue"].inputs["taskSpec"]["placement"]
    assert placement == {
        "constraints": ["node.role==worker"],
        "prefs": ["spread=node.labels.zone"],
        "maxReplicas": 1,
    }


def test_a_task_that_ends_is_started_again_for_ever() -> None:
    assert services()["app-blue"].inputs["taskSpec"]["restartPolicy"] == {"condition": "any", "delay": "1s"}


def test_a_service_gives_a_port_up_before_it_takes_it_again() -> None:
    assert services()["app-blue"].inputs["updateConfig"]["order"] == "stop-first"


def test_a_task_is_locked_down_and_limited() -> None:
    spec = services(memory_mib=256.0, stop_seconds=30)["app-blue"].inputs["taskSpec"]
    found = spec["containerSpec"]
    assert (found["readOnly"], found["capDrops"], found["stopGracePeriod"]) == (True, ["ALL"], "30s")
    assert {mount["target"]: mount["type"] for mount in found["mounts"]} == {"/run": "tmpfs", "/tmp": "tmpfs"}
    assert spec["resources"]["limits"] == {"memoryBytes": 256 * 1024 * 1024}


def test_a_task_is_told_who_it_is_by_swarms_own_templates() -> None:
    found = container(services(environment_variables={"MOOD": "calm"})["app-green"])
    assert found["env"] == {
        "MOOD": "calm",
        "TEAL_COLOUR": "green",
        "TEAL_DIGEST": "sha256:" + "a" * 64,
        "TEAL_INSTANCE": "{{.Task.Name}}",
        "TEAL_ZONE": '{{if gt (len .Node.Hostname) 20}}{{if eq (slice .Node.Hostname 0 2) "i-"}}'
        "{{slice .Node.Hostname 20}}{{end}}{{end}}",
    }
    assert found["labels"] == [{"label": "teal.colour", "value": "green"}]


def test_what_tasks_print_goes_to_the_log_group_without_holding_them_up() -> None:
    assert services()["app-blue"].inputs["taskSpec"]["logDriver"] == {
        "name": "awslogs",
        "options": {
            "awslogs-group": "shop-app",
            "awslogs-region": "eu-west-1",
            "mode": "non-blocking",
            "tag": "blue/{{.Name}}",
        },
    }


def test_the_network_between_tasks_is_encrypted() -> None:
    found = deployed()
    network = found.resources["app-network"].inputs
    assert (network["name"], network["driver"], network["options"]) == ("teal-dev", "overlay", {"encrypted": "true"})
    for service in found.of_type("service:Service").values():
        assert service.inputs["taskSpec"]["networksAdvanceds"] == [{"id": "app-network-id"}]


def test_every_child_belongs_to_the_component() -> None:
    assert {r.parent for r in deployed().resources.values() if r.type.startswith("docker:")} == {"app"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"environment": ""}, "environment must be 1 to 100 letters"),
        ({"images": {"blue": "shop:latest", "green": ""}}, "images must be empty or <registry>/<repository>@sha256:"),
        ({"images": {"blue": ""}}, "images must be for blue and green"),
        ({"replicas": {"blue": 1}}, "replicas must be for blue and green"),
        ({"replicas": {"blue": -1, "green": 0}}, "replicas for blue must be a whole number from 0 to 1000, got -1"),
        ({"ports": {"blue": 1, "green": 2}}, "ports for blue must be a whole number from 1024"),
        ({"container_port": 80}, "container_port must be a whole number from 1024 to 65535, got 80"),
        ({"memory_mib": 4}, "memory_mib must be a whole number from 64 to 1048576, got 4"),
        ({"stop_seconds": 0}, "stop_seconds must be a whole number from 1 to 3600, got 0"),
        ({"environment_variables": {"TEAL_ZONE": "x"}}, "environment may not set 'TEAL_ZONE'"),
    ],
)
def test_a_wrong_input_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        deployed(**changes)
