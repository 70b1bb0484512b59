"""The very user data of a SwarmCluster on two machines: a manager and a worker make a swarm and run a service.

As in test_boot.py, but ECR is played with its own name and TLS, and sends whoever asks for a layer elsewhere. The tests
follow each other: the machines boot, a task runs, is killed, and the worker goes. The network between the two is not
encrypted in what is shown here: that takes a kernel with IPsec, which machines of tests do not always have.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from boot.cloud import LOG_GROUP, PASSWORD, REGION
from boot.image import GREETING, Image
from boot.machine import UP_SECONDS, Machine
from boot.swarm_cloud import ECR
from boot.swarm_machines import Site, nodes, told
from components.swarm.roles import Parameters, manager_policy, worker_policy
from components.swarm_services import service_name, through_door
from containers import tasks
from containers.docker_hands import Answer
from containers.roster import Worker
from containers.swarm_hands import SwarmHands
from swarm_service import creation, declared, logging, placing

pytestmark = [pytest.mark.boot, pytest.mark.timeout(1200)]

SERVICE = service_name("dev", "blue")


@pytest.fixture(scope="module")
def site(root: Path, built: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with nodes(tmp_path_factory.mktemp("swarm"), root, built, ["manager", "worker"], booting=2) as site:
        worker = site.machines[1]
        worker.until("in service", lambda: set(site.told()["states"].values()) == {"InService"}, UP_SECONDS)
        yield site


@pytest.fixture(scope="module")
def pair(site: Site) -> list[Machine]:
    return site.machines


@pytest.fixture(scope="module")
def serving(pair: list[Machine], built: Image) -> list[Machine]:
    """The pair, once the worker runs a task."""
    manager, worker = pair
    manager.run("/usr/bin/docker", "network", "create", "--driver=overlay", "--opt=encrypted=true", "teal-dev")
    spec = declared(f"{ECR}/shop@{built.digest}", LOG_GROUP, REGION)
    own = ["--network=teal-dev", *placing(spec), *logging(spec), spec["taskSpec"]["containerSpec"]["image"]]
    manager.run("/usr/bin/docker", *creation(spec), *own)
    worker.until("a task that answers", lambda: is_ready(worker), 60)
    return pair


def is_ready(worker: Machine) -> bool:
    return worker.run("busybox", "wget", "-qO-", "http://127.0.0.1:8081/readyz", check=False) == "ready"


def test_cloud_init_makes_no_complaint(pair: list[Machine]) -> None:
    for machine in pair:
        status = json.loads(machine.run("cloud-init", "status", "--wait", "--format=json", check=False))
        assert (status["status"], status["errors"], status["datasource"]) == ("done", [], "ec2")


def test_one_is_the_leader_the_other_a_worker_and_both_know_their_zone(pair: list[Machine]) -> None:
    manager, worker = pair
    first, second = manager.seen()["instances"]
    wanted = {first: {"zone": "eu-west-1a"}, second: {"zone": "eu-west-1b"}}
    worker.until("zones", lambda: {k: n["Spec"]["Labels"] for k, n in told(manager).items()} == wanted, 40)
    found = told(manager)
    assert found[first]["ManagerStatus"]["Leader"]
    assert (found[second]["Spec"]["Role"], found[second]["Spec"]["Availability"]) == ("worker", "active")
    assert found[first]["Spec"]["Availability"] == "drain"


def test_the_tokens_are_secrets_of_ssm_and_nowhere_else(pair: list[Machine]) -> None:
    parameters = pair[0].seen()["parameters"]
    kinds = {name.removeprefix("/teal/dev/swarm/"): kind for name, (kind, _) in parameters.items()}
    assert kinds == {
        "claim-swarm-nodes-id-1": "String",
        "managers": "String",
        "manager-token": "SecureString",
        "worker-token": "SecureString",
    }
    for leaf in ("manager-token", "worker-token"):
        token = parameters[f"/teal/dev/swarm/{leaf}"][1]
        assert token.startswith("SWMTKN-1-")
        for machine in pair:
            assert token not in machine.journal()
            assert not [line for line in machine.calls("aws") if token in line]
            found = machine.run("grep", "-rlI", "--exclude-dir=docker", token, "/etc", "/run", "/var", check=False)
            assert found == ""


def test_the_nodes_made_no_call_that_their_roles_do_not_allow(pair: list[Machine]) -> None:
    parameters = Parameters(prefix="/teal/dev/swarm", account_id="1", region=REGION, partition="aws")
    allowed = {"autoscaling:DescribeAutoScalingInstances", "autoscaling:CompleteLifecycleAction"}
    for policy in (manager_policy(parameters), worker_policy(parameters, "arn:repository", "arn:logs")):
        for statement in json.loads(policy)["Statement"]:
            allowed |= set(statement["Action"]) if statement["Effect"] == "Allow" else set()
    assert {call.replace(" ", ":") for call in pair[0].seen()["calls"]} <= allowed


def test_the_image_came_by_digest_through_the_workers_own_door(serving: list[Machine], built: Image) -> None:
    manager, worker = serving
    seen = manager.seen()
    assert seen["ecr"][0] == []
    assert f"GET /v2/shop/manifests/{built.digest} 200" in seen["ecr"][1]
    assert not [line for line in seen["ecr"][1] if "/manifests/" in line and built.digest not in line]
    blobs = {digest for digest in built.blobs if digest != built.digest}
    assert {line.split()[1].strip("/") for line in seen["layers"][1] if line.endswith(" 200")} == blobs
    container = json.loads(worker.run("/usr/bin/docker", "inspect", *worker.run("/usr/bin/docker", "ps", "-q").split()))
    assert container[0]["Config"]["Image"].startswith(through_door(f"{ECR}/shop@{built.digest}").partition("@")[0])


def test_the_registrys_password_is_in_no_argument_and_nowhere_on_disk(serving: list[Machine]) -> None:
    needles = (PASSWORD, "QVdTOjEyMzQ1Njc4OTAxMi1hdXRoLXRva2Vu")  # as such, and as the header has it
    found = serving[1].run(
        *("grep", "--recursive", "--files-with-matches", "--binary-files=text", "--devices=skip"),
        *("--exclude-dir=proc", "--exclude-dir=sys", *(word for needle in needles for word in ("-e", needle)), "/"),
        check=False,
    )
    assert found == ""


def test_a_task_is_locked_down_and_told_who_it_is(serving: list[Machine], built: Image) -> None:
    manager, worker = serving
    [container] = json.loads(
        worker.run("/usr/bin/docker", "inspect", *worker.run("/usr/bin/docker", "ps", "-q").split())
    )
    host = container["HostConfig"]
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["Memory"]) == (True, ["ALL"], 512 * 1024 * 1024)
    status = Path(f"/proc/{worker.pid}/root/proc/{container['State']['Pid']}/status").read_text()
    found = dict(line.split(":\t", 1) for line in status.splitlines())
    assert (found["CapEff"].strip("0"), found["NoNewPrivs"]) == ("", "1")
    variables = dict(line.split("=", 1) for line in container["Config"]["Env"] if line.startswith("TEAL_"))
    task = container["Config"]["Labels"]["com.docker.swarm.task.name"]
    assert variables == {
        "TEAL_COLOUR": "blue",
        "TEAL_DIGEST": built.digest,
        "TEAL_INSTANCE": task,
        "TEAL_ZONE": "eu-west-1b",
    }
    lines = worker.until("a log line", lambda: manager.seen()["logged"].get(f"blue/{task}"), 30)
    assert lines[0] == GREETING.replace("version 7.1 in eu-west-1a", "version  in eu-west-1b")


@dataclass(frozen=True)
class Reach:
    """Runs scripts on a worker as SSM would; AWS's lists know that one alone."""

    worker: Machine
    id: str

    def run(self, scripts: Mapping[str, str], seconds: float) -> Mapping[str, Answer]:
        assert set(scripts) == {self.id}
        return {self.id: _answer(self.worker, scripts[self.id])}

    def workers(self) -> list[Worker]:
        health = {8081: ("healthy", ""), 8082: ("unhealthy", "")}
        return [Worker(id=self.id, zone="eu-west-1b", address="10.77.0.12", state="InService", health=health)]

    def hands(self) -> SwarmHands:
        nobody: Any = None
        roster: Any = self
        return SwarmHands(roster, nobody, "dev", self)


def _answer(worker: Machine, script: str) -> Answer:
    """As Run Command tells it: output and errors apart."""
    worker.run("sh", "-c", f"( {script} ) > /tmp/out 2> /tmp/err; echo $? > /tmp/code")
    out, err, code = (worker.run("cat", f"/tmp/{name}") for name in ("out", "err", "code"))
    return Answer(code=int(code), out=out, err=err)


def test_what_teal_containers_asks_a_worker_is_answered_without_a_manager(serving: list[Machine], built: Image) -> None:
    manager, worker = serving
    reach = Reach(worker, manager.seen()["instances"][1])
    hands = reach.hands()
    [found] = hands.instances()
    container = json.loads(worker.run("/usr/bin/docker", "inspect", found.id))[0]
    assert container["Config"]["Labels"][tasks.TASK] == found.id
    assert (found.colour, found.worker, found.zone) == ("blue", reach.id, "eu-west-1b")
    assert (found.state, found.health, found.address, found.reason) == ("running", "healthy", "10.77.0.12:8081", "")
    inside = hands.look([found])[found.id]
    assert (inside.digest, inside.version) == (built.digest, "7.1")
    assert hands.usage([found])[found.id].pids >= 1
    assert GREETING.replace("version 7.1 in eu-west-1a", "version  in eu-west-1b") in [
        line.text for line in hands.log(found, None, 10).read()
    ]
    assert hands.silent == {}

    hands.kill(found)
    worker.until("another task", lambda: [each.id for each in hands.instances()] not in ([], [found.id]), 30)
    [another] = hands.instances()
    assert another.slot == found.slot == "blue.1"
    worker.until("its answer", lambda: is_ready(worker), 30)


def test_a_container_that_is_killed_is_back_within_ten_seconds(
    serving: list[Machine], record_property: Callable[[str, object], None]
) -> None:
    worker = serving[1]
    [before] = worker.run("/usr/bin/docker", "ps", "-q").split()
    worker.run("/usr/bin/docker", "kill", before)
    began = time.monotonic()
    worker.until("another task", lambda: worker.run("/usr/bin/docker", "ps", "-q") not in ("", before), 30)
    worker.until("its answer", lambda: is_ready(worker), 30)
    seconds = time.monotonic() - began
    record_property("a killed container of a swarm answers again after", f"{seconds:.1f} s (two its own sleep)")
    assert seconds < 10


def test_the_way_to_a_managers_docker_that_the_docs_tell_leads_there(serving: list[Machine]) -> None:
    manager = serving[0]
    page = (Path(__file__).parents[2] / "docs" / "swarm.md").read_text()
    commands = re.findall(r'"(systemd-run [^"]+)"', page)
    assert len(commands) == 2
    for command in commands:
        manager.run(*command.split())
    docker = ("/usr/bin/docker", "--host", "tcp://127.0.0.1:2375")
    assert manager.run(*docker, "service", "ls", "--format", "{{.Name}}") == SERVICE


def test_a_worker_whose_instance_is_gone_is_removed_from_the_swarm(serving: list[Machine], site: Site) -> None:
    manager, worker = serving
    first, second = manager.seen()["instances"]
    worker.run("systemctl", "stop", "teal-swarm.service", "docker.socket", "docker.service", "containerd.service")
    manager.until("a node that is down", lambda: told(manager)[second]["Status"]["State"] == "down", 60)
    time.sleep(12)  # more than a round: while its scaling group has the instance, it stays
    assert set(told(manager)) == {first, second}

    site.terminate(1)
    manager.until("a swarm without it", lambda: set(told(manager)) == {first}, 60)
