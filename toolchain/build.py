"""Builds the engine and the YAML host from the pinned Go modules."""

import os
import shutil
import subprocess
from pathlib import Path

from toolchain import golang
from toolchain.errors import BuildFailed, DiskFull, ModulesUnreachable
from toolchain.manifest import Manifest
from toolchain.pins import (
    ENGINE_PACKAGE,
    ENGINE_VERSION,
    LANGUAGE_HOST_STARTER,
    LINKER_FLAGS,
    MODULES,
    SDK_MODULE,
    YAML_HOST_PACKAGE,
    numbers,
)
from toolchain.progress import Report
from toolchain.steps import Runner, Step, StepFailed

NEEDED_BYTES = 5_500_000_000  # 5.1 GB measured at the peak, with Go, modules and compiled packages
DOWNLOAD = Step("Downloading the engine's Go modules", usual_seconds=60, deadline_seconds=1800)
COMPILE = Step("Building the Pulumi engine", usual_seconds=240, deadline_seconds=3600)
CHECK_SECONDS = 60
OUR_VARIABLES = ("GOFLAGS", "GOOS", "GOARCH", "GOROOT", "GOWORK", "GOBIN")


def build(workspace: Path, log: Path, report: Report) -> Path:
    """Builds into a folder below workspace, complete with its manifest, and returns it.

    Raises GoMissing, ModulesUnreachable, BuildFailed or DiskFull; the log says more.
    """
    log.write_text("")
    runner = Runner(log, report, os.environ, workspace)
    go = golang.on_path() or golang.from_index(runner, workspace / "python")
    runner = Runner(log, report, _environment(go, workspace), MODULES)
    made = workspace / "made"
    (made / "bin").mkdir(parents=True)
    try:
        _download(runner, go)
        runner.run(
            COMPILE,
            [go, "build", "-ldflags", LINKER_FLAGS, "-o", f"{made}/bin/", ENGINE_PACKAGE, YAML_HOST_PACKAGE],
        )
        _add_python_host(runner, go, made / "bin")
    except StepFailed as failure:
        raise _explained(failure, log, workspace) from failure
    _check(made / "bin" / "pulumi", log)
    Manifest.of(made, ENGINE_VERSION).write(made)
    return made


def _environment(go: Path, workspace: Path) -> dict[str, str]:
    scratch = workspace / "go-tmp"
    scratch.mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in OUR_VARIABLES}
    engine_module = f"github.com/pulumi/pulumi/pkg/v3/@v/v{ENGINE_VERSION}"
    return {
        **kept,
        **golang.caches(go, engine_module, workspace),
        "CGO_ENABLED": "0",  # no C compiler needed, and the binary runs on any libc
        "GO111MODULE": "on",
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOTMPDIR": str(scratch),
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _download(runner: Runner, go: Path) -> None:
    try:
        runner.run(DOWNLOAD, [go, "list", "-deps", "-f", "{{.Module}}", ENGINE_PACKAGE, YAML_HOST_PACKAGE])
    except StepFailed as failure:
        if _is_disk_full(failure):
            raise
        raise ModulesUnreachable(
            f"the engine's Go modules could not be downloaded ({failure}): make what GOPROXY names reachable, install"
            f" the Pulumi CLI {ENGINE_VERSION} or later, or name a folder of built engines by TEAL_TOOLCHAIN_MIRROR;"
            f" log: {runner.log}"
        ) from failure


def _add_python_host(runner: Runner, go: Path, binaries: Path) -> None:
    asked = subprocess.run(
        [go, "list", "-m", "-f", "{{.Dir}}", SDK_MODULE],
        cwd=MODULES,
        env=dict(runner.environment),
        capture_output=True,
        text=True,
        timeout=golang.ASK_SECONDS,
        check=False,
    )
    script = Path(asked.stdout.strip()) / "python" / "cmd" / "pulumi-language-python-exec"
    if asked.returncode or not script.is_file():
        raise StepFailed(f"{SDK_MODULE} has no {script.name}", asked.stderr)
    for source in (script, LANGUAGE_HOST_STARTER):
        shutil.copyfile(source, binaries / source.name)
        (binaries / source.name).chmod(0o755)


def _check(pulumi: Path, log: Path) -> None:
    try:
        asked = subprocess.run([pulumi, "version"], capture_output=True, text=True, timeout=CHECK_SECONDS, check=False)
        answer = asked.stdout.strip() or asked.stderr.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        answer = str(error)
    if numbers(answer) != numbers(ENGINE_VERSION):
        raise BuildFailed(f"the engine that was built does not run: it answers {answer!r}; log: {log}")


def _is_disk_full(failure: StepFailed) -> bool:
    return "no space left on device" in failure.tail or "disk quota exceeded" in failure.tail


def _explained(failure: StepFailed, log: Path, workspace: Path) -> Exception:
    if _is_disk_full(failure):
        return DiskFull(
            f"the disk of {workspace.parent} became full while building the engine: make room, or name a folder on"
            f" another disk by TEAL_CACHE_HOME; log: {log}"
        )
    return BuildFailed(
        f"building the engine failed ({failure}): install the Pulumi CLI {ENGINE_VERSION} or later, or name a folder"
        f" of built engines by TEAL_TOOLCHAIN_MIRROR; log: {log}"
    )
