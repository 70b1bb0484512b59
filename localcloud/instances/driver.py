"""What the embedded cloud asks of whatever runs instances: processes here, containers in localcloud/docker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from localcloud.instances.container import ContainerSpec


class PulledImage(Protocol):
    """An image where its driver can start it."""

    @property
    def digest(self) -> str:
        """sha256:HEX."""


ImageT = TypeVar("ImageT", bound=PulledImage)


@dataclass(frozen=True, slots=True)
class DataFolder:
    """What stands for an instance's data volume."""

    path: Path
    lock: int
    """File descriptor of the volume's lock: who inherits it holds that as long as it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch(Generic[ImageT]):
    """One instance to start."""

    instance_id: str
    address: str
    """Loopback address that is the instance's own."""
    zone: str
    spec: ContainerSpec
    image: ImageT
    folder: Path
    """The instance's own: its home and temporary files. Made when missing."""
    log: Path
    """What the instance prints is appended here."""
    instance_type: str = ""
    """EC2's name for its size; "" where nobody knows."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values by variable, for the instance's environment and no other place."""
    data: DataFolder | None = None
    """Its data volume, whose place it finds in TEAL_DATA; None for none."""


class Running(Protocol):
    """An instance that was started, alive or not."""

    @property
    def container(self) -> str:
        """Name of its container, by which the engine's own commands find it; empty for a process."""

    @property
    def pid(self) -> int | None:
        """Its first process; None as long as there is none."""

    def is_alive(self) -> bool:
        """Whether its first process still runs, or is about to."""

    def stop(self, grace: timedelta) -> int:
        """Asks it to end, waits for at most grace, then ends it and all that it started; the exit status.

        The status of a process that a signal ended is minus the signal's number. A second call returns the same.
        """


class Driver(Protocol[ImageT]):
    """Starts instances."""

    def start(self, launch: Launch[ImageT]) -> Running:
        """Starts one and returns at once, before it serves. Raises InstanceError."""

    def close(self) -> None:
        """Lets go of what the driver itself holds; to be called last, when every instance is stopped."""
