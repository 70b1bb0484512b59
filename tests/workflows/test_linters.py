"""What actionlint and zizmor say of the workflows. actionlint is built from its Go module, once a machine."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from toolchain import golang

ROOT = Path(__file__).parents[2]
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
BUILD_SECONDS, LINT_SECONDS = 300, 60

pytestmark = [pytest.mark.process, pytest.mark.timeout(BUILD_SECONDS + LINT_SECONDS)]


@pytest.fixture(scope="session")
def actionlint() -> Path:
    """The linter, from the cache or built into it."""
    known = hashlib.sha256(ACTIONLINT.encode()).hexdigest()[:16]
    folder = platformdirs.user_cache_path("teal") / "actionlint" / known
    program = folder / "actionlint"
    if program.exists():
        return program
    go = golang.on_path()
    if go is None:
        pytest.skip("actionlint has not run: it is built by Go, and none that is new enough is on PATH")
    draft = folder.with_name(f"{known}.{os.getpid()}")
    variables = {**os.environ, "GOBIN": str(draft), "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
    built = subprocess.run(
        [go, "install", ACTIONLINT], env=variables, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    if built.returncode:
        pytest.skip(f"actionlint has not run: it can't be built ({' '.join(built.stderr.split())[-200:]})")
    folder.mkdir(parents=True, exist_ok=True)
    (draft / "actionlint").replace(program)
    draft.rmdir()
    return program


def lint(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LINT_SECONDS, check=False)


def test_actionlint_has_nothing_to_say(actionlint: Path) -> None:
    found = lint(actionlint, "-no-color")
    assert (found.returncode, found.stdout) == (0, ""), found.stdout + found.stderr


def test_actionlint_would_have(actionlint: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(
        "on: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo ${{ github.evnt }}\n"
    )
    assert lint(actionlint, "-no-color", wrong).returncode == 1


def zizmor(*paths: Path) -> subprocess.CompletedProcess[str]:
    """Offline, and also what it has to say only to who asks for everything."""
    program = Path(sys.executable).with_name("zizmor")
    return lint(program, "--offline", "--no-progress", "--pedantic", "--color=never", *paths)


def test_zizmor_has_nothing_to_say() -> None:
    found = zizmor(ROOT / ".github" / "workflows")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "No findings to report" in found.stdout


def test_zizmor_would_have(tmp_path: Path) -> None:
    wrong = tmp_path / ".github" / "workflows" / "wrong.yml"
    wrong.parent.mkdir(parents=True)
    wrong.write_text(
        "on: pull_request_target\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n"
        "      - uses: actions/checkout@v4\n      - run: echo ${{ github.event.pull_request.title }}\n"
    )
    found = zizmor(wrong)
    assert found.returncode != 0
    for finding in ("dangerous-triggers", "template-injection", "unpinned-uses", "artipacked"):
        assert finding in found.stdout
