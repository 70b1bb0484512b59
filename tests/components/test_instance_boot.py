"""The script on the instance, with Docker, the AWS command line and the metadata service played."""

import ast
import json
import os
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from components import instance_boot

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:" + "a" * 64
SPEC: dict[str, Any] = {
    "image": IMAGE,
    "port": 8080,
    "colour": "blue",
    "log_group": "logs",
    "environment": {"MOOD": "calm"},
}
FACTS = {"region": "eu-west-1", "instance": "i-1", "zone": "eu-west-1a", "version": "1.2"}
METADATA = {"placement/region": "eu-west-1", "instance-id": "i-1", "placement/availability-zone": "eu-west-1a"}


class FakeCommands:
    """Records commands; answers by what they start with."""

    def __init__(self, *, has_image: bool, states: list[str]) -> None:
        self.ran: list[list[str]] = []
        self.has_image = has_image
        self.states = states

    def __call__(self, command: list[str], **options: Any) -> Any:
        self.ran.append(command)
        if "describe-auto-scaling-instances" in command:
            return subprocess.CompletedProcess(command, returncode=0, stdout=self.described(self.states.pop(0)))
        missing = command[:3] == ["docker", "image", "inspect"] and not self.has_image
        output: Any = "1.2\n" if options.get("text") else b"one-time"
        return subprocess.CompletedProcess(command, returncode=1 if missing else 0, stdout=output)

    def described(self, state: str) -> bytes:
        if state == "throttled":
            raise subprocess.CalledProcessError(254, ["aws"])
        member = {"AutoScalingGroupName": "blue-group-1", "LifecycleState": state}
        return json.dumps({"AutoScalingInstances": [member] if state else []}).encode()

    @property
    def told(self) -> list[list[str]]:
        return [command for command in self.ran if "complete-lifecycle-action" in command]


class FakeMetadata:
    def get(self, path: str) -> str:
        return METADATA[path]


Boot = Callable[..., tuple[Any, FakeCommands]]


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Boot:
    def run(
        *arguments: str, spec: dict[str, Any] = SPEC, has_image: bool = False, states: Sequence[str] = ()
    ) -> tuple[Any, FakeCommands]:
        file = tmp_path / "container.json"
        file.write_text(json.dumps(spec))
        commands = FakeCommands(has_image=has_image, states=[*states])
        monkeypatch.setattr(instance_boot, "CONTAINER_FILE", str(file))
        monkeypatch.setattr(instance_boot, "Metadata", FakeMetadata)
        monkeypatch.setattr(subprocess, "run", commands)
        monkeypatch.setattr(os, "execvp", lambda file, command: command)
        monkeypatch.setattr(instance_boot, "RUN_FOLDER", str(tmp_path))
        monkeypatch.setattr(instance_boot, "TOLD_FILE", str(tmp_path / "told"))
        return instance_boot.main(list(arguments)), commands

    return run


def test_the_script_is_python_3_9() -> None:
    ast.parse(Path(instance_boot.__file__).read_text(encoding="utf-8"), feature_version=(3, 9))


def test_the_container_runs_without_privileges_and_answers_on_its_port() -> None:
    command = instance_boot.docker_run(SPEC, FACTS)
    assert command[:2] == ["docker", "run"]
    assert command[-1] == IMAGE
    for option in (["--publish", "8080:8080"], ["--cap-drop", "ALL"], ["--security-opt", "no-new-privileges"]):
        assert any(command[n : n + 2] == option for n in range(len(command)))
    assert "--read-only" in command


def test_the_container_is_told_who_it_is() -> None:
    command = instance_boot.docker_run(SPEC, FACTS)
    variables = dict(command[n + 1].split("=", 1) for n, word in enumerate(command) if word == "--env")
    assert variables == {
        "MOOD": "calm",
        "TEAL_COLOUR": "blue",
        "TEAL_DIGEST": "sha256:" + "a" * 64,
        "TEAL_INSTANCE": "i-1",
        "TEAL_VERSION": "1.2",
        "TEAL_ZONE": "eu-west-1a",
    }


def test_an_image_without_a_version_runs_as_version_0() -> None:
    assert "TEAL_VERSION=0" in instance_boot.docker_run(SPEC, {**FACTS, "version": ""})


def test_pull_logs_in_to_the_images_own_registry_and_pulls_by_digest(boot: Boot) -> None:
    status, commands = boot("pull")
    _, password, login, pulled = commands.ran
    assert status == 0
    assert password[:3] == ["aws", "ecr", "get-login-password"]
    assert login[3:] == ["login", "--username", "AWS", "--password-stdin", IMAGE.partition("/")[0]]
    assert pulled[3:] == ["pull", "--quiet", IMAGE]


def test_the_registrys_password_does_not_stay_on_the_disk(boot: Boot, tmp_path: Path) -> None:
    boot("pull")
    assert [path.name for path in tmp_path.iterdir()] == ["container.json"]


def test_an_image_that_is_there_needs_no_registry(boot: Boot) -> None:
    status, commands = boot("pull", has_image=True)
    assert status == 0
    assert len(commands.ran) == 1


def test_run_becomes_docker_run(boot: Boot) -> None:
    command, _ = boot("run", has_image=True)
    assert command == instance_boot.docker_run(SPEC, FACTS)


@pytest.mark.parametrize(("arguments", "status"), [(["pull"], 0), (["run"], 78), (["ready"], 0)])
def test_without_a_release_the_unit_gives_up_and_nothing_is_called(
    boot: Boot, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int
) -> None:
    ended, commands = boot(*arguments, spec={**SPEC, "image": ""})
    assert (ended, commands.ran) == (status, [])
    assert "nothing is released yet" in capsys.readouterr().err or status == 0


def test_metadata_is_asked_for_with_a_session_token(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[urllib.request.Request] = []

    class Answer:
        def __enter__(self) -> "Answer":
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def read(self) -> bytes:
            return b"secret"

    def urlopen(request: urllib.request.Request, timeout: float) -> Answer:
        asked.append(request)
        return Answer()

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    instance_boot.Metadata().get("instance-id")
    token, value = asked
    assert (token.method, token.full_url) == ("PUT", "http://169.254.169.254/latest/api/token")
    assert value.full_url == "http://169.254.169.254/latest/meta-data/instance-id"
    assert value.get_header("X-aws-ec2-metadata-token") == "secret"


class Container(BaseHTTPRequestHandler):
    """One that is ready when asked for the second time."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(503 if len(self.asked) == 1 else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def container() -> Iterator[tuple[int, list[str]]]:
    asked: list[str] = []
    server = HTTPServer(("127.0.0.1", 0), type("Asked", (Container,), {"asked": asked}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port, asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_group_is_told_once_the_container_is_ready_and_never_again(
    boot: Boot, container: tuple[int, list[str]]
) -> None:
    port, asked = container
    status, commands = boot("ready", spec={**SPEC, "port": port}, states=["Pending:Wait"])
    assert (status, asked) == (0, ["/readyz", "/readyz"])
    [told] = commands.told
    options = dict(zip(told[3::2], told[4::2], strict=True))
    assert options == {
        "--lifecycle-action-result": "CONTINUE",
        "--lifecycle-hook-name": "ready",
        "--instance-id": "i-1",
        "--auto-scaling-group-name": "blue-group-1",
        "--region": "eu-west-1",
        "--output": "json",
    }
    status, commands = boot("ready", spec={**SPEC, "port": port})
    assert (status, commands.ran) == (0, [])


@pytest.mark.parametrize(("state", "count"), [("InService", 0), ("", 0), ("Pending:Wait", 1)])
def test_a_group_that_does_not_wait_is_not_told(
    boot: Boot, container: tuple[int, list[str]], state: str, count: int
) -> None:
    status, commands = boot("ready", spec={**SPEC, "port": container[0]}, states=[state])
    assert (status, len(commands.told)) == (0, count)


def test_a_group_that_does_not_listen_yet_is_asked_again(
    boot: Boot, container: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance_boot, "TELL_AGAIN_SECONDS", 0)
    states = ["throttled", "Pending", "Pending:Wait"]
    status, commands = boot("ready", spec={**SPEC, "port": container[0]}, states=states)
    assert (status, len(commands.told)) == (0, 1)


def test_a_group_that_can_not_be_told_ends_no_container(
    boot: Boot,
    container: tuple[int, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(instance_boot, "TELL_SECONDS", -1)
    status, _ = boot("ready", spec={**SPEC, "port": container[0]}, states=["throttled"])
    assert status == 0
    assert "could not be told" in capsys.readouterr().err


def test_a_container_that_has_ended_is_not_waited_for(
    boot: Boot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAINPID", "999999999")
    began = time.monotonic()
    status, commands = boot("ready", spec={**SPEC, "port": 1})
    assert (status, commands.ran) == (1, [])
    assert capsys.readouterr().err == "ready: the container ended before it was ready\n"
    assert time.monotonic() - began < 5


def test_a_container_that_never_answers_is_given_up(
    boot: Boot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(instance_boot, "READY_SECONDS", -1)
    status, commands = boot("ready", spec={**SPEC, "port": 1})
    assert (status, commands.told) == (1, [])
    assert capsys.readouterr().err.startswith("ready: http://127.0.0.1:1/readyz does not answer within")
