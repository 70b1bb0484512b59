"""What the embedded cloud asks of whatever runs instances: processes here, containers elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from localcloud.images.cache import UnpackedImage
from localcloud.instances.container import ContainerSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One instance to start."""

    instance_id: str
    address: str
    """Loopback address that is the instance's own."""
    zone: str
    spec: ContainerSpec
    image: UnpackedImage
    folder: Path
    """The instance's own: its home and temporary files. Made when missing."""
    log: Path
    """What the instance prints is appended here."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values by variable, for the instance's environment and no other place."""


class Running(Protocol):
    """An instance that was started, alive or not."""

    @property
    def container(self) -> str:
        """Name of its container, by which the engine's own commands find it; empty for a process."""

    @property
    def pid(self) -> int:
        """Its first process."""

    def is_alive(self) -> bool:
        """Whether its first process still runs."""

    def stop(self, grace: timedelta) -> int:
        """Asks it to end, waits for at most grace, then ends it and all that it started; the exit status.

        The status of a process that a signal ended is minus the signal's number. A second call returns the same.
        """


class Driver(Protocol):
    """Starts instances."""

    def start(self, launch: Launch) -> Running:
        """Starts one and returns at once, before it serves. Raises InstanceError."""

    def close(self) -> None:
        """Lets go of what the driver itself holds; to be called last, when every instance is stopped."""
