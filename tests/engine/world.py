"""The embedded cloud that all engine tests share, and projects to bring up in it."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import yaml
from pulumi.automation.events import EngineEvent

from cli.aws import client
from engine.inventory import inventory
from localcloud.home import CloudRecord, Home
from localcloud.launch import STATUS_PATH, start, stop
from localcloud.stacks import LocalStack
from localcloud.status import StackStatus, stack_statuses
from toolchain import Toolchain

PROJECT = Path(__file__).parents[2]
REGION = "eu-west-1"
COMMAND_SECONDS = 200.0
PROGRAM = ("__main__.py", "config", "environment", "components", "release", "app", ".venv")

BringUp = Callable[[str], LocalStack]
"""Gives one of our stacks, up, by its name."""


@dataclass
class Heard:
    """What a run did, as the engine told it: operation by resource name, and the whole text that it printed."""

    by_name: dict[str, str] = field(default_factory=dict)
    text: list[str] = field(default_factory=list)

    def __call__(self, event: EngineEvent) -> None:
        """Takes one engine event."""
        for told in (event.diagnostic_event, event.stdout_event):
            if told:
                self.text.append(told.message)
        if event.res_outputs_event:
            about = event.res_outputs_event.metadata
            self.by_name[about.urn.rsplit("::", 1)[-1]] = str(about.op.value)

    @property
    def changes(self) -> Counter[str]:
        """How many resources saw each operation that changes something."""
        return Counter(operation for operation in self.by_name.values() if operation not in ("same", "read"))

    def named(self, operation: str) -> set[str]:
        """The resources that saw an operation."""
        return {name for name, seen in self.by_name.items() if seen == operation}


@dataclass(frozen=True)
class World:
    """One running cloud."""

    home: Home
    record: CloudRecord
    toolchain: Toolchain
    printed: list[str] = field(default_factory=list)
    """What every command of ours printed."""

    def stack(self, name: str, project: Path = PROJECT) -> LocalStack:
        """A stack of a project in this cloud."""
        command, variables = self.toolchain.pulumi_command(), self.toolchain.environment()
        return LocalStack(project, name, self.home, self.record, REGION, command, variables)

    def teal(self, *arguments: str, project: Path = PROJECT, seconds: float = COMMAND_SECONDS) -> str:
        """What the `teal` command printed, which must succeed; its progress is kept in `printed`."""
        done = subprocess.run(
            [Path(sys.executable).with_name("teal"), *arguments],
            cwd=project,
            env={**os.environ, "TEAL_HOME": str(self.home.root), "TEAL_TOOLCHAIN": "build"},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        self.printed.extend((done.stdout, done.stderr))
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pulumi(self, stack: LocalStack, *arguments: str) -> str:
        """What a raw `pulumi` printed on a stack, which must succeed."""
        done = subprocess.run(
            [self.toolchain.pulumi, "--non-interactive", "--color=never", *arguments, "--stack", stack.name],
            cwd=stack.work_dir,
            env={**os.environ, **stack.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        self.printed.append(done.stdout)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def checkpoint(self, stack: LocalStack) -> dict[str, Any]:
        """The stack's state as the engine exports it: resources, and operations that were never finished."""
        exported: dict[str, Any] = json.loads(self.pulumi(stack, "stack", "export"))["deployment"]
        return exported

    @cached_property
    def environment(self) -> dict[str, str]:
        """Variables by which boto3 reaches this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.record.api_url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "embedded",
            "AWS_SECRET_ACCESS_KEY": "embedded",
        }

    def aws(self, service: str) -> Any:
        """A boto3 client."""
        return client(service, self.environment)

    def inventory(self) -> frozenset[str]:
        """All that is in the account."""
        return inventory(self.environment)

    def status(self, stack: str) -> StackStatus:
        """What runs of a stack, and where it answers."""
        return self.statuses()[stack]

    def statuses(self) -> dict[str, StackStatus]:
        """By name, every stack that is up."""
        return stack_statuses(self.record, [REGION])

    def pids(self) -> dict[str, int]:
        """First process by instance id, which only the daemon tells."""
        told = httpx.get(self.record.api_url + STATUS_PATH, timeout=10, trust_env=False).json()["instances"]
        return {instance["id"]: instance["pid"] for instance in told if instance["pid"]}


@contextmanager
def running_world(home: Path, engine: Toolchain) -> Iterator[World]:
    """A cloud for the region of our stacks, which ends with the block, however that ends."""
    kept = Home(home)
    try:
        yield World(kept, start(kept, PROJECT, [REGION]).record, engine)
    finally:
        stop(kept)


def project_files() -> dict[str, bytes]:
    """The project's own Pulumi.yaml and stack files, by name."""
    return {path.name: path.read_bytes() for path in PROJECT.glob("Pulumi*.yaml")}


def run(action: Callable[[Heard], object]) -> Heard:
    """What a run did."""
    heard = Heard()
    action(heard)
    return heard


def write_project(folder: Path, program: str, config: Mapping[str, Any] | None = None, name: str = "") -> Path:
    """A Python project of one stack, `dev`, in a folder that is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"name": name or folder.name, "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(about))
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": {"aws:region": REGION, **(config or {})}}))
    (folder / "__main__.py").write_text(program)
    return folder


def copy_project(folder: Path, stack: str, like: str, **settings: object) -> Path:
    """Our own project in another folder, with one stack file: that of `like`, but for some settings."""
    folder.mkdir(parents=True)
    for name in PROGRAM:
        (folder / name).symlink_to(PROJECT / name)
    (folder / "Pulumi.yaml").write_bytes((PROJECT / "Pulumi.yaml").read_bytes())
    config = yaml.safe_load((PROJECT / f"Pulumi.{like}.yaml").read_text())["config"]
    changed = {**config, **{f"teal:{key}": value for key, value in settings.items()}}
    (folder / f"Pulumi.{stack}.yaml").write_text(yaml.safe_dump({"config": changed}))
    return folder


def within(seconds: float, check: Callable[[], Any], every: float = 0.1) -> float:
    """Seconds until check was true. Fails after so many."""
    started = time.monotonic()
    while True:
        is_so, waited = check(), time.monotonic() - started
        assert waited < seconds, f"not so within {seconds} s"
        if is_so:
            return waited
        time.sleep(every)
