"""Whose a volume of a killed cloud is: the same owner's, once, and nobody else's."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from localcloud.left import Disk, Left, Record

NOON = datetime(2026, 11, 23, 12)  # as moto has it
TAGS = {"Project": "teal", "Environment": "dev", "Name": "data-volume"}


def volume(name: str = "vol-01", minutes: int = 0, **changes: Any) -> Record:
    known: dict[str, Any] = {
        "id": name, "account": "1", "region": "eu-west-1", "zone": "eu-west-1a", "size_gib": 8, "tags": TAGS,
        "created": NOON + timedelta(minutes=minutes),
    }  # fmt: skip
    return Record(**{**known, **changes})


def left(*records: Record) -> Left:
    made = Left()
    made.begin(records)
    return made


def test_a_new_volume_of_the_same_owner_takes_it_over_whatever_its_size_and_other_tags() -> None:
    there = left(volume())
    assert there.claim(volume("vol-02", size_gib=16, tags={**TAGS, "Team": "shop"})) == volume()
    assert there.records() == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": {**TAGS, "Environment": "qa"}},
        {"tags": {**TAGS, "Name": "other-volume"}},
        {"tags": {**TAGS, "Project": "other"}},
        {"zone": "eu-west-1b"},
        {"region": "eu-west-2"},
        {"account": "2"},
        {"source": "snap-01"},
        {"tags": {}},
    ],
)
def test_nobody_else_does(changes: dict[str, Any]) -> None:
    there = left(volume())
    assert there.claim(volume("vol-02", **changes)) is None
    assert there.records() == (volume(),)


@pytest.mark.parametrize("tags", [{}, {"Name": "data"}, {"Environment": "dev"}, {"Environment": "", "Name": ""}])
def test_what_has_no_owner_goes_to_nobody(tags: dict[str, str]) -> None:
    there = left(volume(tags=tags))
    assert there.claim(volume("vol-02", tags=tags)) is None


def test_of_two_the_later_one_is_meant_and_the_other_stays_for_good() -> None:
    there = left(volume("vol-01"), volume("vol-02", minutes=1), volume("vol-03", minutes=-1))
    assert there.claim(volume("vol-04")) == volume("vol-02", minutes=1)
    assert there.claim(volume("vol-05")) is None, "a stack that replaces its volume wants a blank one"
    assert {record.id for record in there.records()} == {"vol-01", "vol-03"}


def test_what_was_taken_over_and_never_used_is_given_back_and_claimed_again() -> None:
    there = left(volume())
    assert there.claim(volume("vol-02"))
    assert there.give_back("vol-01") == volume()
    assert there.records() == (volume(),)
    assert there.claim(volume("vol-03")) == volume()


def test_what_a_server_has_had_is_given_back_no_more() -> None:
    there = left(volume())
    assert there.claim(volume("vol-02"))
    there.used("vol-01")
    assert there.give_back("vol-01") is None
    assert there.records() == ()


def test_what_is_deleted_or_tagged_anew_is_so_for_those_who_claim() -> None:
    there = left(volume("vol-01"), volume("vol-02", minutes=1))
    there.forget("vol-02")
    there.change(volume("vol-01", tags={**TAGS, "Environment": "qa"}))
    there.change(volume("vol-09"))
    assert there.claim(volume("vol-03")) is None
    claimed = there.claim(volume("vol-03", tags={**TAGS, "Environment": "qa"}))
    assert claimed
    assert claimed.id == "vol-01"


def test_snapshots_are_nobodys_to_claim() -> None:
    assert left(volume("snap-01")).records() == ()


def test_people_are_told_whose_it_was() -> None:
    assert str(Disk.of(volume())) == "vol-01 (dev data-volume), eu-west-1a, 8 GiB"
    assert str(Disk("snap-01")) == "snap-01 (of nobody that is known)"
