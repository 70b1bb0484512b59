"""What is said to Systems Manager, against botocore's model of it (Stubber), and against moto.

moto answers every command with Success and no output, has no sessions, and takes every instance for registered: so
answers, and what goes wrong, come from stubs.
"""

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
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
    told(stubbed, FIRST, "Success", "here")
    stubbed.add_client_error("send_command", "InvalidInstanceId")
    found = shell(ssm).run({FIRST: "true", SECOND: "true"}, 5)
    assert found[FIRST] == Answer(out="here")
    assert "its agent has not registered" in found[SECOND].problem


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


@pytest.fixture(scope="module")
def account() -> Iterator[dict[str, Any]]:
    """moto with scaling groups of two environments: clients by service."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        clients = {name: boto3.client(name, region_name="eu-west-1") for name in ("autoscaling", "ec2", "elbv2", "ssm")}
        template = {"ImageId": "ami-12c6146b", "InstanceType": "t3.micro"}
        clients["ec2"].create_launch_template(LaunchTemplateName="template", LaunchTemplateData=template)
        for group, colour in (("dev-green", "green"), ("dev-blue", "blue"), ("qa-blue", "blue")):
            tags = {"Project": "teal", "Environment": group.partition("-")[0], "Colour": colour}
            clients["autoscaling"].create_auto_scaling_group(
                AutoScalingGroupName=group,
                MinSize=2,
                MaxSize=2,
                AvailabilityZones=["eu-west-1a", "eu-west-1b"],
                LaunchTemplate={"LaunchTemplateName": "template", "Version": "1"},
                Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in tags.items()],
            )
        yield clients


def test_the_roster_has_the_environments_instances_by_colour_and_zone(account: dict[str, Any]) -> None:
    found = Roster(account.__getitem__, "teal", "dev").instances()
    assert [each.colour for each in found] == ["blue", "blue", "green", "green"]
    assert len({each.id for each in found}) == 4
    assert {(each.state, each.health) for each in found} == {("InService", "none")}
    assert all(each.address for each in found)
    assert Roster(account.__getitem__, "teal", "prod").instances() == []


def test_motos_ssm_takes_the_command_and_answers_nothing(account: dict[str, Any]) -> None:
    hands = SsmHands(Roster(account.__getitem__, "teal", "dev"), account["ssm"])
    instances = hands.instances()
    found = hands.look(instances)
    assert {each.problem for each in found.values()} == {"Docker's answer can't be read: ''"}
    [command, *others] = account["ssm"].list_commands()["Commands"]
    assert others == []
    # moto adds every other instance of the account where no targets are given.
    assert {each.id for each in instances} <= set(command["InstanceIds"])
    assert command["Parameters"]["commands"] == [docker.inspect()]
    assert command["RequestedDateTime"] <= datetime.now(UTC)
