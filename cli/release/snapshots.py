"""What people are told of a data volume's snapshots: which there are, and which a release would delete."""

from dataclasses import dataclass
from typing import Any

from cli.release.place import Place
from release.errors import SnapshotsUnread
from release.ledger import Plan, State
from release.snapshots import NOTHING, Snapshot, Surplus, foreseen
from release.tidying import MOST_AT_ONCE


@dataclass(frozen=True, kw_only=True)
class Stock:
    """Snapshots that releases have made of a data volume."""

    volume_id: str
    snapshots: tuple[Snapshot, ...] = ()
    """The newest first."""
    problem: str = ""
    """Why nobody knows which there are; empty where they are known."""

    @property
    def lines(self) -> list[str]:
        """A line for each, to find the one to restore by."""
        return [self.problem] if self.problem else [f"snapshot {told(each)}" for each in self.snapshots]

    def document(self) -> dict[str, Any]:
        """It as plain data."""
        listed = [each.document() for each in self.snapshots]
        return {
            "data_volume": self.volume_id,
            "of_releases": listed,
            "problem": self.problem or None,
            "lines": self.lines,
        }


@dataclass(frozen=True, kw_only=True)
class Removal:
    """What a release would delete, once it has ended well."""

    stock: Stock
    kept: int
    surplus: Surplus

    @property
    def lines(self) -> list[str]:
        """It for people."""
        if self.stock.problem:
            return [f"nobody knows which snapshots would go: {self.stock.problem}"]
        going = self.surplus.snapshots
        if not going:
            return [f"no snapshot goes: {self.stock.volume_id} has {len(self.stock.snapshots)}, and keeps {self.kept}"]
        lines = [f"delete {told(each)}" for each in going[:MOST_AT_ONCE]]
        rest = len(going) - MOST_AT_ONCE
        return lines if rest <= 0 else [*lines, f"delete {rest} more, {MOST_AT_ONCE} at a time"]

    def document(self) -> dict[str, Any]:
        """It as plain data."""
        going = [each.document() for each in self.surplus.snapshots]
        return {**self.stock.document(), "kept": self.kept, "removes": going, "lines": self.lines}


def stock_of(place: Place, volume_id: str) -> Stock | None:
    """The snapshots of a volume; None without one."""
    if not volume_id:
        return None
    try:
        found = place.snapshots(volume_id).of_releases()
    except SnapshotsUnread as error:
        return Stock(volume_id=volume_id, problem=str(error))
    newest_first = sorted(found, key=lambda each: each.started_at, reverse=True)
    return Stock(volume_id=volume_id, snapshots=tuple(newest_first))


def removal_of(place: Place, plan: Plan, state: State) -> Removal | None:
    """What a plan's release would delete; None without a data volume."""
    stock = stock_of(place, plan.data_volume)
    if stock is None:
        return None
    going = NOTHING if stock.problem else foreseen(stock.snapshots, plan, state)
    return Removal(stock=stock, kept=plan.snapshots_kept, surplus=going)


def told(snapshot: Snapshot) -> str:
    """A snapshot in a line: its id, when and for which release it was made, who had written what is in it."""
    writer = f", written by {snapshot.written_by}" if snapshot.written_by else ""
    made = f"{snapshot.started_at:%Y-%m-%d %H:%M:%S}"
    return f"{snapshot.snapshot_id} of {made}, before {snapshot.release_id}{writer}, {snapshot.progress}"
