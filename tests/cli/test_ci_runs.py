"""Runs that go wrong: what comes of them, and that none takes for ever."""

import subprocess
from pathlib import Path

import pytest

from cli.ci import runs
from cli.ci.runs import attempt
from cli.steps import Steps
from localcloud.errors import StackFailed
from release.errors import InfrastructureFailed

ENGINE = """#!/bin/sh
trap 'exit 255' INT
while :; do sleep 0.02; done
"""
DEAF = ENGINE.replace("exit 255", ":")


def engine(folder: Path, program: str) -> None:
    """What the SDK does with an engine: it waits for its end, and raises if that is not good."""
    (folder / "pulumi").write_text(program)
    (folder / "pulumi").chmod(0o755)
    with subprocess.Popen([folder / "pulumi"]) as running:
        try:
            running.wait(20)
        finally:
            running.kill()
    raise StackFailed("stack dev: exit 255")


@pytest.mark.parametrize("error", [StackFailed("no zone"), InfrastructureFailed("no zone")])
def test_a_run_that_fails_is_a_result(tmp_path: Path, error: Exception) -> None:
    def run(step: object) -> None:
        raise error

    assert attempt(Steps(tmp_path / "x"), "Preview of dev", 1, 60, run) == "no zone"
    assert attempt(Steps(tmp_path / "x"), "Preview of dev", 1, 60, lambda _: None) is None


@pytest.mark.parametrize("program", [ENGINE, DEAF])
def test_a_run_past_its_deadline_is_ended_and_says_so(
    tmp_path: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "GRACE_SECONDS", 0.3)
    told = attempt(Steps(tmp_path / "x"), "Preview of dev", 1, 0.2, lambda _: engine(tmp_path, program))
    assert told == "Preview of dev was not done within 0.2 s, and was ended"
