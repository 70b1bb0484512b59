"""Deletes snapshots that have had their time, before or after a release, and never at its cost.

What goes is decided anew each time, from what EC2 shows, and is in the history before it goes. So a crash at any point
leaves snapshots that the next release deletes, and nothing else.
"""

from collections.abc import Callable, Sequence

from release.errors import LockLost, SnapshotStays, SnapshotsUnread
from release.keeping import API_IS_AWAY
from release.ledger import Plan
from release.ports import Clock, Lock, Snapshots
from release.snapshots import Snapshot, Versions, surplus

TIDYING, UNTIDY = "TIDYING", "UNTIDY"
"""Words of the history: these snapshots go now; they were to go, and stay until the next release."""
MOST_AT_ONCE = 20
"""Snapshots that go at a time. Whoever has hundreds of them, from before anybody deleted any, is rid of them later."""
MOST_SECONDS = 15.0
"""After so long the rest is left for the next release."""

Tell = Callable[[str, str], bool]
"""Puts a word and why into the history; False where it could not: then only what goes wrong is shown."""


class Tidier:
    """Deletes what a release finds to be too much. Raises nothing that is foreseen: what goes wrong is told."""

    def __init__(self, snapshots: Snapshots, lock: Lock, clock: Clock, tell: Tell) -> None:
        self._snapshots, self._lock, self._clock, self._tell = snapshots, lock, clock, tell

    def before(self, plan: Plan, versions: Versions) -> None:
        """Before a release: what the last one left, where its snapshot took longer than itself.

        Else a volume whose snapshots are always slower than its releases would never lose one. Says nothing where
        nothing can be done: that comes at the end.
        """
        try:
            found = surplus(self._snapshots.of_releases(), plan.snapshots_kept, versions)
        except SnapshotsUnread:
            return
        if found.snapshots and not found.held_back:
            self._delete(found.snapshots, plan)

    def after(self, plan: Plan, versions: Versions, release_id: str) -> None:
        """After a release that has ended well."""
        try:
            found = surplus(self._snapshots.of_releases(), plan.snapshots_kept, versions, release_id)
        except SnapshotsUnread as error:
            self._tell(UNTIDY, f"old snapshots of {plan.data_volume} stay until the next release: {error}")
            return
        if found.held_back:
            self._tell(UNTIDY, f"{_named(found.snapshots)} stay until the next release: {found.held_back}")
        elif found.snapshots:
            self._delete(found.snapshots, plan)

    def _delete(self, surplus_ones: Sequence[Snapshot], plan: Plan) -> None:
        going = surplus_ones[:MOST_AT_ONCE]
        if not self._tell(TIDYING, f"{_named(going)} go: {plan.data_volume} keeps {plan.snapshots_kept}"):
            self._tell(UNTIDY, f"{_named(going)} stay until the next release: the history can not be written")
            return
        ends = self._clock.monotonic() + MOST_SECONDS
        problems = list[str]()
        for each in going:
            try:
                self._check_time(ends)
                self._lock.renew()
                self._snapshots.delete(each.snapshot_id)
            except SnapshotStays as error:
                problems.append(str(error))
            except (LockLost, _NoTime, *API_IS_AWAY) as error:
                problems.append(f"{each.snapshot_id} and all after it were left: {error}")
                break
        if problems:
            more = f" (and {len(problems) - 1} more like it)" if len(problems) > 1 else ""
            self._tell(UNTIDY, f"the next release tries again: {problems[0]}{more}")

    def _check_time(self, ends: float) -> None:
        if self._clock.is_pause_wanted:
            raise _NoTime("Ctrl-C")
        if self._clock.monotonic() >= ends:
            raise _NoTime(f"it took longer than {MOST_SECONDS:g} s")


class _NoTime(Exception):
    """The rest has to wait."""


def _named(snapshots: Sequence[Snapshot]) -> str:
    named = ", ".join(each.snapshot_id for each in snapshots[:MOST_AT_ONCE])
    more = len(snapshots) - MOST_AT_ONCE
    return f"{named} and {more} more" if more > 0 else named
