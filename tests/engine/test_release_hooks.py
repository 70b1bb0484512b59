"""Hooks in a real release: the regression suite lets it pass the test route, a hook that says stop takes it back."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.world import COMMAND_SECONDS, PROJECT, copy_project, running_world
from toolchain import Toolchain

SUITE = "-q -p no:cacheprovider tests/regression"
GUARD = """#!/bin/sh
# Lets the first step pass, and no other.
test "$TEAL_STEP" = 1 || { echo "nobody is on call at $TEAL_WEIGHT %"; exit 3; }
"""


@dataclass(frozen=True)
class Site:
    """A project with hooks, and the cloud that its dev is up in."""

    project: Path
    home: Path

    @property
    def variables(self) -> dict[str, str]:
        """What a command runs with."""
        return {**os.environ, "TEAL_HOME": str(self.home), "TEAL_TOOLCHAIN": "build"}

    def teal(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """A command in the project's folder, however it ends."""
        return subprocess.run(
            [Path(sys.executable).with_name("teal"), *words],
            cwd=self.project,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def history(self) -> list[dict[str, Any]]:
        """Every entry."""
        return [json.loads(line) for line in self.teal("release", "history", "dev", "--json").stdout.splitlines()]


@pytest.fixture
def site(engine: Toolchain, tmp_path: Path) -> Iterator[Site]:
    hooks = {
        "verifying": [{"command": f"{sys.executable} -m pytest {SUITE}", "timeoutSeconds": 60}],
        "shifting": [{"command": "./guard"}],
        "rolled_back": [{"command": "/bin/sh -c 'echo told of $TEAL_PHASE'"}],
    }
    project = copy_project(tmp_path / "project", "dev", "dev", hooks=hooks)
    (project / "tests").mkdir()
    (project / "tests" / "regression").symlink_to(PROJECT / "tests" / "regression")
    guard = project / "guard"
    guard.write_text(GUARD)
    guard.chmod(0o755)
    with running_world(tmp_path / "home", engine):
        site = Site(project, tmp_path / "home")
        up = site.teal("local", "up", "dev")
        assert up.returncode == 0, up.stderr
        yield site


@pytest.mark.long
def test_the_regression_suite_lets_it_pass_and_a_hook_that_says_stop_takes_it_back(site: Site) -> None:
    built = site.teal("image", "build", "dev", "--label", "org.opencontainers.image.version=2")
    assert built.returncode == 0, built.stderr
    done = site.teal("release", "start", "dev", "--image", built.stdout.strip(), "--steps", "5,100", "--bake", "1s")
    assert done.returncode == 5, done.stderr
    ran = {entry["why"].partition(": ")[0]: entry for entry in site.history() if entry["event"] == "HOOK"}
    suite = next(entry for command, entry in ran.items() if "regression" in command)
    assert (suite["phase"], " passed" in suite["why"], ": GO after" in suite["why"]) == ("VERIFYING", True, True)
    [failed] = [entry for entry in site.history() if entry["event"] == "FAILED"]
    assert "nobody is on call at 100 %" in failed["why"]
    assert any(entry["event"] == "HOOK" and "told of ROLLED_BACK" in entry["why"] for entry in site.history())
