"""The very user data of a Fleet on a Debian root, with the real systemd, cloud-init, Docker and AWS command line.

Played are the metadata service, the registry and the API behind it (moto), and the package that Amazon Linux calls
docker. The tests of one machine follow each other: it boots, serves, and loses its container.
"""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from boot.cloud import PASSWORD, REGISTRY_PORT
from boot.conftest import told
from boot.image import GREETING, Image
from boot.machine import UP_SECONDS, Machine, booted
from components.servers.instance_role import instance_policy
from components.servers.readiness import tell_policy

pytestmark = [pytest.mark.boot, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def serving(machine: Machine) -> Machine:
    machine.until("in service", lambda: machine.seen()["state"] == "InService", UP_SECONDS)
    return machine


def tellings(machine: Machine) -> int:
    """How often the scaling group was told, or that was tried."""
    return len([line for line in machine.calls("aws") if "complete-lifecycle-action" in line])


def test_cloud_init_finds_the_user_data_at_the_metadata_service_and_makes_no_complaint(serving: Machine) -> None:
    status = json.loads(serving.run("cloud-init", "status", "--wait", "--format=json", check=False))
    assert (status["status"], status["errors"], status["datasource"]) == ("done", [], "ec2")
    asked = serving.seen()["metadata"]
    assert any(line.startswith("GET /") and line.endswith("/user-data 200") for line in asked)
    assert not [line for line in asked if line.endswith(" 401")], "somebody asked without a session token"
    assert serving.installations() > 0, "Docker is installed at boot, and by this count a baked machine is judged"


def test_the_image_was_pulled_by_digest_by_whoever_knew_the_password(serving: Machine, built: Image) -> None:
    asked = serving.seen()["registry"]
    assert f"GET /v2/shop/manifests/{built.digest} 200" in asked
    assert not [line for line in asked if "/manifests/" in line and built.digest not in line]
    assert any(line.endswith(" 401") for line in asked), "the registry lets anybody in"


def test_the_container_runs_locked_down_and_its_image_by_digest(serving: Machine, built: Image) -> None:
    container = serving.container()
    host = container["HostConfig"]
    assert container["Config"]["Image"] == f"127.0.0.1:{REGISTRY_PORT}/shop@{built.digest}"
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["PidsLimit"]) == (True, ["ALL"], 512)
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert not host["Privileged"]
    assert set(host["Tmpfs"]) == {"/tmp", "/run"}
    status = Path(f"/proc/{serving.pid}/root/proc/{container['State']['Pid']}/status").read_text()
    found = dict(line.split(":\t", 1) for line in status.splitlines())
    assert (found["CapEff"].strip("0"), found["NoNewPrivs"]) == ("", "1")
    assert found["Uid"].split() == ["10001"] * 4


def test_the_container_is_told_who_it_is(serving: Machine, built: Image) -> None:
    variables = dict(line.split("=", 1) for line in serving.container()["Config"]["Env"])
    known = {name: value for name, value in variables.items() if name.startswith("TEAL_") or name == "MOOD"}
    assert known == {
        "MOOD": "calm",
        "TEAL_COLOUR": "blue",
        "TEAL_DIGEST": built.digest,
        "TEAL_INSTANCE": serving.seen()["instance"],
        "TEAL_VERSION": "7.1",
        "TEAL_ZONE": "eu-west-1a",
    }


def test_what_the_container_prints_gets_into_the_log_group(serving: Machine) -> None:
    stream = f"blue/{serving.seen()['instance']}"
    lines = serving.until("a log line", lambda: serving.seen()["logged"].get(stream), 30)
    assert lines[0] == GREETING


def test_readiness_was_told_once_and_only_after_the_container_answered(serving: Machine) -> None:
    assert tellings(serving) == 1
    assert serving.seen()["calls"].count("autoscaling CompleteLifecycleAction") == 1
    unit = serving.unit("teal.service")
    assert (unit["ActiveState"], unit["SubState"], unit["NRestarts"]) == ("active", "running", "0")
    assert serving.run("busybox", "wget", "-qO-", "http://127.0.0.1:8080/readyz") == "ready"


def test_the_role_allows_the_calls_that_the_machine_made_and_no_others_but_pulling(serving: Machine) -> None:
    made = {call.replace(" ", ":") for call in serving.seen()["calls"]}
    statements = [
        statement
        for policy in (instance_policy("arn:repository", "arn:logs", {}), tell_policy("arn:group"))
        for statement in json.loads(policy)["Statement"]
        if statement["Sid"] != "Pull" and statement["Effect"] == "Allow"  # the registry asks for Pull, by itself
    ]
    named = [one["Action"] if isinstance(one["Action"], list) else [one["Action"]] for one in statements]
    assert made == {action for actions in named for action in actions}


def test_the_password_is_in_no_argument_and_nowhere_on_disk(serving: Machine) -> None:
    needles = (PASSWORD, "QVdTOjEyMzQ1Njc4OTAxMi1hdXRoLXRva2Vu")  # as such, and as Docker's configuration has it
    assert any(line.startswith("--config /run/teal-") and " login " in line for line in serving.calls("docker"))
    found = serving.run(
        *("grep", "--recursive", "--files-with-matches", "--binary-files=text", "--devices=skip"),
        *("--exclude-dir=proc", "--exclude-dir=sys", *(word for needle in needles for word in ("-e", needle)), "/"),
        check=False,
    )
    assert found == ""
    assert not serving.run("find", "/run", "-name", "teal-*", "-type", "d")


def test_a_container_that_ends_is_back_within_ten_seconds_and_nobody_is_told_again(
    serving: Machine, record_property: Callable[[str, object], None]
) -> None:
    before = serving.container()["Id"]
    serving.run("/usr/bin/docker", "kill", "teal")

    began = time.monotonic()
    serving.until(
        "another container that answers",
        lambda: (
            serving.container().get("Id", before) != before
            and serving.run("busybox", "wget", "-qO-", "http://127.0.0.1:8080/readyz", check=False) == "ready"
        ),
        30,
    )
    seconds = time.monotonic() - began
    record_property("a killed container answers again after", f"{seconds:.1f} s (two of them its own sleep)")
    assert seconds < 10
    serving.until("the unit", lambda: serving.unit("teal.service")["SubState"] == "running", 30)
    assert tellings(serving) == 1


def test_where_nothing_is_released_the_unit_gives_up_with_78_and_tells_nobody(
    root: Path, built: Image, tmp_path: Path
) -> None:
    with booted(tmp_path, root, told(built, is_released=False), built) as machine:
        machine.until("the end", lambda: machine.unit("teal.service").get("ActiveState") == "failed", UP_SECONDS)
        unit = machine.unit("teal.service")
        assert (unit["ExecMainStatus"], unit["NRestarts"]) == ("78", "0")
        assert machine.container() == {}
        assert machine.calls("aws") == []
        assert machine.seen()["state"] == "Pending:Wait"
        assert "nothing is released yet" in machine.journal()
