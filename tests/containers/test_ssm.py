"""What is said to Systems Manager, against botocore's model of it (Stubber), and against moto.

moto answers every command with Success and no output, has no sessions, and takes every instance for registered: so
answers, and what goes wrong, come from stubs.
"""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from containers import docker
from containers.docker_hands import Answer
from containers.errors import NoPlugin
from containers.model import Instance
from containers.roster import Roster
from containers.ssm import INTERACTIVE, SCRIPT, TOKEN_VARIABLE, RunCommand, SsmHands

FIRST, SECOND = "i-0123456789abcdef0", "i-0123456789abcdef1"
COMMAND = "11111111-2222-3333-4444-555555555555"
ONE = Instance(id=FIRST, colour="blue", zone="a", address="10.0.0.1", health="healthy", state="InService")


@pytest.fixture
def ssm() -> Any:
    return boto3.client("ssm", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture
def stubbed(ssm: Any) -> Iterator[Stubber]:
    with Stubber(ssm) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


class Time:
    """Passes in sleep alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def clock(self) -> float:
        return self.now


def shell(ssm: Any) -> RunCommand:
    time = Time()
    return RunCommand(ssm, time.sleep, time.clock)


def sent(stubber: Stubber, names: list[str], script: str = "true", seconds: int = 5) -> None:
    expected = {
        "DocumentName": SCRIPT,
        "InstanceIds": names,
        "Parameters": {"commands": [script], "executionTimeout": [str(seconds)]},
        "TimeoutSeconds": 30,
        "Comment": ANY,
    }
    stubber.add_response("send_command", {"Command": {"CommandId": COMMAND}}, expected)


def told(stubber: Stubber, name: str, status: str, out: str = "", err: str = "", code: int = 0) -> None:
    answer = {
        "Status": status,
        "StatusDetails": status,
        "ResponseCode": code,
        "StandardOutputContent": out,
        "StandardErrorContent": err,
    }
    stubber.add_response("get_command_invocation", answer, {"CommandId": COMMAND, "InstanceId": name})


def test_one_call_goes_to_all_instances_and_each_answer_is_waited_for(ssm: Any, stubbed: Stubber) -> None:
    sent(stubbed, [FIRST, SECOND])
    stubbed.add_client_error("get_command_invocation", "InvocationDoesNotExist")
    told(stubbed, FIRST, "InProgress", code=-1)
    told(stubbed, FIRST, "Success", "here")
    told(stubbed, SECOND, "Failed", "", "no such thing", 3)
    assert shell(ssm).run({FIRST: "true", SECOND: "true"}, 5) == {
        FIRST: Answer(out="here"),
        SECOND: Answer(code=3, err="no such thing"),
    }


def test_an_instance_that_does_not_answer_in_time_is_told_as_such(ssm: Any, stubbed: Stubber) -> None:
    sent(stubbed, [FIRST], seconds=1)
    for _ in range(4):
        told(stubbed, FIRST, "Pending", code=-1)
    found = shell(ssm).run({FIRST: "true"}, 1)
    assert found[FIRST].problem == "no answer within 1 s (Pending): does its SSM agent run?"


def test_one_that_ssm_does_not_know_keeps_nobody_from_the_others(ssm: Any, stubbed: Stubber) -> None:
    stubbed.add_client_error("send_command", "InvalidInstanceId")
    sent(stubbed, [FIRST])
    stubbed.add_client_error("send_command", "InvalidInstanceId")
    told(stubbed, FIRST, "Success", "here")
    found = shell(ssm).run({FIRST: "true", SECOND: "true"}, 5)
    assert found[FIRST] == Answer(out="here")
    assert "its agent has not registered" in found[SECOND].problem


def test_those_that_ssm_does_not_know_are_found_by_halves(ssm: Any, stubbed: Stubber) -> None:
    names = [f"i-{number:017x}" for number in range(4)]
    stubbed.add_client_error("send_command", "InvalidInstanceId")
    stubbed.add_client_error("send_command", "InvalidInstanceId")
    sent(stubbed, names[:1])
    stubbed.add_client_error("send_command", "InvalidInstanceId")
    sent(stubbed, names[2:])
    for name in (names[0], *names[2:]):
        told(stubbed, name, "Success", "here")
    found = shell(ssm).run(dict.fromkeys(names, "true"), 5)
    assert [name for name, answer in found.items() if answer.problem] == [names[1]]


def test_two_scripts_are_sent_before_the_first_is_waited_for_and_share_a_deadline(ssm: Any, stubbed: Stubber) -> None:
    sent(stubbed, [FIRST], "one", 1)
    sent(stubbed, [SECOND], "two", 1)
    for _ in range(4):
        told(stubbed, FIRST, "InProgress", code=-1)
    told(stubbed, SECOND, "Success", "here")
    found = shell(ssm).run({FIRST: "one", SECOND: "two"}, 1)
    assert found[FIRST].problem.startswith("no answer within 1 s")
    assert found[SECOND] == Answer(out="here")


@pytest.mark.parametrize("status", ["TimedOut", "Cancelled"])
def test_what_is_no_answer_is_a_problem(ssm: Any, stubbed: Stubber, status: str) -> None:
    sent(stubbed, [FIRST])
    told(stubbed, FIRST, status, code=-1)
    assert shell(ssm).run({FIRST: "true"}, 5)[FIRST].problem == f"SSM says {status}"


def test_stop_and_kill_are_said_to_docker(ssm: Any, stubbed: Stubber) -> None:
    hands = SsmHands(Roster(lambda _: None, "teal", "dev"), ssm, shell(ssm))
    for act, script, seconds in ((hands.stop, docker.stop(), 90), (hands.kill, docker.kill(), 30)):
        expected = {"DocumentName": SCRIPT, "InstanceIds": [FIRST], "Comment": ANY, "TimeoutSeconds": seconds}
        asked = {"commands": [script], "executionTimeout": [str(seconds)]}
        stubbed.add_response("send_command", {"Command": {"CommandId": COMMAND}}, {**expected, "Parameters": asked})
        told(stubbed, FIRST, "Success", "teal")
        act(ONE)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A session-manager-plugin that says its version; its folder is all of PATH."""
    program = tmp_path / "session-manager-plugin"
    program.write_text("#!/bin/sh\necho 1.2.707.0\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    return program


def test_exec_is_a_session_whose_token_is_on_no_command_line(ssm: Any, stubbed: Stubber, plugin: Path) -> None:
    expected = {"Target": FIRST, "DocumentName": INTERACTIVE, "Parameters": ANY}
    opened = {"SessionId": "s-1", "TokenValue": "hush", "StreamUrl": "wss://x"}
    stubbed.add_response("start_session", opened, expected)
    hands = SsmHands(Roster(lambda _: None, "teal", "dev"), ssm)
    hands.check_entry()
    made = hands.invocation(ONE, ("ls", "a b"), has_terminal=False)
    assert made.command[0] == str(plugin)
    assert made.command[1:4] == [TOKEN_VARIABLE, "eu-west-1", "StartSession"]
    [script] = json.loads(made.command[5])["Parameters"]["command"]
    assert script.startswith("sudo docker exec --interactive --tty teal ls 'a b'; printf ")
    assert "hush" not in " ".join(made.command)
    assert json.loads(made.environment[TOKEN_VARIABLE])["TokenValue"] == "hush"
    assert "hush" not in repr(made)
    assert made.has_terminal
    assert made.exit_mark.startswith(b"\033]7337;")
    assert made.exit_mark.decode().split(";")[1] in script


def test_without_the_plugin_a_line_says_where_it_is(ssm: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoPlugin, match="exec on AWS needs the session-manager-plugin, which is not in PATH: https://"):
        SsmHands(Roster(lambda _: None, "teal", "dev"), ssm).check_entry()


@pytest.mark.parametrize(("version", "told"), [("1.2.331.0", "is 1.2.331.0, and 1.2.497"), ("", "is of no version")])
def test_an_old_plugin_would_show_the_token_and_is_refused(ssm: Any, plugin: Path, version: str, told: str) -> None:
    plugin.write_text(f"#!/bin/sh\necho {version}\n")
    with pytest.raises(NoPlugin, match=told):
        SsmHands(Roster(lambda _: None, "teal", "dev"), ssm).check_entry()


class FakeAws:
    """Scaling groups of two environments, and who is in them, as three services tell."""

    def __call__(self, service: str) -> Any:
        return self

    def get_paginator(self, operation: str) -> "FakeAws":
        assert operation == "describe_auto_scaling_groups"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        wanted = {each["Name"].removeprefix("tag:"): each["Values"][0] for each in asked["Filters"]}
        for name in ("dev-green", "dev-blue", "qa-blue", "dev-other"):
            environment, _, colour = name.partition("-")
            tags = {"Project": "teal", "Environment": environment, "Colour": colour}
            if wanted.items() <= tags.items():
                yield {"AutoScalingGroups": [self._group(name, tags)]}

    def describe_target_health(self, **asked: str) -> dict[str, Any]:
        told = {"State": "unhealthy", "Description": "Health checks failed"}
        target = {"Target": {"Id": f"i-{asked['TargetGroupArn']}-b"}, "TargetHealth": told}
        return {"TargetHealthDescriptions": [target]}

    def describe_instances(self, **asked: Any) -> dict[str, Any]:
        [names] = [each["Values"] for each in asked["Filters"]]
        found = [{"InstanceId": name, "PrivateIpAddress": "10.0.0.7"} for name in names if name != "i-dev-blue-a"]
        return {"Reservations": [{"Instances": found}]}

    def _group(self, name: str, tags: dict[str, str]) -> dict[str, Any]:
        instances = [
            {"InstanceId": f"i-{name}-{zone}", "AvailabilityZone": zone, "LifecycleState": "InService"} for zone in "ba"
        ]
        told = [{"Key": key, "Value": value} for key, value in tags.items()]
        return {"Tags": told, "Instances": instances, "TargetGroupARNs": [name]}


def test_the_roster_has_the_environments_instances_by_colour_and_zone() -> None:
    found = Roster(FakeAws(), "teal", "dev").instances()
    assert [each.id for each in found] == ["i-dev-blue-a", "i-dev-blue-b", "i-dev-green-a", "i-dev-green-b"]
    assert [(each.health, each.reason) for each in found[:2]] == [
        ("none", ""), ("unhealthy", "Health checks failed"),
    ]  # fmt: skip
    assert [each.address for each in found[:2]] == ["", "10.0.0.7"]
    assert Roster(FakeAws(), "teal", "prod").instances() == []


@pytest.mark.process  # moto reads all images of EC2 for it
def test_motos_ssm_takes_the_command_and_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("ssm", region_name="eu-west-1")
        found = SsmHands(Roster(FakeAws(), "teal", "dev"), client).look([ONE])
        assert found[FIRST].problem == "Docker's answer can't be read: ''"
        [command] = client.list_commands()["Commands"]
    assert FIRST in command["InstanceIds"]
    assert command["Parameters"]["commands"] == [docker.inspect()]
