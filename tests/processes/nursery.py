"""The tests' side of the nursery: starts engines, knows their process ids, waits for their end."""

import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

from processes.job import Ended, Job

TESTS = Path(__file__).parents[1]
BIRTH_SECONDS, LIFE_SECONDS = 30.0, 60.0
POLL_SECONDS = 0.01


@dataclass
class Running:
    """An engine's process."""

    name: str
    born: Future[int] = field(default_factory=Future)
    ended: Future[Ended] = field(default_factory=Future)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.born.result(BIRTH_SECONDS)

    def wait(self, seconds: float = LIFE_SECONDS) -> Ended:
        """How it ended. Raises TimeoutError."""
        return self.ended.result(seconds)

    def wait_until_frozen(self) -> None:
        """Returns once SIGSTOP has reached it."""
        process, deadline = psutil.Process(self.pid), time.monotonic() + BIRTH_SECONDS
        while process.status() != psutil.STATUS_STOPPED:
            assert time.monotonic() < deadline, f"{self.name} is not frozen after {BIRTH_SECONDS} s"
            time.sleep(POLL_SECONDS)


class Nursery:
    """Starts engines as forks of one process that has imported everything. A context manager."""

    def __init__(self, endpoint: str, errors: Path) -> None:
        self._running: dict[str, Running] = {}
        self._sending = threading.Lock()
        self.errors = errors
        self._out = errors.open("wb")
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "processes.engine_process"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._out,
            text=True,
            bufsize=1,
        )
        self._reader = threading.Thread(target=self._read, name="nursery", daemon=True)
        self._reader.start()

    def start(self, job: Job) -> Running:
        """Starts an engine. Its name must be new."""
        assert self._process.stdin is not None
        running = Running(job.name)
        with self._sending:
            assert job.name not in self._running, job.name
            self._running[job.name] = running
            self._process.stdin.write(job.as_line() + "\n")
        return running

    def run(self, job: Job) -> Ended:
        """Starts an engine and waits for its end."""
        return self.start(job).wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            running = self._running[told["name"]]
            if "pid" in told:
                running.born.set_result(told["pid"])
            else:
                running.ended.set_result(Ended(**{**told["said"], "status": told["status"]}))

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(LIFE_SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join()
            self._process.stdout.close()
            self._out.close()
