"""What a way to run containers has to offer: processes of the embedded cloud, Docker, and instances on AWS by SSM."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from containers.model import Inside, Instance, Invocation, Line, Usage


class Log(Protocol):
    """The log of one container, from a moment on."""

    def read(self) -> Sequence[Line]:
        """What was added since the last call; at the first one all that was asked for. Raises ContainersError."""


class Hands(Protocol):
    """All that somebody can do to the containers of an environment by hand. Each raises ContainersError."""

    @property
    def comes_back(self) -> str:
        """By whom what was stopped is started again, as half a sentence."""

    @property
    def silent(self) -> Mapping[str, str]:
        """Why servers did not say which instances they have, by server, as far as they had to be asked for that."""

    def instances(self) -> Sequence[Instance]:
        """Every instance of both colours, blue first, each colour by zone."""

    def look(self, instances: Sequence[Instance]) -> Mapping[str, Inside]:
        """What each says of its container, by id."""

    def usage(self, instances: Sequence[Instance]) -> Mapping[str, Usage]:
        """What the containers take, by id; those that do not run are left out. Takes a second."""

    def log(self, instance: Instance, since: datetime | None, tail: int | None) -> Log:
        """Its log: lines that are not older than since, the last `tail` of them."""

    def check_entry(self) -> None:
        """Raises ContainersError where nobody could run a command inside, whatever the instance."""

    def invocation(self, instance: Instance, command: Sequence[str], *, has_terminal: bool) -> Invocation:
        """How to run a command inside, as its container would. Without a command: a shell, where there is one."""

    def stop(self, instance: Instance) -> None:
        """Has the container finish its requests and end; by force after its grace. Returns when it has ended."""

    def kill(self, instance: Instance) -> None:
        """Ends the container at once."""
