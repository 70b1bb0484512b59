"""What a release needs of the world. Adapters are in release.adapters and, for the infrastructure, with the caller."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from release.effects import Decision, Seen
from release.history import Entry
from release.ledger import Colour, InFlight, State
from release.machine import Phase
from release.snapshots import Snapshot
from release.verdict import HookAnswer, HookRun, Verdict


class Ledger(Protocol):
    """The environment's state and history."""

    def read(self) -> State:
        """The state as last written."""

    def record(self, state: State, entry: Entry, token: int | None) -> None:
        """Writes state and entry together, or neither; with the lock's token, or without a lock where that is None.

        Raises LedgerConflict if the state is no longer the one of the version before, LockLost if the lock has another
        token by now.
        """


class Lock(Protocol):
    """A lock of the environment's that is ours, for a while."""

    token: int
    """Rises with every holder, so that a write of an earlier one can be told."""

    def renew(self) -> None:
        """Makes sure that it is ours, from now on for its whole term. Raises LockLost."""


class Infrastructure(Protocol):
    """The Pulumi program."""

    def apply(self, release_id: str) -> None:
        """Runs the program on behalf of a release. Raises InfrastructureFailed."""


class Traffic(Protocol):
    """The listener's default action."""

    def weights(self) -> Mapping[Colour, int]:
        """The weights that it has."""

    def shift(self, weights: Mapping[Colour, int], fence: Callable[[], None]) -> None:
        """Gives it these weights, and reads them back; all 0: it says that nothing is released.

        `fence` is asked right before anything is sent, each time; what it raises ends the call unsent. Raises
        TrafficNotConfirmed.
        """


class Health(Protocol):
    """The load balancer's own checks."""

    def healthy(self) -> Mapping[Colour, int]:
        """Servers that pass them, by colour."""


class Data(Protocol):
    """The data volume, which one server at a time has."""

    def is_free(self) -> bool:
        """Whether no server has it. Raises VolumeUnread."""

    def snapshot(self, release_id: str, written_by: str) -> str:
        """Makes the release's snapshot of it and returns its id; of a release that has one, that one's.

        `written_by` is the digest of the version that had the volume until now, noted with it; empty for none.
        What is written later is not in it, so nobody needs to wait until it is stored. Raises SnapshotFailed.
        """


class Snapshots(Protocol):
    """Snapshots that releases have made of the data volume; nobody else's."""

    def of_releases(self) -> Sequence[Snapshot]:
        """All of them, in any order. Raises SnapshotsUnread."""

    def delete(self, snapshot_id: str) -> None:
        """Deletes one; harmless where it is gone. Raises SnapshotStays."""


class Judge(Protocol):
    """Whoever says whether the target colour does its work."""

    def verdict(self, release: InFlight) -> Verdict:
        """What is to be said by now; answers at once, from what was gathered so far. Never raises on a lost network."""


class Hooks(Protocol):
    """Executables of the user's that have a say in a phase."""

    def ask(self, release: InFlight) -> HookAnswer:
        """Starts the hooks of the release's phase and step unless they run or have ended; answers at once.

        Hooks of another phase or step that still run are ended first.
        """

    def tell(self, release_id: str, phase: Phase) -> tuple[HookRun, ...]:
        """Runs the hooks of a phase that is the end, whose answer changes nothing; waits for them, within bounds."""


class Clock(Protocol):
    """Time, and whether to go on."""

    def now(self) -> datetime:
        """The time of day, with its zone."""

    def monotonic(self) -> float:
        """Seconds that only grow."""

    def sleep(self, seconds: float) -> None:
        """Waits; shorter if somebody asks for a pause meanwhile."""

    @property
    def is_pause_wanted(self) -> bool:
        """Whether somebody asked for a pause."""


class Watcher(Protocol):
    """Whoever looks on."""

    def recorded(self, entry: Entry) -> None:
        """Something happened."""

    def looked(self, state: State, seen: Seen, decision: Decision) -> None:
        """What is the case, and what is done next."""
