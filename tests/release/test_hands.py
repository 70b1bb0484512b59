"""Marks of what was done by hand: beside the ledger's state, and never in a release's way."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from release.adapters.dynamodb import LedgerTable
from release.adapters.dynamodb_hands import HandTable
from release.adapters.dynamodb_lock import LockTable
from release.adapters.elbv2 import TargetHealth
from release.errors import LedgerError
from release.hands import Act, Mark, mark_of, standing
from release.history import entry_for
from release.ledger import Colour, State
from release.ledger_text import dump
from release_world import ROUTES, START

KEY = {"pk": {"S": "environment"}, "sk": {"S": "state"}}
SERVERS = {Colour.BLUE: frozenset({"i-1", "i-2"}), Colour.GREEN: frozenset({"i-3"})}


def mark(instance: str = "i-1", act: Act = Act.STOP, after: float = 0, *command: str) -> Mark:
    return Mark.of(act, instance, Colour.BLUE, command, by="ann", at=START + timedelta(seconds=after))


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "testing")
        yield boto3.client("dynamodb", region_name="eu-west-1")


@pytest.fixture
def table(dynamodb: Any) -> Iterator[tuple[Any, LedgerTable]]:
    """A ledger as the program leaves it."""
    dynamodb.create_table(
        TableName="ledger-1",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    first = {**KEY, "state": {"S": dump(State.initial())}, "version": {"N": "1"}}
    dynamodb.put_item(TableName="ledger-1", Item=first)
    yield dynamodb, LedgerTable(dynamodb, "ledger-1")
    dynamodb.delete_table(TableName="ledger-1")


def test_of_a_command_the_programs_name_is_kept_and_nothing_else() -> None:
    made = mark("i-1", Act.EXEC, 0, "/usr/bin/mysql", "--password=hunter2", "TOKEN=x")
    assert made.program == "mysql"
    assert "hunter2" not in made.as_json()
    assert "TOKEN" not in made.as_json()


def test_what_is_written_is_read() -> None:
    made = mark("i-1", Act.EXEC, 0, "sh")
    assert mark_of(made.as_json()) == made


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": 2}, "the mark has format 2, and this Teal knows format 1 alone"),
        ({"act": "dance"}, "mark.act must be one of exec, stop, kill, got 'dance'"),
        ({"colour": "red"}, "mark.colour must be one of blue, green"),
        ({"at": "2026-11-23T12:00:00"}, "at must carry a time zone"),
        ({"argv": "x"}, "unknown: argv"),
    ],
)
def test_what_can_not_be_is_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(LedgerError, match=told):
        mark_of(json.dumps({**json.loads(mark().as_json()), **change}))


def test_a_server_that_is_gone_needs_no_mark_and_a_new_one_has_none() -> None:
    marks = [mark("i-1"), mark("i-2", Act.KILL, 5), mark("i-1", Act.EXEC, 9, "sh"), mark("i-gone")]
    first, second = standing(marks, SERVERS)
    assert (first.instance, first.last.act, first.times) == ("i-2", Act.KILL, 1)
    assert (second.instance, second.last.did, second.times) == ("i-1", "exec sh", 2)
    assert standing(marks, {Colour.BLUE: frozenset(), Colour.GREEN: frozenset({"i-new"})}) == ()


def test_the_remark_says_what_replaces_the_server() -> None:
    [touched] = standing([mark("i-1", Act.EXEC, 0, "sh"), mark("i-1", Act.EXEC, 1, "sh")], SERVERS)
    assert touched.remark("dev") == (
        "blue i-1 was touched by hand (exec sh by ann at 2026-11-23T12:00:01+00:00, 2 times by now): "
        "`teal release start dev --phoenix` replaces it"
    )


def test_marks_come_back_in_the_order_of_time(table: tuple[Any, LedgerTable]) -> None:
    hands = HandTable(*table)
    late, early = mark("i-2", after=3600), mark("i-1")
    hands.write(late)
    hands.write(early)
    hands.write(early)  # a call whose answer got lost is made again
    assert hands.read() == [early, late]


def test_two_marks_of_one_moment_are_two(table: tuple[Any, LedgerTable]) -> None:
    hands = HandTable(*table)
    hands.write(mark())
    hands.write(mark())
    assert len(hands.read()) == 2


def test_a_release_in_flight_does_not_notice(table: tuple[Any, LedgerTable]) -> None:
    """Neither its lock nor its version is touched: what it writes next goes through."""
    client, ledger = table
    lock = LockTable(client, ledger, lambda: START).acquire("ann", "release")
    before = ledger.read()
    HandTable(client, ledger).write(mark())
    assert ledger.read() == before
    following = replace(before, version=before.version + 1)
    entry = entry_for(following, "STARTED", "PREPARING", "", at=START, by="ann", release_id="r-1")
    ledger.record(following, entry, lock.token)
    assert [each.version for each in ledger.history()] == [2]


def test_the_servers_are_the_groups_targets_but_for_those_on_their_way_out() -> None:
    class Elbv2:
        meta = None

        def describe_listeners(self, **_: Any) -> Any: ...
        def modify_listener(self, **_: Any) -> Any: ...
        def describe_target_health(self, **arguments: Any) -> Any:
            states = {"arn:blue": ("healthy", "draining"), "arn:green": ("unhealthy",)}[arguments["TargetGroupArn"]]
            colour = arguments["TargetGroupArn"].removeprefix("arn:")
            found = [{"Target": {"Id": f"i-{colour}-{state}"}, "TargetHealth": {"State": state}} for state in states]
            return {"TargetHealthDescriptions": found}

    health = TargetHealth(Elbv2(), ROUTES)
    assert health.servers() == {
        Colour.BLUE: frozenset({"i-blue-healthy"}),
        Colour.GREEN: frozenset({"i-green-unhealthy"}),
    }
    assert health.healthy() == {Colour.BLUE: 1, Colour.GREEN: 0}


def test_the_keys_sort_by_time_whatever_the_zone() -> None:
    at = datetime.fromisoformat
    early = replace(mark(), at=at("2026-11-23T12:30:00+02:00"))
    late = replace(mark(), at=at("2026-11-23T11:00:00+00:00"))
    assert early.sort_key < late.sort_key
