"""The node's script with a played Docker socket and a played AWS command line; boots are in tests/boot."""

import http.server
import json
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from components.boot import swarm_boot
from components.boot.swarm_boot import Here, Problem, facts, step

SPEC = {
    "role": "worker", "parameters": "/teal/dev/swarm", "identity": "sg-1", "key": "", "pool": "100.64.0.0/16",
    "hook": "ready",
}  # fmt: skip
FACTS = {"instance": "i-2", "region": "eu-west-1", "zone": "eu-west-1b", "address": "10.0.0.2"}
TOKEN = "SWMTKN-1-ca-secret"
PUBLISHED = {"identity": "sg-1", "claim": 1, "members": [{"instance": "i-1", "address": "10.0.0.1"}]}
Said = Callable[[list[str]], "tuple[int, str, str]"]


class Docker:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, str, Any]] = []


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Docker]:
    played = Docker()

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            given = json.loads(self.rfile.read(length)) if length else None
            played.asked.append((self.command, self.path, given))
            status, found = played.answers.get(f"{self.command} {self.path}", (200, None))
            text = b"" if found is None else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if text:
                self.wfile.write(text)

        do_GET = do_POST = _answer  # noqa: N815

        def address_string(self) -> str:
            return "docker"

        def log_message(self, *_: object) -> None:
            pass

    path = tmp_path / "docker.sock"
    monkeypatch.setattr(swarm_boot, "DOCKER_SOCKET", str(path))
    with _Server(str(path), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield played
        server.shutdown()


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Answers by the first two words; what was asked and given is kept under "asked" and "given"."""
    played: dict[str, Any] = {"asked": [], "given": []}
    monkeypatch.setattr(swarm_boot, "RUN_FOLDER", str(tmp_path))
    monkeypatch.setattr(swarm_boot, "CLAIM_FILE", str(tmp_path / "lib" / "claim"))

    def run(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        played["asked"].append(command)
        if command[-2] == "--cli-input-json":
            played["given"].append(json.loads(Path(command[-1].removeprefix("file://")).read_text()))
        found = played.get(" ".join(command[1:3]), {})
        if isinstance(found, str):
            return subprocess.CompletedProcess(command, 254, "", found)
        return subprocess.CompletedProcess(command, 0, json.dumps(found), "")

    monkeypatch.setattr("subprocess.run", run)
    return played


def parameters(**values: str) -> dict[str, Any]:
    names = {name.replace("_", "-"): value for name, value in values.items()}
    return {"Parameters": [{"Name": f"/teal/dev/swarm/{name}", "Value": value} for name, value in names.items()]}


def state(docker: Docker, name: str) -> None:
    docker.answers["GET /info"] = (200, {"Swarm": {"LocalNodeState": name, "NodeID": "n-2"}})


@pytest.fixture
def here(docker: Docker, aws: dict[str, Any]) -> Here:
    state(docker, "inactive")
    aws["ssm get-parameters"] = parameters(managers=json.dumps(PUBLISHED), worker_token=TOKEN)
    return Here(dict(SPEC), dict(FACTS))


def test_a_worker_joins_by_the_token_and_takes_no_tasks_before_its_zone_is_known(here: Here, docker: Docker) -> None:
    assert step(here, None) is False
    assert docker.asked[-1] == (
        "POST",
        "/swarm/join",
        {
            "RemoteAddrs": ["10.0.0.1:2377"],
            "JoinToken": TOKEN,
            "Availability": "drain",
            "ListenAddr": "10.0.0.2:2377",
            "AdvertiseAddr": "10.0.0.2",
        },
    )
    assert here.claim() == 1


def test_the_token_is_in_no_argument(here: Here, aws: dict[str, Any]) -> None:
    step(here, None)
    assert not [command for command in aws["asked"] if TOKEN in " ".join(command)]
    here.put("worker-token", TOKEN, secret=True)
    assert not [command for command in aws["asked"] if TOKEN in " ".join(command)]
    assert aws["given"][-1]["Value"] == TOKEN


def test_a_worker_that_is_in_stays(here: Here, docker: Docker) -> None:
    state(docker, "active")
    here.remember(1)
    assert step(here, None) is True
    assert [path for _, path, _ in docker.asked] == ["/info"]


def test_a_worker_of_a_swarm_that_was_lost_follows_to_the_next(here: Here, docker: Docker, aws: dict[str, Any]) -> None:
    state(docker, "active")
    here.remember(1)
    aws["ssm get-parameters"] = parameters(managers=json.dumps({**PUBLISHED, "claim": 2}), worker_token=TOKEN)
    assert step(here, None) is False
    assert [path for _, path, _ in docker.asked] == ["/info", "/swarm/leave?force=1", "/swarm/join"]
    assert here.claim() == 2


class Lead:
    """Stands for swarm_tend on a manager whose swarm has no leader."""

    def __init__(self) -> None:
        self.entered: list[dict[str, Any]] = []

    def tend(self, here: Here, node_id: str) -> None:
        raise Problem("Docker refuses /nodes: the swarm does not have a leader")

    def enter(self, here: Here, published: dict[str, Any]) -> None:
        self.entered.append(published)


@pytest.mark.parametrize(("claim", "follows"), [(1, False), (2, True)])
def test_a_manager_without_a_leader_waits_unless_another_swarm_was_started_meanwhile(
    here: Here, docker: Docker, aws: dict[str, Any], claim: int, follows: bool
) -> None:
    state(docker, "active")
    here.remember(1)
    aws["ssm get-parameters"] = parameters(managers=json.dumps({**PUBLISHED, "claim": claim}))
    lead = Lead()
    if follows:
        assert step(here, lead) is False
        assert [path for _, path, _ in docker.asked] == ["/info", "/swarm/leave?force=1"]
        assert [each["claim"] for each in lead.entered] == [2]
    else:
        with pytest.raises(Problem, match="does not have a leader"):
            step(here, lead)


def test_a_manager_that_leads_a_swarm_by_itself_follows_to_the_newer_one(
    here: Here, docker: Docker, aws: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two swarms would write over each other's tokens for ever."""
    state(docker, "active")
    here.remember(1)
    aws["ssm get-parameters"] = parameters(managers=json.dumps({**PUBLISHED, "claim": 2}))
    lead = Lead()
    monkeypatch.setattr(lead, "tend", lambda *_: pytest.fail("it publishes its own swarm"))
    assert step(here, lead) is False
    assert [each["claim"] for each in lead.entered] == [2]


def test_peers_are_those_of_its_group_that_are_in_service(here: Here, aws: dict[str, Any]) -> None:
    members = [
        ("i-2", "managers", "InService"), ("i-3", "managers", "InService"), ("i-4", "managers", "Pending:Wait"),
        ("i-5", "managers", "Terminating"), ("i-6", "workers", "InService"),
    ]  # fmt: skip
    told = [{"InstanceId": one, "AutoScalingGroupName": group, "LifecycleState": its} for one, group, its in members]
    aws["autoscaling describe-auto-scaling-instances"] = {"AutoScalingInstances": told}
    assert here.peers() == {"i-3"}
    aws["autoscaling describe-auto-scaling-instances"] = {"AutoScalingInstances": told[1:]}
    with pytest.raises(Problem, match="i-2 is in no scaling group"):
        here.peers()


@pytest.mark.parametrize(
    ("role", "members", "known"),
    [("manager", ["i-1"], False), ("manager", ["i-1", "i-2"], True), ("worker", ["i-1"], True)],
)
def test_a_manager_is_known_once_it_is_published(
    here: Here, aws: dict[str, Any], role: str, members: list[str], known: bool
) -> None:
    here.spec["role"] = role
    told = {**PUBLISHED, "members": [{"instance": each, "address": "10.0.0.1"} for each in members]}
    aws["ssm get-parameters"] = parameters(managers=json.dumps(told))
    assert here.is_known() is known


@pytest.mark.parametrize("published", [{}, {**PUBLISHED, "identity": "sg-0"}])
def test_a_worker_waits_for_its_own_swarm(here: Here, aws: dict[str, Any], published: dict[str, Any]) -> None:
    aws["ssm get-parameters"] = parameters(managers=json.dumps(published), worker_token=TOKEN)
    with pytest.raises(Problem, match="no manager has told yet how to join"):
        step(here, None)


def test_a_join_that_failed_is_given_up_before_the_next(here: Here, docker: Docker) -> None:
    state(docker, "error")
    step(here, None)
    assert [path for _, path, _ in docker.asked] == ["/info", "/swarm/leave?force=1", "/swarm/join"]


def test_what_docker_refuses_is_one_line(here: Here, docker: Docker) -> None:
    docker.answers["POST /swarm/join"] = (503, {"message": "could not\nfind"})
    with pytest.raises(Problem, match=r"^Docker refuses /swarm/join: [{]\"message\": \"could not"):
        step(here, None)


def test_what_aws_refuses_is_told_by_its_code_alone(here: Here, aws: dict[str, Any]) -> None:
    aws["ssm put-parameter"] = f"An error occurred (AccessDenied) when calling: {TOKEN}"
    with pytest.raises(Problem, match=r"^ssm put-parameter: AccessDenied$"):
        here.put("worker-token", TOKEN, secret=True)


def test_a_parameter_that_is_there_is_not_written_over_unless_told(here: Here, aws: dict[str, Any]) -> None:
    aws["ssm put-parameter"] = "An error occurred (ParameterAlreadyExists) when calling"
    assert here.put("claim-sg-1-1", "x", overwrite=False) is False
    assert aws["given"][-1] == {
        "Name": "/teal/dev/swarm/claim-sg-1-1", "Value": "x", "Overwrite": False, "Type": "String",
    }  # fmt: skip


def test_a_token_is_encrypted_by_the_stacks_key(here: Here, aws: dict[str, Any]) -> None:
    here.spec["key"] = "arn:key"
    here.put("worker-token", TOKEN, secret=True)
    assert (aws["given"][-1]["Type"], aws["given"][-1]["KeyId"]) == ("SecureString", "arn:key")


@pytest.mark.parametrize(
    ("members", "is_told", "completes"),
    [([("i-2", "Pending")], False, 0), ([("i-2", "Pending:Wait")], True, 1), ([("i-2", "InService")], True, 0),
     ([], True, 0)],
)  # fmt: skip
def test_the_scaling_group_is_told_when_it_waits_to_hear(
    here: Here, aws: dict[str, Any], members: list[tuple[str, str]], is_told: bool, completes: int
) -> None:
    aws["autoscaling describe-auto-scaling-instances"] = {
        "AutoScalingInstances": [
            {"InstanceId": name, "LifecycleState": its, "AutoScalingGroupName": "workers"} for name, its in members
        ]
    }
    assert here.tell() is is_told
    told = [command for command in aws["asked"] if command[2] == "complete-lifecycle-action"]
    assert len(told) == completes
    assert all({"i-2", "workers", "ready", "CONTINUE"} <= set(command) for command in told)


def test_nobody_is_asked_about_no_instances(here: Here, aws: dict[str, Any]) -> None:
    assert here.living(set()) == {}
    assert aws["asked"] == []


@pytest.mark.parametrize("key", ["meta-data", "meta_data"])
def test_what_the_node_is_comes_from_cloud_init_of_any_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    known = {"v1": {"instance_id": "i-2", "region": "eu-west-1", "availability_zone": "eu-west-1b"}}
    (tmp_path / "facts").write_text(json.dumps({**known, "ds": {key: {"local-ipv4": "10.0.0.2"}}}))
    monkeypatch.setattr(swarm_boot, "FACTS_FILE", str(tmp_path / "facts"))
    assert facts() == FACTS


def test_dockers_settings_keep_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "docker" / "daemon.json"
    monkeypatch.setattr(swarm_boot, "DAEMON_FILE", str(settings))
    swarm_boot.prepare()
    assert json.loads(settings.read_text()) == {"no-new-privileges": True}
    settings.write_text('{"debug": false}')
    swarm_boot.prepare()
    assert json.loads(settings.read_text()) == {"debug": False, "no-new-privileges": True}


def test_a_node_that_is_in_no_swarm_by_the_deadline_gives_up_and_says_why(
    here: Here, aws: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws["ssm get-parameters"] = parameters()
    monkeypatch.setattr(swarm_boot, "JOIN_SECONDS", 0.05)
    monkeypatch.setattr(swarm_boot, "RETRY_SECONDS", 0.01)
    assert swarm_boot.stay(here, None) == 1
    assert capsys.readouterr().err.splitlines() == [
        "Problem: no manager has told yet how to join", "this node is in no swarm after 0.05 s",
    ]  # fmt: skip
