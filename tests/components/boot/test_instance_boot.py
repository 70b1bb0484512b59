"""The script on the instance, with Docker, the AWS command line and the metadata service played."""

import ast
import os
import sys
import urllib.request
from pathlib import Path

import pytest

from components.boot import instance_boot
from instance_world import FACTS, IMAGE, SPEC, Boot, played


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Boot:
    return played(tmp_path, monkeypatch)


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


def test_secrets_are_read_at_the_start_and_are_in_the_environment_alone(boot: Boot) -> None:
    names = {f"KEY_{number}": f"/teal-app/dev/KEY_{number}" for number in range(12)}
    values = {name: f"hunter{name[-2:]}" for name in names.values()}
    spec = {**SPEC, "secrets": [*map(list, names.items())]}
    command, commands = boot("run", has_image=True, spec=spec, known=values)
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
    spec = {**SPEC, "secrets": [["A", "/teal-app/dev/A"], ["B", "/teal-app/dev/B"]]}
    with pytest.raises(SystemExit, match="these secrets are not in SSM: /teal-app/dev/B"):
        boot("run", has_image=True, spec=spec, known={"/teal-app/dev/A": "hunter2"})


def test_a_container_without_secrets_asks_for_none(boot: Boot) -> None:
    _, commands = boot("run", has_image=True)
    assert not [ran for ran in commands.ran if ran[:2] == ["aws", "ssm"]]
    assert commands.environment == os.environ


def test_pulling_reads_no_secret(boot: Boot) -> None:
    _, commands = boot("pull", spec={**SPEC, "secrets": [["A", "/teal-app/dev/A"]]})
    assert not [ran for ran in commands.ran if ran[:2] == ["aws", "ssm"]]


VOLUME = {"volume": {"id": "vol-1"}}


def test_a_data_volume_is_the_containers_only_writable_disk() -> None:
    command = instance_boot.docker_run({**SPEC, **VOLUME}, FACTS)
    assert command[command.index("--mount") + 1] == "type=bind,src=/var/lib/teal/data,dst=/data"
    assert "TEAL_DATA=/data" in command
    plain = instance_boot.docker_run(SPEC, FACTS)
    assert "--mount" not in plain
    assert not [word for word in plain if "TEAL_DATA" in word]


@pytest.mark.parametrize(
    ("jobs", "lets_go"),
    [
        ("", False),
        ("101 teal.service start waiting\n", False),
        ("7 docker.service stop waiting\n101 teal.service stop running\n", True),
        ("101 teal.service restart running\n", True),
    ],
)
def test_the_volume_is_let_go_when_the_unit_is_stopped_and_not_when_its_container_ended(
    boot: Boot, jobs: str, lets_go: bool
) -> None:
    status, commands = boot("detach", spec={**SPEC, **VOLUME}, jobs=jobs)
    scripts = [command[1:] for command in commands.ran if command[0] == sys.executable]
    assert status == 0
    assert [words[1:] for words in scripts] == ([["detach", "eu-west-1", "i-1", "vol-1"]] if lets_go else [])


def test_the_volume_comes_before_the_container_and_what_goes_wrong_there_ends_the_start(boot: Boot) -> None:
    status, commands = boot("attach", spec={**SPEC, **VOLUME}, volume_status=1)
    [script] = commands.ran
    assert Path(script[1]) == Path(instance_boot.__file__).with_name("volume_boot.py")
    assert (status, script[2:]) == (1, ["attach", "eu-west-1", "i-1", "vol-1"])


@pytest.mark.parametrize("step", ["attach", "detach"])
def test_without_a_data_volume_nothing_is_called(boot: Boot, step: str) -> None:
    status, commands = boot(step)
    assert (status, commands.ran) == (0, [])


@pytest.mark.parametrize(("user", "owner"), [("10001:10002", (10001, 10002)), ("10001", (10001, 10001))])
def test_the_images_user_may_write_to_the_volume(
    boot: Boot, monkeypatch: pytest.MonkeyPatch, user: str, owner: tuple[int, int]
) -> None:
    given: list[tuple[str, int, int]] = []
    monkeypatch.setattr(os.path, "ismount", lambda _: True)
    monkeypatch.setattr(os, "chown", lambda *about: given.append(about))
    boot("run", has_image=True, spec={**SPEC, **VOLUME}, user=user)
    assert given == [("/var/lib/teal/data", *owner)]


@pytest.mark.parametrize(
    ("is_mounted", "user", "told"),
    [
        (False, "10001", "the data volume is not mounted"),
        (True, "app", "USER is a number, not 'app'"),
        (True, "", "''"),
    ],
)
def test_a_container_never_starts_without_the_volume_or_without_being_able_to_write(
    boot: Boot,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    is_mounted: bool,
    user: str,
    told: str,
) -> None:
    monkeypatch.setattr(os.path, "ismount", lambda _: is_mounted)
    status, commands = boot("run", has_image=True, spec={**SPEC, **VOLUME}, user=user)
    assert (status, commands.environment) == (1, {})
    assert told in capsys.readouterr().err
