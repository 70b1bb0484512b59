"""How long the real engine takes for prod in the embedded cloud, beside an empty program in the same run.

    python bench/engine.py [--runs 5]

Prints seconds of the engine as a whole process (median, least, most), the ratios that are bounded, and where the time
goes: CPU seconds of engine, language host and program, and of the embedded cloud's daemon.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

from config.settings import of_stack
from config.stack_files import region_of
from localcloud.home import CloudRecord, Home
from localcloud.launch import start, stop
from localcloud.provider.api import Api
from localcloud.registrar import own_zone
from localcloud.stacks import LocalStack
from toolchain import Toolchain, ensure

ROOT = Path(__file__).resolve().parent.parent
PREVIEW_BOUND, NO_OP_BOUND = 3.0, 4.0
"""Most that prod may take as a multiple of the empty program, from the issue."""
RUN_SECONDS = 300.0


@dataclass
class Measured:
    """Wall and CPU seconds of one command, over several runs."""

    wall: list[float] = field(default_factory=list)
    engine_cpu: list[float] = field(default_factory=list)
    daemon_cpu: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{statistics.median(self.wall):6.2f} s"
            f" ({min(self.wall):.2f} to {max(self.wall):.2f}, {len(self.wall)} runs);"
            f" CPU: engine and program {statistics.median(self.engine_cpu):.2f} s,"
            f" embedded cloud {statistics.median(self.daemon_cpu):.2f} s"
        )


@dataclass(frozen=True)
class Bench:
    """Runs raw engine commands on stacks of one embedded cloud."""

    engine: Toolchain
    daemon: psutil.Process

    def run(self, stack: LocalStack, measured: Measured, *command: str) -> None:
        """One engine run, timed as a whole process. Fails with the engine's output if the engine does."""
        before, daemon_before = resource.getrusage(resource.RUSAGE_CHILDREN), self.daemon.cpu_times()
        started = time.monotonic()
        done = subprocess.run(
            [self.engine.pulumi, *command, "--stack", stack.name, "--non-interactive", "--color", "never"],
            cwd=stack.work_dir,
            env=stack.environment,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        measured.wall.append(time.monotonic() - started)
        after, daemon_after = resource.getrusage(resource.RUSAGE_CHILDREN), self.daemon.cpu_times()
        measured.engine_cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        measured.daemon_cpu.append(daemon_after.user + daemon_after.system - daemon_before.user - daemon_before.system)
        if done.returncode:
            sys.exit(f"pulumi {' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def empty_project(folder: Path) -> Path:
    """A project whose Python program does nothing, with a stack of its own."""
    folder.mkdir()
    about = {"name": "empty", "runtime": {"name": "python", "options": {"virtualenv": str(ROOT / ".venv")}}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(about))
    (folder / "Pulumi.empty.yaml").write_text("config: {}\n")
    (folder / "__main__.py").write_text("")
    return folder


def ratio(of: Measured, to: Measured) -> float:
    """Ratio of two medians of wall seconds."""
    return statistics.median(of.wall) / statistics.median(to.wall)


def measure(home: Home, record: CloudRecord, engine: Toolchain, runs: int, folder: Path) -> bool:
    """Runs everything in turn, prints, and tells whether the bounds hold."""
    own_zone(Api(record.api_url, region_of(ROOT, "prod")), of_stack(ROOT, "prod").zone_name)
    bench = Bench(engine, psutil.Process(record.pid))
    common = (home, record, region_of(ROOT, "prod"), engine.pulumi_command(), engine.environment())
    prod, empty = LocalStack(ROOT, "prod", *common), LocalStack(empty_project(folder), "empty", *common)
    for stack in (prod, empty):
        stack.prepare()
    figures = {name: Measured() for name in ("first up", "preview", "no-op up", "empty up", "empty preview")}
    bench.run(prod, figures["first up"], "up", "--yes", "--skip-preview")
    bench.run(empty, Measured(), "up", "--yes", "--skip-preview")
    for _ in range(runs):  # in turn, so that a slow moment of the machine hits both
        bench.run(prod, figures["preview"], "preview")
        bench.run(empty, figures["empty preview"], "preview")
        bench.run(prod, figures["no-op up"], "up", "--yes", "--skip-preview", "--expect-no-changes")
        bench.run(empty, figures["empty up"], "up", "--yes", "--skip-preview")
    for name, measured in figures.items():
        print(f"{name:14} {measured}")
    return _verdict("preview of prod", ratio(figures["preview"], figures["empty preview"]), PREVIEW_BOUND) & _verdict(
        "no-op up of prod", ratio(figures["no-op up"], figures["empty up"]), NO_OP_BOUND
    )


def _verdict(what: str, found: float, bound: float) -> bool:
    print(f"{what}: {found:.2f} times the empty program (bound: {bound:.0f}) {'holds' if found <= bound else 'FAILS'}")
    return found <= bound


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures; exits with 1 if a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each command (default 5)")
    runs = parser.parse_args(arguments).runs
    with tempfile.TemporaryDirectory(prefix="teal-bench-") as folder:
        home, engine = Home(Path(folder) / "home"), ensure()
        record = start(home, ROOT, [region_of(ROOT, "prod")]).record
        try:
            holds = measure(home, record, engine, runs, Path(folder) / "empty")
        finally:
            stop(home)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
