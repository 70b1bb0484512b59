"""The official CLI: the one on PATH, one that the official installer put there before, or that installer itself."""

import os
import shutil
import subprocess
import sys
import threading
import urllib.request
from importlib.metadata import version
from pathlib import Path

from toolchain.errors import OfficialUnavailable
from toolchain.located import Source, Toolchain
from toolchain.pins import ENGINE_VERSION, numbers
from toolchain.progress import Progress, Report
from toolchain.steps import Runner, Step, StepFailed

INSTALLER_URL = "https://get.pulumi.com/install.sh"
PROBE_SECONDS = 5.0
VERSION_SECONDS = 30
INSTALL = Step("Running the official Pulumi installer", usual_seconds=30, deadline_seconds=900)
INSTALL_PROGRAM = "from pulumi.automation import PulumiCommand; PulumiCommand.install()"
PYTHON_HOST = "pulumi-language-python"


def on_path(own_builds: Path, report: Report) -> Toolchain | None:
    """The CLI on PATH, if it is new enough, has its Python language host, and is none of our own builds."""
    found = shutil.which("pulumi")
    if not found or Path(found).resolve().is_relative_to(own_builds.resolve()):
        return None
    beside = os.pathsep.join([str(Path(found).resolve().parent), os.environ.get("PATH", os.defpath)])
    if not shutil.which(PYTHON_HOST, path=beside):
        report(Progress(f"Not using {found}: there is no {PYTHON_HOST}"))
        return None
    return _usable(Path(found), Source.PATH, report)


def installed(report: Report) -> Toolchain | None:
    """The CLI that the official installer left in the user's home for this SDK, without asking the network."""
    pulumi = Path.home() / ".pulumi" / "versions" / version("pulumi") / "bin" / "pulumi"
    return _usable(pulumi, Source.INSTALLED, report) if pulumi.is_file() else None


def download(log: Path, report: Report) -> Toolchain:
    """Runs the official installer. Raises OfficialUnavailable, within seconds where its site is out of reach."""
    report(Progress("Looking for the official Pulumi installer", usual_seconds=1))
    if not is_reachable(INSTALLER_URL):
        raise OfficialUnavailable(f"{INSTALLER_URL} did not answer within {PROBE_SECONDS:.0f} s")
    log.write_text("")
    try:
        # A process of its own, since the installer itself knows no deadline.
        Runner(log, report, os.environ, log.parent).run(INSTALL, [sys.executable, "-c", INSTALL_PROGRAM])
    except StepFailed as failure:
        raise OfficialUnavailable(f"the official Pulumi installer failed ({failure}); log: {log}") from failure
    found = installed(report)
    if not found:
        raise OfficialUnavailable(f"the official Pulumi installer ended without an engine; log: {log}")
    return found


def is_reachable(url: str) -> bool:
    """Whether url answers within a few seconds. In a thread that is left behind: name lookup has no deadline."""
    answered = threading.Event()

    def ask() -> None:
        try:
            with urllib.request.urlopen(url, timeout=PROBE_SECONDS):  # noqa: S310 - a constant, https
                answered.set()
        except (OSError, ValueError):
            return

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PROBE_SECONDS)
    return answered.is_set()


def _usable(pulumi: Path, source: Source, report: Report) -> Toolchain | None:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        asked = subprocess.run(
            [pulumi, "version"], capture_output=True, text=True, timeout=VERSION_SECONDS, check=True, env=environment
        )
    except (OSError, subprocess.SubprocessError) as error:
        report(Progress(f"Not using {pulumi}: {error}"))
        return None
    answer = asked.stdout.strip().removeprefix("v")
    if numbers(answer) < numbers(ENGINE_VERSION):
        report(Progress(f"Not using {pulumi}: it is {answer or 'of no version'}, older than {ENGINE_VERSION}"))
        return None
    return Toolchain(pulumi, answer, source)
