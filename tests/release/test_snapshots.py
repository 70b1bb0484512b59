"""Which snapshots a release finds to be too many."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.ledger import Colour, Side, State
from release.snapshots import NOTHING, Progress, Snapshot, Surplus, Versions, foreseen, surplus, versions_of
from release_world import LIVE, NEXT
from snapshot_world import made
from volume_world import moving

OLD, OTHER = "sha256:" + "c" * 64, "sha256:" + "d" * 64
FORTH = Versions(live=NEXT, before=LIVE)
PENDING, BROKEN, COMPLETE = Progress.PENDING, Progress.BROKEN, Progress.COMPLETE


def ids(found: Surplus) -> list[str]:
    return [each.snapshot_id for each in found.snapshots]


def row(*written_by: str) -> list[Snapshot]:
    """Complete ones, the oldest first."""
    return [made(number, digest) for number, digest in enumerate(written_by, 1)]


def test_the_oldest_go_and_the_newest_stay_whatever_order_they_are_told_in() -> None:
    found = row(OLD, OLD, OTHER, OTHER, LIVE)
    assert ids(surplus(found, 2, FORTH)) == ["old-1", "old-2", "old-3"]
    assert ids(surplus(reversed(found), 2, FORTH)) == ["old-1", "old-2", "old-3"]


def test_of_those_that_were_made_at_one_moment_none_is_taken_for_the_older() -> None:
    """Nobody knows which one is; EC2 gives milliseconds, the embedded cloud seconds."""
    at_once = [replace(each, started_at=made(9).started_at) for each in row(OLD, OTHER, LIVE)]
    for latest in at_once:
        assert surplus(at_once, 1, FORTH, latest.release_id) == NOTHING
        found = surplus([made(0, OTHER), *at_once], 1, FORTH, latest.release_id)
        assert (ids(found), found.held_back) == (["old-0"], "")


@pytest.mark.parametrize("kept", [5, 6, 1000])
def test_of_no_more_than_are_to_stay_none_goes(kept: int) -> None:
    assert surplus(row(OLD, OLD, OTHER, OTHER, LIVE), kept, FORTH) == NOTHING


def test_the_only_one_stays_and_where_none_are_to_be_deleted_all_do() -> None:
    assert surplus(row(LIVE), 1, FORTH) == NOTHING
    assert surplus([], 1, FORTH) == NOTHING
    assert surplus(row(OLD, OTHER, LIVE), 0, FORTH) == NOTHING


def test_a_rollback_does_not_push_out_what_its_version_had_left_before() -> None:
    """r-1 from LIVE to NEXT, r-2 back: whoever finds the data spoilt by NEXT wants the first of the two."""
    back = Versions(live=LIVE, before=NEXT)
    assert surplus(row(LIVE, NEXT), 1, back) == NOTHING
    assert ids(surplus(row(OLD, LIVE, OTHER, LIVE, NEXT), 1, back)) == ["old-1", "old-2", "old-3"]


@pytest.mark.parametrize("state", [PENDING, BROKEN])
def test_while_the_newest_is_not_complete_all_stay_and_it_is_said_why(state: Progress) -> None:
    found = surplus([*row(OLD, OLD, OTHER), made(4, LIVE, state)], 2, FORTH, "r-old-4")
    assert ids(found) == ["old-1"]
    assert found.held_back == f"old-4, the newest, is in state {state}"


def test_one_that_ec2_is_still_at_stays_and_does_not_count() -> None:
    found = [made(1, OLD, PENDING), made(2, OLD), made(3, OLD, PENDING), made(4, LIVE)]
    assert surplus(found, 2, FORTH) == NOTHING
    assert ids(surplus(found, 1, FORTH)) == ["old-2"]


def test_one_that_broke_does_not_count_and_goes_with_those_of_its_age() -> None:
    found = [made(1, OLD, BROKEN), made(2, OLD), made(3, OLD, BROKEN), made(4, LIVE)]
    assert ids(surplus(found, 2, FORTH)) == ["old-1"]
    assert ids(surplus(found, 1, FORTH)) == ["old-1", "old-2", "old-3"]


def test_a_version_is_left_its_last_complete_one_and_no_broken_one() -> None:
    found = [made(1, NEXT), made(2, NEXT, BROKEN), made(3, OLD), made(4, LIVE)]
    assert ids(surplus(found, 1, FORTH)) == ["old-2", "old-3"]


def test_after_a_release_that_was_taken_back_none_goes() -> None:
    """Its snapshot is of the version that is live again."""
    assert surplus(row(OLD, OLD, NEXT), 1, FORTH) == NOTHING


def test_a_release_whose_snapshot_is_not_to_be_seen_deletes_none() -> None:
    found = surplus(row(OLD, OLD, LIVE), 1, FORTH, "r-9")
    assert found.held_back == "EC2 does not show the snapshot of r-9"


def test_snapshots_from_before_anybody_noted_who_wrote_them_go_by_age_after_a_release() -> None:
    found = row("", "", "", LIVE)
    assert ids(surplus(found, 2, FORTH, "r-old-4")) == ["old-1", "old-2"]
    assert surplus(row("", "", ""), 2, FORTH) == NOTHING, "nobody knows whether the last release ended well"


def test_a_plan_foresees_what_its_release_then_finds() -> None:
    state = State.first(LIVE, 1)
    plan = moving(snapshots_kept=2)
    found = row(OLD, OTHER, OLD)
    told = foreseen(found, plan, state)
    assert ids(told) == ["old-1", "old-2"]
    done = replace(
        state,
        live=Colour.GREEN,
        blue=Side(digest=LIVE, capacity=0, weight=0),
        green=Side(digest=NEXT, capacity=1, weight=100),
    )
    then = surplus([*found, made(4, LIVE)], 2, versions_of(done), "r-old-4")
    assert then == told


def test_the_versions_are_those_that_a_rollback_goes_between() -> None:
    assert versions_of(State.first(LIVE, 1)) == Versions(live=LIVE, before="")
    assert versions_of(State.initial()) == Versions(live="", before="")


SHELVES = st.lists(st.tuples(st.sampled_from(["", LIVE, NEXT, OLD, OTHER]), st.sampled_from(Progress)), max_size=12)


@given(SHELVES, st.integers(0, 5), st.sampled_from([FORTH, Versions(live=LIVE, before=NEXT)]), st.booleans())
def test_whatever_there_is_enough_good_ones_stay(
    about: list[tuple[str, Progress]], kept: int, versions: Versions, is_after: bool
) -> None:
    found = [made(number, *each) for number, each in enumerate(about, 1)]
    told = surplus(found, kept, versions, found[-1].release_id if is_after and found else "")
    stay = [each for each in found if each not in told.snapshots]
    good = [each for each in found if each.progress is COMPLETE]
    assert not kept or good[-kept:] == [each for each in stay if each in good[-kept:]]
    assert kept or told == NOTHING
    assert found[-1:] == stay[-1:]
    assert all(each in stay for each in found if each.progress is PENDING)
    for digest in (versions.live, versions.before):
        assert [each for each in good if each.written_by == digest][-1:] == [
            each for each in stay if each.written_by == digest and each in good
        ][-1:]
    if told.snapshots and not told.held_back:
        assert found[-1].progress is COMPLETE
        rest = [each for each in stay if each in good]
        assert len(rest) <= kept + 2
        assert surplus(stay, kept, versions, found[-1].release_id) == NOTHING, "what is done is done"
