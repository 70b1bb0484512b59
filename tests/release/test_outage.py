from datetime import timedelta

import pytest

from release.history import Entry
from release.ledger import Colour
from release.outage import Outage, expected
from release_world import START

GUESS = timedelta(seconds=120)


def history(*events: tuple[str, str, float]) -> list[Entry]:
    """Entries of (release, event, seconds from the start)."""
    return [
        Entry(
            version=version, at=START + timedelta(seconds=seconds), by="ann", release_id=release, event=event,
            phase="", weights=dict.fromkeys(Colour, 50), why="",
        )
        for version, (release, event, seconds) in enumerate(events, 1)
    ]  # fmt: skip


THROUGH = (("r-1", "GAP_BEGUN", 10), ("r-1", "SNAPSHOT_MADE", 20), ("r-1", "IDLE_VERIFIED", 51.5))


def test_the_gap_is_as_long_as_the_last_one() -> None:
    again = tuple((f"r-2{event}"[:3], event, 2 * seconds + 1000) for _, event, seconds in THROUGH)
    assert expected(history(*THROUGH), GUESS) == Outage(seconds=41.5, measured_by="r-1")
    assert expected(history(*THROUGH, *again), GUESS) == Outage(seconds=83.0, measured_by="r-2")


@pytest.mark.parametrize(
    "events",
    [
        (),
        (("r-1", "STARTED", 1), ("r-1", "IDLE_VERIFIED", 2)),
        (("r-1", "GAP_BEGUN", 10), ("r-1", "FAILED", 20), ("r-1", "LIVE_RESTORED", 90)),
        (("r-1", "GAP_BEGUN", 10), ("r-1", "TAKEN_BACK", 20), ("r-2", "IDLE_VERIFIED", 90)),
        (("r-1", "GAP_BEGUN", 10), ("r-1", "PAUSED", 20), ("r-1", "RESUMED", 3600), ("r-1", "IDLE_VERIFIED", 3620)),
    ],
    ids=["none", "without a volume", "failed", "aborted", "paused"],
)
def test_without_one_that_got_through_it_is_a_guess(events: tuple[tuple[str, str, float], ...]) -> None:
    assert expected(history(*events), GUESS) == Outage(seconds=120.0, measured_by="")


def test_one_that_failed_afterwards_leaves_the_one_before() -> None:
    failed = (("r-2", "GAP_BEGUN", 100), ("r-2", "FAILED", 105))
    assert expected(history(*THROUGH, *failed), GUESS).measured_by == "r-1"
