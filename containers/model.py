"""What there is to know of a container and its instance: plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

HEALTHY = "healthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An instance of a colour, as its scaling group and the load balancer have it; in a swarm a task of a service."""

    id: str
    """Of an instance EC2's, of a task the name that Swarm gives it: SERVICE.NUMBER.ID."""
    colour: str
    zone: str
    address: str
    """Where it answers, or its private address; empty while it has none."""
    health: str
    """What the load balancer finds: healthy, unhealthy, initial, draining, none."""
    state: str
    """Where it is in its life; of a task its container's state, in Docker's or Swarm's words."""
    reason: str = ""
    """Why it is not what it should be; empty where all is well."""
    worker: str = ""
    """Id of the server that a task of a swarm runs on; empty for an instance, which is its own."""
    port: int = 0
    """Port of the worker that load balancers know a task by; 0 for an instance, and where nobody knows."""

    @property
    def server(self) -> str:
        """Id of the server that it runs on."""
        return self.worker or self.id

    @property
    def slot(self) -> str:
        """COLOUR.NUMBER of a task, which the one that replaces it has, too; empty for an instance."""
        parts = self.id.rsplit(".", 2)
        return f"{self.colour}.{parts[1]}" if len(parts) == 3 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What an instance says itself of its container."""

    state: str = "unknown"
    """running, exited, none (there is no container), unknown."""
    digest: str = ""
    version: str = ""
    since: datetime | None = None
    """When the container started."""
    restarts: int | None = None
    """How often it was started again on this instance; None where nobody counts."""
    problem: str = ""
    """Why there is no better answer; empty where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a container takes right now."""

    cpu_percent: float
    """Of one processor: 200 are two."""
    memory_bytes: int
    pids: int
    """Processes and threads."""
    requests: int | None = None
    """Requests that the load balancer has sent it; None where nobody counts."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a container's log, and when it was written, where that is known."""

    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """A program to run here, with the terminal of whoever asked for it, that acts inside an instance."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    has_terminal: bool
    """Whether it needs one; then one of its own is made, and what is typed and printed is passed on."""
    instance_pid: int | None = None
    """First process of the instance, where that is on this machine: when it ends, so does the program."""
    exit_mark: bytes = b""
    """What comes before the exit code in the output of a program that does not pass it on itself."""
