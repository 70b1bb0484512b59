import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from cli.project import complete_stack

CONTEXT = click.Context(click.Command("up"))
PARAMETER = click.Argument(["stack"])
Complete = Callable[[str], list[str]]


def completed(incomplete: str) -> list[str]:
    return [str(item.value) for item in complete_stack(CONTEXT, PARAMETER, incomplete)]


@pytest.mark.usefixtures("project")
def test_stack_names_are_completed() -> None:
    assert completed("") == ["dev", "prod", "qa", "stage"]
    assert completed("p") == ["prod"]
    assert completed("x") == []


def test_outside_a_project_nothing_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert completed("") == []


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("teal local up s", ["stage"]),
        ("teal image build ", ["dev", "prod", "qa", "stage"]),
        ("teal local st", ["status"]),
        ("teal local logs ", ["cloud"]),
    ],
)
@pytest.mark.engine  # a process each
def test_the_shell_gets_them_by_its_own_protocol(project: Path, home: Path, words: str, offered: list[str]) -> None:
    home.mkdir()
    (home / "cloud.log").touch()
    asked = {"_TEAL_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [Path(sys.executable).with_name("teal")],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stdout.splitlines() == [f"plain,{name}" for name in offered]
    assert done.stderr == ""
