"""Which snapshots of a data volume stay, and which have had their time. Pure: decided from what EC2 shows of them.

Every release with a data volume makes one, before the new version gets the volume. So the newest one has the data as
the version before left it, which is what belongs to a rollback. Whatever is deleted is older than so many good ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from release.ledger import Plan, State


class Progress(StrEnum):
    """How far EC2 has got with a snapshot."""

    PENDING = "pending"
    COMPLETE = "complete"
    BROKEN = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A snapshot that a release has made of its data volume."""

    snapshot_id: str
    release_id: str
    started_at: datetime
    progress: Progress
    written_by: str = ""
    """Digest of the version that had the volume until then; empty for none, and where nobody noted it."""

    def document(self) -> dict[str, Any]:
        """It as plain data."""
        return {
            "id": self.snapshot_id,
            "release_id": self.release_id,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "state": self.progress,
            "written_by": self.written_by or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Versions:
    """The two versions that a rollback goes between, by digest; empty for none."""

    live: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surplus:
    """Snapshots that have had their time, the oldest first."""

    snapshots: tuple[Snapshot, ...] = ()
    held_back: str = ""
    """Why none of them may go yet; empty where they may."""


NOTHING = Surplus()


def versions_of(state: State) -> Versions:
    """The versions that a rollback would go between now."""
    live, idle = state.side(state.live).digest, state.side(state.idle).digest
    return Versions(live=live or "", before=idle or "")


def surplus(found: Iterable[Snapshot], kept: int, versions: Versions, latest: str = "") -> Surplus:
    """What of a volume's release snapshots is more than is to be kept, once a release has ended well.

    The newest `kept` complete ones stay, and all that are younger than the oldest of them. Beyond that stay those that
    EC2 is still at, and the newest one that each of the two versions left: a rollback makes a snapshot, too, which may
    not push out what its version had left when it was live before. None goes unless the newest is complete.

    `latest` is the release that has just ended well, which must have made the newest. Without it that is told by who
    wrote the data: after a release that was taken back it was the version that is live, and nothing goes.
    """
    ordered = sorted(found, key=lambda each: (each.started_at, each.release_id == latest, each.snapshot_id))
    complete = [each for each in ordered if each.progress is Progress.COMPLETE]
    if kept < 1 or len(complete) < kept:
        return NOTHING
    oldest_kept = complete[-kept]
    left = {each.written_by: each for each in complete if each.written_by}  # the newest one of each version
    needed = [left[digest] for digest in (versions.live, versions.before) if digest in left]
    going = tuple(
        each
        for each in ordered
        if each.started_at < oldest_kept.started_at and each.progress is not Progress.PENDING and each not in needed
    )
    if not going or not (latest or ordered[-1].written_by == versions.before):
        return NOTHING
    return Surplus(snapshots=going, held_back=_why_not(ordered[-1], latest))


def foreseen(found: Sequence[Snapshot], plan: Plan, state: State) -> Surplus:
    """What a planned release would find to be too much once it has ended well."""
    live = state.side(state.live).digest or ""
    coming = Snapshot(
        snapshot_id="",
        release_id="",
        started_at=datetime.max.replace(tzinfo=UTC),
        progress=Progress.COMPLETE,
        written_by=live,
    )
    return surplus((*found, coming), plan.snapshots_kept, Versions(live=plan.digest, before=live))


def _why_not(newest: Snapshot, latest: str) -> str:
    if latest and newest.release_id != latest:
        return f"EC2 does not show the snapshot of {latest}"
    if newest.progress is not Progress.COMPLETE:
        return f"{newest.snapshot_id}, the newest, is in state {newest.progress}"
    return ""
