"""An embedded cloud with the dev stack in it and a load on it, for benches of releases."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from bench.images import ROOT, push_image
from bench.samples import Sample, sample_of
from cli.aws import client
from config.stack_files import region_of
from localcloud.environment import stack_environment
from localcloud.home import Home
from localcloud.launch import stop
from release.adapters.dynamodb import LedgerTable
from release.ledger import InFlight
from release.machine import Phase

STACK = "dev"
COMMAND_SECONDS = 400.0
LOAD_END_SECONDS = 40.0
POLL_SECONDS = 0.1


class BenchFailed(Exception):
    """Something that is no figure went wrong: the bench says nothing then."""


@dataclass
class Loaded:
    """A load under way, and what it has noted."""

    process: "subprocess.Popen[bytes]"
    file: Path
    samples: list[Sample] = field(default_factory=list)
    _read: int = 0

    def catch_up(self) -> Sequence[Sample]:
        """Everything noted so far. Raises BenchFailed if the load has ended."""
        if self.process.poll() is not None:
            raise BenchFailed(f"the load ended by itself, with {self.process.returncode}")
        self._take()
        return self.samples

    def end(self) -> Sequence[Sample]:
        """Everything, once what was under way has ended, too."""
        assert self.process.stdin is not None  # noqa: S101  # it was started with one
        self.process.stdin.close()
        self.process.wait(LOAD_END_SECONDS)
        self._take()
        return self.samples

    def _take(self) -> None:
        with self.file.open("rb") as file:
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
        if whole:
            self._read += len(whole) + 1
            self.samples += [sample_of(line) for line in whole.decode().split("\n")]


@dataclass(frozen=True)
class Dev:
    """The dev stack, up."""

    home: Home
    url: str

    @cached_property
    def _variables(self) -> Mapping[str, str]:
        return stack_environment(self.home.running(), self.home, region_of(ROOT, STACK))

    @cached_property
    def ledger(self) -> LedgerTable:
        """Its ledger."""
        return LedgerTable.find(client("ssm", self._variables), client("dynamodb", self._variables), STACK)

    @cached_property
    def _repository(self) -> str:
        ecr: Any = client("ecr", self._variables)
        names = [found["repositoryName"] for found in ecr.describe_repositories()["repositories"]]
        if len(names) != 1:
            raise BenchFailed(f"the cloud has repositories {', '.join(names) or 'none'}, not one")
        return str(names[0])

    def push(self, version: str, fault: Mapping[str, str] | None = None) -> str:
        """The digest of a version of the app that is now in its registry."""
        return push_image(client("ecr", self._variables), self._repository, version, fault)

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        """A `teal` command under way."""
        return subprocess.Popen(
            [Path(sys.executable).with_name("teal"), *words],
            cwd=ROOT,
            env={**os.environ, "TEAL_HOME": str(self.home.root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> str:
        """What a `teal` command told. Raises BenchFailed unless it went well."""
        return ended(self.begin(*words), 0)

    def in_flight(self) -> InFlight | None:
        """The release in flight."""
        return self.ledger.read().release

    def await_phase(self, phase: Phase, command: "subprocess.Popen[str]", seconds: float) -> None:
        """Waits until a command has brought its release there. Raises BenchFailed if it ended, or past so long."""
        deadline = time.monotonic() + seconds
        while (release := self.in_flight()) is None or release.phase is not phase:
            if command.poll() is not None:
                raise BenchFailed(
                    f"no {phase}: the command ended with {command.returncode}: {command.communicate()[0]}"
                )
            if time.monotonic() > deadline:
                raise BenchFailed(f"no {phase} within {seconds:g} s")
            time.sleep(POLL_SECONDS)

    @contextmanager
    def load(self, rate: float) -> Iterator[Loaded]:
        """A load of so many requests a second, until the block ends."""
        file = self.home.root / "load.tsv"
        file.write_bytes(b"")  # an earlier load's lines are none of this one's
        command = [sys.executable, "-m", "bench.load", self.url, str(rate), str(file)]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
        loaded = Loaded(process, file)
        try:
            _await_first(loaded)
            yield loaded
        finally:
            if process.poll() is None:
                loaded.end()


def ended(command: "subprocess.Popen[str]", code: int | None = None) -> str:
    """What a command told. Raises BenchFailed unless it ends in time, and with that code if one is given."""
    try:
        told, _ = command.communicate(timeout=COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        command.kill()
        raise BenchFailed(f"{command.args!r} has not ended within {COMMAND_SECONDS:g} s") from None
    if code is not None and command.returncode != code:
        raise BenchFailed(f"{command.args!r} ended with {command.returncode}, not {code}:\n{told}")
    return told


W = TypeVar("W")


def said(measure: Callable[[W], bool], wish: W) -> int:
    """The exit code for what was measured: 1 if a bound does not hold, and 1 with a line for a bench that failed."""
    try:
        return 0 if measure(wish) else 1
    except BenchFailed as error:
        print(f"the bench failed: {error}", file=sys.stderr)
        return 1


@contextmanager
def dev_stack() -> Iterator[Dev]:
    """A cloud of its own with the dev stack up in it, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="teal-bench-") as folder:
        home = Home(Path(folder) / "home")
        try:
            told = ended(Dev(home, "").begin("local", "up", STACK), 0)
            yield Dev(home, told.strip().splitlines()[-1])
        finally:
            stop(home)


def _await_first(loaded: Loaded) -> None:
    deadline = time.monotonic() + LOAD_END_SECONDS
    while not (loaded.file.exists() and loaded.catch_up()):
        if time.monotonic() > deadline:
            raise BenchFailed(f"no request was answered within {LOAD_END_SECONDS:g} s")
        time.sleep(POLL_SECONDS)
