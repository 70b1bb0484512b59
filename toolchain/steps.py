"""Runs one step of an installation: an outside command with a log, a deadline, and progress."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.pins import ROOM
from toolchain.progress import Progress, Report

TICK_SECONDS = 1.0
TAIL_CHARACTERS = 4000


@dataclass(frozen=True, slots=True)
class Step:
    """What a command does, how long it usually takes on two cores, and when to give it up."""

    what: str
    usual_seconds: float
    deadline_seconds: float


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs commands one after the other, with their output in one log file."""

    log: Path
    report: Report
    environment: Mapping[str, str]
    folder: Path

    def run(self, step: Step, command: Sequence[str | Path]) -> None:
        """Runs command to its end. Raises StepFailed when it fails or outlives the step's deadline."""
        with self.log.open("ab") as log:
            log.write(f"\n== {step.what}: {' '.join(map(str, command))}\n".encode())
            log.flush()
            # A session of its own: Ctrl-C ends us, we end the guard by closing its input, and the guard ends the rest.
            process = subprocess.Popen(
                [sys.executable, "-I", ROOM / "guard.py", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=dict(self.environment),
                start_new_session=True,
            )
            with process:
                self._await(process, step)
        if process.returncode:
            raise StepFailed(f"exit code {process.returncode}", self.tail())

    def _await(self, process: subprocess.Popen[bytes], step: Step) -> None:
        started = time.monotonic()
        while process.poll() is None:
            elapsed = time.monotonic() - started
            if elapsed > step.deadline_seconds:
                raise StepFailed(f"not done after {step.deadline_seconds:.0f} s", self.tail())
            self.report(Progress(step.what, elapsed, step.usual_seconds))
            try:
                process.wait(TICK_SECONDS)
            except subprocess.TimeoutExpired:
                continue

    def tail(self) -> str:
        """The last few thousand characters of the log."""
        return self.log.read_text(errors="replace")[-TAIL_CHARACTERS:]


class StepFailed(Exception):
    """A command failed; carries why, and the end of the log."""

    def __init__(self, reason: str, tail: str) -> None:
        super().__init__(reason)
        self.tail = tail
