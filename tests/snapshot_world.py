"""EC2's snapshots of a data volume, in memory, which looks itself at whatever is to be deleted."""

from dataclasses import replace
from datetime import datetime, timedelta

from release.errors import SnapshotStays, SnapshotsUnread
from release.ledger import State
from release.machine import Phase
from release.snapshots import Progress, Snapshot
from release_world import START, FakeWorld


def made(number: int, written_by: str = "", progress: Progress = Progress.COMPLETE) -> Snapshot:
    """Snapshot old-<number> of release r-old-<number>; the higher the number, the younger."""
    return Snapshot(
        snapshot_id=f"old-{number}",
        release_id=f"r-old-{number}",
        started_at=START - timedelta(days=100 - number),
        progress=progress,
        written_by=written_by,
    )


class Shelf:
    """Port Snapshots: all that releases have made."""

    def __init__(self, world: FakeWorld) -> None:
        self._world = world
        self.stored: dict[str, Snapshot] = {}
        self.kept = 0
        """How many complete ones must stay, whatever anybody decides."""
        self.store_seconds = 0.0
        """How long one that is made from now on is pending."""
        self._ready: dict[str, datetime] = {}
        self.is_breaking = False
        """Whether the next ones come to nothing."""
        self.unread: str | None = None
        """Why EC2 does not tell which there are."""
        self.stay: str | None = None
        """Why EC2 deletes none."""

    def put(self, *snapshots: Snapshot) -> None:
        """Stores what was made before the test."""
        self.stored |= {each.snapshot_id: each for each in snapshots}

    def add(self, snapshot_id: str, release_id: str, written_by: str) -> None:
        """Stores a release's, as of now."""
        now = self._world.clock.time  # EC2's clock, which does not jump with ours
        self._ready[snapshot_id] = now + timedelta(seconds=self.store_seconds)
        self.stored[snapshot_id] = Snapshot(
            snapshot_id=snapshot_id,
            release_id=release_id,
            started_at=now,
            progress=Progress.BROKEN if self.is_breaking else Progress.PENDING,
            written_by=written_by,
        )

    def of_releases(self) -> tuple[Snapshot, ...]:
        if self.unread:
            raise SnapshotsUnread(self.unread)
        return tuple(self._now(each) for each in self.stored.values())

    def delete(self, snapshot_id: str) -> None:
        def drop() -> None:
            if self.stay:
                raise SnapshotStays(f"{snapshot_id} was not deleted: {self.stay}")
            if snapshot_id in self.stored:
                self._check(snapshot_id)
                del self.stored[snapshot_id]

        self._world.wire.over(f"delete {snapshot_id}", drop)

    @property
    def ids(self) -> list[str]:
        """Those that are left, the oldest first."""
        return [each.snapshot_id for each in sorted(self.stored.values(), key=lambda each: each.started_at)]

    def finish(self) -> None:
        """Whatever EC2 is at is complete."""
        self.stored = {name: self._done(each) for name, each in self.stored.items()}

    def _now(self, snapshot: Snapshot) -> Snapshot:
        ready = self._ready.get(snapshot.snapshot_id)
        return self._done(snapshot) if ready and self._world.clock.time >= ready else snapshot

    def _done(self, snapshot: Snapshot) -> Snapshot:
        is_pending = snapshot.progress is Progress.PENDING
        return replace(snapshot, progress=Progress.COMPLETE) if is_pending else snapshot

    def _check(self, snapshot_id: str) -> None:
        """Nobody needs it."""
        everyone = sorted((self._now(each) for each in self.stored.values()), key=lambda each: each.started_at)
        [place] = [at for at, each in enumerate(everyone) if each.snapshot_id == snapshot_id]
        going, younger = everyone[place], everyone[place + 1 :]
        assert everyone[-1].progress is Progress.COMPLETE, f"{snapshot_id} goes while the newest is not complete"
        assert going.progress is not Progress.PENDING, f"{snapshot_id} goes while EC2 is at it"
        good = [each for each in younger if each.progress is Progress.COMPLETE]
        assert len(good) >= max(1, self.kept), f"{snapshot_id} goes, and {len(good)} good ones stay"
        state = self._world.state
        assert state.release is None or state.release.phase is Phase.PLANNED, "a release is at work"
        for digest in _digests(state):
            is_the_last = going.written_by == digest and digest not in {each.written_by for each in good}
            is_good = going.progress is Progress.COMPLETE
            assert not (is_good and is_the_last), f"{snapshot_id} is the last that {digest} left"


def _digests(state: State) -> set[str]:
    return {side.digest for side in (state.blue, state.green) if side.digest}
