"""The release commands on AWS, as far as that goes without any."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.aws import session
from cli.release.company import Company
from cli.release.place_aws import AwsPlace
from cli.steps import Steps
from cli_world import FakeCloud, Teal
from release.ledger import Colour, Side, State
from release.machine import Phase
from release.verdict import Answer
from release_world import flight

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def aws(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A user of AWS without credentials, for the time being."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "PULUMI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    session.cache_clear()  # it knows the credentials of the test before
    return monkeypatch


def reach(aws: pytest.MonkeyPatch, endpoint: str) -> None:
    aws.setenv("AWS_ENDPOINT_URL", endpoint)
    aws.setenv("AWS_ACCESS_KEY_ID", "x")
    aws.setenv("AWS_SECRET_ACCESS_KEY", "x")


def test_without_credentials_it_is_one_line_that_names_aws(teal: Teal, aws: pytest.MonkeyPatch) -> None:
    ended = teal("release", "status", "--aws", "dev")
    assert (ended.code, ended.told) == (1, "teal: AWS: Unable to locate credentials")


def test_the_variable_says_so_too(teal: Teal, aws: pytest.MonkeyPatch) -> None:
    aws.setenv("TEAL_AWS", "1")
    assert teal("release", "status", "dev").told == "teal: AWS: Unable to locate credentials"


def test_nobody_gets_to_aws_by_mistake(teal: Teal, aws: pytest.MonkeyPatch) -> None:
    assert teal("release", "status", "dev").told.startswith("teal: no embedded cloud runs here")


def test_a_profile_of_the_stack_file_is_used(teal: Teal, project: Path, aws: pytest.MonkeyPatch) -> None:
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write("  aws:profile: shop\n")
    assert teal("release", "status", "--aws", "dev").told == "teal: AWS: The config profile (shop) could not be found"


def test_an_environment_without_a_ledger_is_not_released_yet(
    teal: Teal, cloud: FakeCloud, aws: pytest.MonkeyPatch
) -> None:
    reach(aws, cloud.api.endpoint)
    ended = teal("release", "status", "--aws", "dev")
    assert ended.code == 1
    assert "ledger" in ended.told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--url", "http://x"), "--url is for an environment on AWS: add --aws"),
        (("--aws", "--url", "x"), "'x' is no URL: write http://… or https://…"),
        (("--url", "x", "--aws"), "'x' is no URL"),
    ],
)
def test_a_wrong_call_says_what_is_right(teal: Teal, arguments: tuple[str, ...], told: str) -> None:
    ended = teal("release", "status", "dev", *arguments)
    assert ended.code == 2
    assert told in ended.told


def place(project: Path, tmp_path: Path) -> AwsPlace:
    """A place whose parameters are known without asking."""
    made = AwsPlace(project, Steps(tmp_path / "durations.json"), "dev", f"{NOWHERE}/")
    parameter = {"Parameter": {"Value": "the value that opens the test route"}}
    made._clients["ssm"] = SimpleNamespace(get_parameter=lambda **_: parameter)
    return made


def test_the_address_that_was_given_is_the_one_that_is_asked(project: Path, tmp_path: Path) -> None:
    assert place(project, tmp_path).url == NOWHERE


def test_in_a_swarm_a_colour_has_the_tasks_that_the_ledger_says_since_nothing_scales_them(
    project: Path, tmp_path: Path
) -> None:
    made = place(project, tmp_path)
    sides = {
        colour: Side(digest="sha256:" + "ab" * 32, capacity=count, weight=100 if count else 0)
        for colour, count in ((Colour.BLUE, 3), (Colour.GREEN, 0))
    }
    state = State(version=1, live=Colour.BLUE, blue=sides[Colour.BLUE], green=sides[Colour.GREEN], release=None)
    made.__dict__["exports"] = {"serviceNames": {"blue": "teal-dev-blue", "green": "teal-dev-green"}}
    made.__dict__["ledger"] = SimpleNamespace(read=lambda: state)
    assert {colour: made.size_of(colour) for colour in Colour} == {Colour.BLUE: 3, Colour.GREEN: 0}


def test_hooks_are_those_of_the_stack_file(project: Path, tmp_path: Path) -> None:
    (project / "check").write_text(
        '#!/bin/sh\ncat "$TEAL_TEST_HEADER_FILE"; echo "$TEAL_URL $TEAL_ENVIRONMENT"; exit 3\n'
    )
    (project / "check").chmod(0o755)
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write("  teal:hooks:\n    verifying:\n      - command: ./check\n        timeoutSeconds: 30\n")
    release = flight(phase=Phase.VERIFYING)
    hooks = Company(place(project, tmp_path))
    assert hooks.ask(flight()).answer is Answer.GO
    deadline = time.monotonic() + 15
    while (told := hooks.ask(release)).answer is Answer.WAIT:
        assert time.monotonic() < deadline, told.why
        time.sleep(0.02)
    hooks.close()
    assert told.answer is Answer.STOP
    assert told.ended[0].output == f"X-Teal-Test: ***\n{NOWHERE} dev"


def test_the_way_to_aws_loads_nothing_of_the_embedded_cloud(project: Path) -> None:
    program = (
        "import sys, cli.release.place_aws, cli.release.company, cli.release.judging, cli.release.hooking;"
        "import release.adapters.automation;"
        "print([name for name in sys.modules if name.startswith('localcloud')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
