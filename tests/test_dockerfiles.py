"""What hadolint says of the Dockerfiles."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = ("app/Dockerfile", "examples/app/Dockerfile")


def hadolint(path: Path) -> "subprocess.CompletedProcess[str]":
    program = Path(sys.executable).with_name("hadolint")
    return subprocess.run([program, path], capture_output=True, text=True, check=False, timeout=60)


def test_these_are_all() -> None:
    tracked = subprocess.run(["git", "ls-files", "*Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert tracked.stdout.split() == list(FILES)


@pytest.mark.parametrize("name", FILES)
def test_hadolint_has_nothing_to_say(name: str) -> None:
    found = hadolint(ROOT / name)
    assert (found.returncode, found.stdout) == (0, "")


def test_hadolint_would_have(tmp_path: Path) -> None:
    wrong = tmp_path / "Dockerfile"
    wrong.write_text("FROM debian\nRUN cd /tmp && apt-get install nginx\n")
    assert hadolint(wrong).returncode == 1
