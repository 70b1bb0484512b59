"""Where an embedded cloud keeps its things, and the record by which others find it."""

import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Self

import psutil

from localcloud.errors import CloudNotRunning, LocalCloudError
from localcloud.files import write_atomically


class DriverName(StrEnum):
    """What runs the instances of a cloud."""

    PROCESS = "process"
    """They are processes of this machine, which needs nothing."""
    DOCKER = "docker"
    """They are containers of this machine's Docker engine."""


@dataclass(frozen=True, slots=True)
class CloudRecord:
    """A running cloud: who serves it, and at which loopback addresses."""

    pid: int
    started: float
    """Start of the process, in seconds since the epoch as the kernel tells it: pids come round again."""
    mark: str
    """Value of MARK in the environment of every process that belongs to this cloud."""
    api_url: str
    providers: dict[str, int]
    """Port by Pulumi package."""
    driver: DriverName = DriverName.PROCESS
    docker_host: str = ""
    """Address of the engine that runs its containers, whatever DOCKER_HOST a later command has; empty without one."""

    @classmethod
    def parse(cls, written: str) -> Self:
        """The record that as_json wrote. Raises ValueError for anything else."""
        found = json.loads(written)
        if isinstance(found, dict):
            found = {"driver": DriverName.PROCESS, "docker_host": "", **found}  # a cloud of before there was a choice
        if not isinstance(found, dict) or found.keys() != {field.name for field in fields(cls)}:
            raise ValueError(f"no record of a cloud: {written!r}")
        providers = found["providers"]
        if not isinstance(providers, dict):
            raise ValueError(f"no ports of providers: {providers!r}")  # noqa: TRY004  # of what was written
        return cls(
            pid=int(found["pid"]),
            started=float(found["started"]),
            mark=str(found["mark"]),
            api_url=str(found["api_url"]),
            providers={package: int(port) for package, port in providers.items()},
            driver=DriverName(found["driver"]),
            docker_host=str(found["docker_host"]),
        )

    def as_json(self) -> str:
        """The record as JSON."""
        return json.dumps(asdict(self), indent=1)

    @property
    def registry(self) -> str:
        """host:port at which a container engine pulls the cloud's images."""
        return self.api_url.removeprefix("http://")

    @property
    def is_alive(self) -> bool:
        """Whether that very process still runs."""
        try:
            process = psutil.Process(self.pid)
            return process.create_time() == self.started and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    @property
    def debug_providers(self) -> str:
        """Value of PULUMI_DEBUG_PROVIDERS, by which the engine attaches to ours instead of starting plugins."""
        return ",".join(f"{package}:{port}" for package, port in sorted(self.providers.items()))


MARK = "TEAL_CLOUD_MARK"
"""Environment variable by which the processes of one cloud are told from all others."""


class Home:
    """The folder of one embedded cloud. Raises LocalCloudError if it cannot be written to."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LocalCloudError(f"cannot write to {self.root} ({error.strerror}): set TEAL_HOME") from error
        self.record_file = self.root / "cloud.json"
        self.lock_file = self.root / "lock"
        self.log_file = self.root / "cloud.log"
        self.build_log = self.root / "build.log"
        self.calls_file = self.root / "calls.jsonl"
        self.passphrase_file = self.root / "passphrase"
        self.backend = self.root / "pulumi" / "state"
        self.pulumi_home = self.root / "pulumi" / "home"
        self.projects = self.root / "pulumi" / "projects"
        self.runtime = self.root / "run"
        self.images = self.root / "images"
        self.volumes = self.root / "volumes"
        self.snapshots = self.root / "snapshots"
        self.envoy = self.runtime / "envoy"
        self.instances = self.runtime / "instances"

    @classmethod
    def of_project(cls, project: Path) -> Self:
        """TEAL_HOME, or `.teal` in the project."""
        return cls(Path(os.environ.get("TEAL_HOME") or project / ".teal"))

    def record(self) -> CloudRecord | None:
        """The record of the last cloud here, alive or not; one that cannot be read counts as none."""
        try:
            return CloudRecord.parse(self.record_file.read_text())
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def running(self) -> CloudRecord:
        """The cloud that runs here. Raises CloudNotRunning."""
        record = self.record()
        if record is None:
            raise CloudNotRunning("no embedded cloud runs here: start one with `teal local up`")
        if not record.is_alive:
            raise CloudNotRunning("the embedded cloud is gone (it was killed): start a new one with `teal local up`")
        return record

    def write_record(self, record: CloudRecord) -> None:
        """Puts the record in place, whole or not at all, whatever comes. Raises OSError."""
        write_atomically(self.record_file, record.as_json().encode(), 0o600, lasts=True)

    def instance_log(self, instance_id: str) -> Path:
        """Where an instance's output goes."""
        return self.instances / instance_id / "instance.log"

    @property
    def has_data(self) -> bool:
        """Whether there are data volumes or snapshots, of this cloud or of one that was killed."""
        found = (*self.volumes.glob("vol-*"), *self.snapshots.glob("snap-*"))
        return any(path.suffix in ("", ".json") for path in found)

    def forget(self, *, keeps_data: bool = False) -> None:
        """Removes what belonged to a cloud that is gone: state and data volumes of its stacks. Images and logs stay.

        keeps_data leaves data volumes and snapshots, for the next cloud.
        """
        for folder in (self.root / "pulumi", self.runtime, *(() if keeps_data else (self.volumes, self.snapshots))):
            shutil.rmtree(folder, ignore_errors=True)
        self.record_file.unlink(missing_ok=True)  # last: who is killed before it leaves it to the next

    def prepare(self) -> None:
        """Makes the folders of a new cloud, and the passphrase that encrypts its stacks' secrets."""
        for folder in (
            self.backend,
            self.pulumi_home,
            self.projects,
            self.runtime,
            self.images,
            self.envoy,
            self.instances,
        ):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.passphrase_file.exists():
            write_atomically(self.passphrase_file, secrets.token_urlsafe(32).encode(), 0o600, lasts=True)
