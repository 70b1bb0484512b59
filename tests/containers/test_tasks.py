"""What a worker's Docker is asked about a swarm's tasks, and what its answers say."""

import json
import time

import pytest

from components.swarm_cluster import SwarmCluster
from components.swarm_services import service_name
from containers import tasks
from containers.errors import Unanswered
from containers.model import Instance
from containers.roster import WORKERS
from deployed import deploy
from worker_world import DIGEST, container, task

ONE, TWO = task(1, "a"), task(2, "b")


def answer(*containers: dict[str, object]) -> str:
    return f"{time.time():.0f}\n" + "".join(json.dumps(each) + "\n" for each in containers)


def shown(*containers: dict[str, object]) -> list[str]:
    return [each.name for each in tasks.standing(tasks.found(answer(*containers), "prod"))]


def test_a_task_is_told_with_port_digest_and_since_when_it_runs() -> None:
    [found] = tasks.found(answer(container(ONE, health="starting")), "prod")
    assert (found.name, found.colour, found.slot, found.port) == (ONE, "blue", "teal-prod-blue.1", 8081)
    assert (found.inside.state, found.inside.digest, found.inside.version) == ("running", DIGEST, "1.4")
    assert found.inside.since is not None
    assert 3590 < time.time() - found.inside.since.timestamp() < 3610
    assert found.inside.restarts == 0
    assert (found.is_starting, found.reason) == (True, "")


def test_one_that_never_started_says_why_and_has_no_time() -> None:
    never = container(ONE, "created", age=9, started="0001-01-01T00:00:00Z", error="no such\nfile", ports=None)
    [found] = tasks.found(answer(never), "prod")
    assert (found.inside.since, found.port, found.reason) == (None, 0, "no such file")
    [ended] = tasks.found(answer(container(ONE, "exited", code=137)), "prod")
    assert ended.reason == "it ended with status 137"


def test_of_a_slot_what_runs_is_shown_or_else_what_ran_just_now() -> None:
    old, new = container(ONE, "exited", 100), container(task(1, "c"), "exited", 50)
    assert shown(old, new, container(TWO)) == [TWO, task(1, "c")]
    assert shown(old, container(task(1, "d"), age=10)) == [task(1, "d")]
    assert shown(container(ONE, "created", 20), container(task(1, "d"), "created", 10)) == [task(1, "d")]
    assert shown(container(ONE, "exited", 100, 40), container(TWO, "exited", 100, 20)) == [TWO]
    cut_off, in_its_place = container(ONE, age=100), container(task(1, "d"), age=10)
    assert shown(cut_off, in_its_place) == [ONE, task(1, "d")]


@pytest.mark.parametrize(
    "name",
    [
        task(1, "a", environment="prod-2"),
        task(1, "a", environment="dev"),
        "teal-prod-blue.1.a; rm -rf /",
        "teal-prod-blue.1.$(id)",
        "teal-prod-blue.x.aaa",
        "teal-prod-blue",
        "",
    ],
)
def test_a_name_that_swarm_gives_no_task_of_ours_goes_into_no_script(name: str) -> None:
    assert tasks.found(answer(container(name, colour="blue")), "prod") == []


def test_a_colour_of_somebody_elses_is_passed_over() -> None:
    assert tasks.found(answer(container("teal-prod-red.1.a")), "prod") == []


@pytest.mark.parametrize("said", ["no json\n", "[]\n", '{"state": "running"}\n', answer(container(ONE))[:-9]])
def test_an_answer_that_can_not_be_read_says_so(said: str) -> None:
    with pytest.raises(Unanswered, match="Docker's answer can't be read"):
        tasks.found(said, "prod")
    with pytest.raises(Unanswered, match="Docker's answer can't be read"):
        tasks.usages(said)


def test_usage_is_by_the_tasks_name() -> None:
    line = '{"Name":"%s","CPUPerc":"12.5%%","MemUsage":"3MiB / 512MiB","PIDs":"9"}\n'
    found = tasks.usages(line % ONE + line % TWO)
    assert {name: usage.pids for name, usage in found.items()} == {ONE: 9, TWO: 9}


def test_the_services_and_workers_that_are_looked_for_are_those_that_components_make() -> None:
    assert tasks.found(answer(container(f"{service_name('prod', 'green')}.1.a")), "prod")
    arguments = {
        "environment": "prod",
        "workers": 2,
        "instance_types": ["t4g.small"],
        "vpc_id": "vpc-1",
        "subnet_ids": ["subnet-a"],
        "load_balancer_security_group_id": "sg-1",
        "target_group_arns": {"blue": "arn:blue", "green": "arn:green"},
        "repository_arn": "arn:repository",
        "log_group_arn": "arn:logs",
    }
    made = deploy(lambda: SwarmCluster("swarm", arguments)).resources  # type: ignore[arg-type]
    names = [tag["value"] for tag in made["swarm-workers-group"].inputs["tags"] if tag["key"] == "Name"]
    assert names == [WORKERS]


def test_a_slot_is_colour_and_number_and_instances_have_none() -> None:
    def named(name: str) -> Instance:
        return Instance(id=name, colour="blue", zone="a", address="", health="none", state="running")

    assert named(task(12, "a")).slot == "blue.12"
    assert named("teal-my.stack-blue-0a1b2c.3.abc").slot == "blue.3"
    assert named("i-0123456789abcdef0").slot == ""
