"""What the fleet needs of whoever runs instances: a seam of two steps, the slow one apart from the quick one."""

import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from localcloud.instances.node import Node

CONNECT_SECONDS = 0.2
HANG_UP_SECONDS = 0.05


class CannotStart(Exception):
    """An instance can't be brought to life; the message says why, in one line."""


class VolumeHeld(CannotStart):
    """Its data volume is another instance's: it can be started as soon as that has let it go."""


@dataclass(frozen=True, slots=True)
class Birth:
    """What is known of an instance before it lives. user_data is as the API has it, base64."""

    instance_id: str
    region: str
    zone: str
    private_address: str
    user_data: str
    instance_type: str = ""


class Prepared(Protocol):
    """An instance whose image is here and which can be started at once, more than once if need be."""

    @property
    def port(self) -> int:
        """The port that it will listen on."""

    @property
    def colour(self) -> str:
        """blue or green."""

    @property
    def digest(self) -> str:
        """Its image's digest, sha256:..."""

    def start(self) -> "Life":
        """Starts it. Quick; always called by one thread, which lives as long as the cloud. Raises CannotStart.

        Raises VolumeHeld while its data volume is not to be had.
        """


class Life(Protocol):
    """A process, or a container, that runs an instance."""

    @property
    def address(self) -> str:
        """The loopback address that it has for itself."""

    @property
    def container(self) -> str:
        """Name of its container, by which the engine's own commands find it; empty for a process."""

    @property
    def pid(self) -> int | None:
        """Its first process; None as long as there is none."""

    def is_alive(self) -> bool:
        """Whether it still runs, or is about to. Returns at once."""

    def stop(self, grace: timedelta) -> None:
        """Ends it: SIGTERM, and after grace by force, with all that it started. Harmless if it is over. Blocks."""

    def last_words(self) -> str:
        """The last line that it printed; "" if there is none."""


class Runner(Protocol):
    """Brings instances to life."""

    def prepare(self, birth: Birth) -> Prepared | Node | None:
        """Reads the user data and gets the image; None where there is none to run. May take long; any thread.

        An instance may be a node of a swarm, which itself runs nothing here. Raises CannotStart.
        """

    def forget(self, instance_id: str) -> None:
        """The instance is over for good: its address may be given to another."""


def accepts_connections(address: str, port: int) -> bool:
    """Whether something listens there now and stays. Takes at most CONNECT_SECONDS and HANG_UP_SECONDS.

    What publishes a container's port takes connections before anything in the container listens, and then hangs up.
    """
    try:
        with socket.create_connection((address, port), CONNECT_SECONDS) as connection:
            return not _is_hung_up(connection)
    except OSError:
        return False


def _is_hung_up(connection: socket.socket) -> bool:
    """Whether the other side ends a connection at once, of its own accord."""
    connection.settimeout(HANG_UP_SECONDS)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
