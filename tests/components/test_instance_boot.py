"""The script on the instance, with Docker, the AWS command line and the metadata service played."""

import ast
import json
import os
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components import instance_boot

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:" + "a" * 64
SPEC: dict[str, Any] = {"image": IMAGE, "port": 8080, "colour": "blue", "environment": {"MOOD": "calm"}}
FACTS = {"region": "eu-west-1", "instance": "i-1", "zone": "eu-west-1a", "version": "1.2"}
METADATA = {"placement/region": "eu-west-1", "instance-id": "i-1", "placement/availability-zone": "eu-west-1a"}


class FakeCommands:
    """Records commands; answers by what they start with."""

    def __init__(self, *, has_image: bool) -> None:
        self.ran: list[list[str]] = []
        self.has_image = has_image
        self.known: dict[str, str] = {}
        self.environment: dict[str, str] = {}

    def became(self, command: list[str], environment: dict[str, str]) -> list[str]:
        self.environment = environment
        return command

    def __call__(self, command: list[str], **options: Any) -> Any:
        self.ran.append(command)
        missing = command[:3] == ["docker", "image", "inspect"] and not self.has_image
        output: Any = "1.2\n" if options.get("text") else b"one-time"
        if command[:3] == ["aws", "ssm", "get-parameters"]:
            names = command[command.index("--names") + 1 :]
            assert len(names) <= 10, "SSM takes ten"
            found = [{"Name": name, "Value": self.known[name]} for name in names if name in self.known]
            output = json.dumps({"Parameters": found, "InvalidParameters": []}).encode()
        return subprocess.CompletedProcess(command, returncode=1 if missing else 0, stdout=output)


class FakeMetadata:
    def get(self, path: str) -> str:
        return METADATA[path]


Boot = Callable[..., tuple[Any, FakeCommands]]


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Boot:
    def run(
        *arguments: str, spec: dict[str, Any] = SPEC, has_image: bool = False, known: dict[str, str] | None = None
    ) -> tuple[Any, FakeCommands]:
        file = tmp_path / "container.json"
        file.write_text(json.dumps(spec))
        commands = FakeCommands(has_image=has_image)
        commands.known = known or {}
        monkeypatch.setattr(instance_boot, "CONTAINER_FILE", str(file))
        monkeypatch.setattr(instance_boot, "Metadata", FakeMetadata)
        monkeypatch.setattr(subprocess, "run", commands)
        monkeypatch.setattr(os, "execvpe", lambda file, command, environment: commands.became(command, environment))
        monkeypatch.setattr(instance_boot, "RUN_FOLDER", str(tmp_path))
        return instance_boot.main(list(arguments)), commands

    return run


def test_the_script_is_python_3_9() -> None:
    ast.parse(Path(instance_boot.__file__).read_text(encoding="utf-8"), feature_version=(3, 9))


def test_the_container_runs_without_privileges_and_answers_on_its_port() -> None:
    command = instance_boot.docker_run(SPEC, FACTS, "logs")
    assert command[:2] == ["docker", "run"]
    assert command[-1] == IMAGE
    for option in (["--publish", "8080:8080"], ["--cap-drop", "ALL"], ["--security-opt", "no-new-privileges"]):
        assert any(command[n : n + 2] == option for n in range(len(command)))
    assert "--read-only" in command


def test_the_container_is_told_who_it_is() -> None:
    command = instance_boot.docker_run(SPEC, FACTS, "logs")
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
    assert "TEAL_VERSION=0" in instance_boot.docker_run(SPEC, {**FACTS, "version": ""}, "logs")


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
    command, _ = boot("run", "logs", has_image=True)
    assert command == instance_boot.docker_run(SPEC, FACTS, "logs")


@pytest.mark.parametrize(("arguments", "status"), [(["pull"], 0), (["run", "logs"], 78)])
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


def test_secrets_are_read_at_the_start_and_are_in_the_environment_alone(boot: Boot) -> None:
    names = {f"KEY_{number}": f"/teal-app/dev/KEY_{number}" for number in range(12)}
    values = {name: f"hunter{name[-2:]}" for name in names.values()}
    command, commands = boot("run", "logs", has_image=True, spec={**SPEC, "secrets": names}, known=values)
    assert {variable: commands.environment[variable] for variable in names} == {
        variable: values[name] for variable, name in names.items()
    }
    assert commands.environment.keys() >= os.environ.keys()
    for variable in names:
        assert [command[place + 1] for place, word in enumerate(command) if word == "--env"].count(variable) == 1
    asked = [ran for ran in commands.ran if ran[:2] == ["aws", "ssm"]]
    assert len(asked) == 2
    assert all("--with-decryption" in ran for ran in asked)
    assert not [word for ran in [command, *commands.ran] for word in ran if "hunter" in word]


def test_a_secret_that_is_not_there_is_named_and_the_container_does_not_start(boot: Boot) -> None:
    spec = {**SPEC, "secrets": {"A": "/teal-app/dev/A", "B": "/teal-app/dev/B"}}
    with pytest.raises(SystemExit, match="these secrets are not in SSM: /teal-app/dev/B"):
        boot("run", "logs", has_image=True, spec=spec, known={"/teal-app/dev/A": "hunter2"})


def test_a_container_without_secrets_asks_for_none(boot: Boot) -> None:
    _, commands = boot("run", "logs", has_image=True)
    assert not [ran for ran in commands.ran if ran[:2] == ["aws", "ssm"]]
    assert commands.environment == os.environ


def test_pulling_reads_no_secret(boot: Boot) -> None:
    _, commands = boot("pull", spec={**SPEC, "secrets": {"A": "/teal-app/dev/A"}})
    assert not [ran for ran in commands.ran if ran[:2] == ["aws", "ssm"]]
