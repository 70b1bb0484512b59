import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from localcloud.api import gaps_dynamodb
from release.adapters.dynamodb import LedgerTable, unhindered
from release.adapters.dynamodb_lock import FRESH, TAKE_OVERS, TERM, HeldLock, LockTable
from release.errors import LedgerConflict, LedgerError, LedgerMissing, LockHeld, LockLost
from release.history import Entry, entry_for
from release.ledger import State
from release.ledger_text import dump, item, state_of_item
from release_world import NEXT, START, flight

DIGEST = "sha256:" + "a" * 64
KEY = {"pk": {"S": "environment"}, "sk": {"S": "state"}}


@pytest.fixture(scope="module")
def cloud() -> Iterator[tuple[Any, Any]]:
    """Clients of SSM and DynamoDB in one account; moto by itself mixes up what threads write."""
    gaps_dynamodb.install()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.setenv(name, "testing")
        with mock_aws():
            yield boto3.client("ssm", region_name="eu-west-1"), boto3.client("dynamodb", region_name="eu-west-1")


@pytest.fixture
def table(cloud: tuple[Any, Any]) -> Iterator[LedgerTable]:
    """A ledger as the program leaves it: table, item, pointer."""
    ssm, dynamodb = cloud
    dynamodb.create_table(
        TableName="ledger-1",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    state = State.initial()
    dynamodb.put_item(TableName="ledger-1", Item={**KEY, "state": {"S": dump(state)}, "version": {"N": "1"}})
    ssm.put_parameter(Name="/teal/dev/ledger", Type="String", Value="ledger-1")
    yield LedgerTable.find(ssm, dynamodb, "dev")
    ssm.delete_parameter(Name="/teal/dev/ledger")
    dynamodb.delete_table(TableName="ledger-1")


def told(state: State, event: str = "STARTED") -> Entry:
    return entry_for(state, event, "PREPARING", "because", at=START, by="ann", release_id="r-1")


def write(table: LedgerTable, state: State, token: int | None = None) -> None:
    table.record(state, told(state), token)


def following(table: LedgerTable) -> State:
    before = table.read()
    return replace(before, version=before.version + 1)


class Time:
    """A clock to turn."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def locks(cloud: tuple[Any, Any], table: LedgerTable, time: Time) -> LockTable:
    return LockTable(cloud[1], table, time)


def test_the_pointer_leads_to_the_state(table: LedgerTable) -> None:
    assert table.table_name == "ledger-1"
    assert table.read() == State.initial()


def test_an_environment_without_a_pointer_has_no_ledger(cloud: tuple[Any, Any]) -> None:
    with pytest.raises(LedgerMissing, match="qa has no ledger: parameter /teal/qa/ledger is not there yet"):
        LedgerTable.find(*cloud, "qa")


def test_what_is_written_is_read(table: LedgerTable) -> None:
    state = replace(State.first(DIGEST, 2), version=2)
    write(table, state)
    assert table.read() == state


def test_a_written_item_is_the_one_that_the_program_seeds(table: LedgerTable, cloud: tuple[Any, Any]) -> None:
    state = replace(State.first(DIGEST, 2), version=2)
    write(table, state)
    stored = cloud[1].get_item(TableName="ledger-1", Key=KEY)["Item"]
    assert stored == json.loads(item(state))
    assert state_of_item(json.dumps(stored)) == state


def test_of_two_writers_the_second_is_told_and_changes_nothing(table: LedgerTable) -> None:
    won = replace(State.first(DIGEST, 2), version=2)
    write(table, won)
    with pytest.raises(LedgerConflict, match="table ledger-1 is no longer at version 1: read it again"):
        write(table, replace(State.first(DIGEST, 3), version=2))
    assert table.read() == won


def test_an_entry_is_of_its_states_version(table: LedgerTable) -> None:
    with pytest.raises(ValueError, match="entry must be of version 2, got 3"):
        table.record(replace(State.initial(), version=2), told(replace(State.initial(), version=3)), None)


def test_a_table_without_a_state_says_so(table: LedgerTable, cloud: tuple[Any, Any]) -> None:
    cloud[1].delete_item(TableName="ledger-1", Key=KEY)
    with pytest.raises(LedgerMissing, match="table ledger-1 holds no state"):
        table.read()


def test_a_state_without_its_text_says_so(table: LedgerTable, cloud: tuple[Any, Any]) -> None:
    cloud[1].put_item(TableName="ledger-1", Item=KEY)
    with pytest.raises(LedgerError, match="the state in table ledger-1 has no text in its attribute state"):
        table.read()


def test_any_other_trouble_of_awss_is_passed_on(cloud: tuple[Any, Any]) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        write(LedgerTable(cloud[1], "no-such-table"), replace(State.initial(), version=2))


def test_the_history_has_what_was_written_in_its_order(table: LedgerTable) -> None:
    assert table.history() == []
    entries = []
    for _ in range(12):  # past 9, where texts and numbers differ in order
        state = following(table)
        entries.append(told(state))
        table.record(state, entries[-1], None)
    assert table.history() == entries


def test_a_history_of_several_pages_is_read_whole(table: LedgerTable) -> None:
    class Paging:
        """A client that hands out one item a page."""

        def __init__(self, client: Any) -> None:
            self._client = client

        def __getattr__(self, name: str) -> Any:
            return getattr(self._client, name)

        def query(self, **arguments: Any) -> Any:
            return self._client.query(**arguments, Limit=1)

    for _ in range(3):
        write(table, following(table))
    assert len(LedgerTable(Paging(table._client), table.table_name).history()) == 3


def test_a_write_that_lost_leaves_no_entry(table: LedgerTable) -> None:
    write(table, following(table))
    with pytest.raises(LedgerConflict):
        write(table, replace(State.initial(), version=2))
    assert len(table.history()) == 1


def test_a_lock_has_one_holder_and_says_who(locks: LockTable) -> None:
    locks.acquire("ann", "release r-1")
    message = "ann has held it since 2026-11-23T12:00:00.00:00, to release r-1, until 2026-11-23T12:00:30"
    with pytest.raises(LockHeld, match=message):
        locks.acquire("bob", "release r-2")


def test_a_lock_that_was_let_go_is_free(locks: LockTable) -> None:
    first = locks.acquire("ann", "x")
    first.release()
    assert locks.holder() is None
    assert locks.acquire("bob", "y").token == first.token + 1


def test_a_lock_lasts_for_its_term_and_longer_if_renewed(locks: LockTable, time: Time) -> None:
    lock = locks.acquire("ann", "x")
    time.now += TERM - timedelta(seconds=1)
    lock.renew()
    time.now += TERM - timedelta(seconds=1)
    with pytest.raises(LockHeld):
        locks.acquire("bob", "y")
    time.now += timedelta(seconds=1)
    assert locks.acquire("bob", "y").token == lock.token + 1


def test_a_holder_frozen_past_its_term_can_write_nothing(table: LedgerTable, locks: LockTable, time: Time) -> None:
    frozen = locks.acquire("ann", "x")
    time.now += TERM
    fresh = locks.acquire("bob", "y")
    with pytest.raises(LockLost, match="bob has held it"):
        frozen.renew()
    with pytest.raises(LockLost, match="nothing was written"):
        write(table, following(table), frozen.token)
    frozen.release()
    fresh.renew()
    write(table, following(table), fresh.token)
    assert table.read().version == 2


def test_a_holder_whose_term_is_over_goes_on_if_nobody_came(locks: LockTable, time: Time) -> None:
    lock = locks.acquire("ann", "x")
    time.now += TERM * 2
    lock.renew()
    assert locks.holder() is not None


def test_a_lock_is_broken_with_a_reason_that_stays(table: LedgerTable, locks: LockTable) -> None:
    planned = replace(State.first(DIGEST, 2), version=2, release=flight())
    write(table, planned)
    mine = locks.acquire("ann", "release r-1")
    theirs = locks.take_over("bob", "take r-1 back (slow)")
    with pytest.raises(LockLost):
        mine.renew()
    theirs.renew()
    broken = table.history()[-1]
    assert (broken.event, broken.by, broken.release_id, broken.phase) == ("LOCK_BROKEN", "bob", "r-1", "PLANNED")
    assert broken.why.startswith("to take r-1 back (slow): ann has held it since")
    assert table.read() == replace(planned, version=3)


class BusyTable(LedgerTable):
    """A ledger that its engine writes right after each of the first reads."""

    def __init__(self, table: LedgerTable, dynamodb: Any, writes: int) -> None:
        super().__init__(dynamodb, table.table_name)
        self._quiet, self._writes = table, writes

    def read(self) -> State:
        state = super().read()
        if self._writes:
            self._writes -= 1
            write(self._quiet, replace(state, version=state.version + 1))
        return state


def test_a_lock_can_be_taken_over_from_an_engine_that_writes_all_the_time(
    cloud: tuple[Any, Any], table: LedgerTable, locks: LockTable
) -> None:
    locks.acquire("ann", "release x")
    busy = LockTable(cloud[1], BusyTable(table, cloud[1], writes=3), lambda: START)
    busy.take_over("bob", "take x back").renew()
    assert table.read().version == 5
    assert [entry.event for entry in table.history()] == ["STARTED"] * 3 + ["LOCK_BROKEN"]


def test_an_engine_that_never_stops_writing_keeps_its_lock(
    cloud: tuple[Any, Any], table: LedgerTable, locks: LockTable
) -> None:
    lock = locks.acquire("ann", "release x")
    busy = LockTable(cloud[1], BusyTable(table, cloud[1], writes=TAKE_OVERS), lambda: START)
    with pytest.raises(LedgerConflict):
        busy.take_over("bob", "take x back")
    lock.renew()


class Hindered:
    """A call that meets another one so many times."""

    def __init__(self, times: int, code: str = "TransactionConflict") -> None:
        self.times, self.code, self.made = times, code, 0

    def __call__(self) -> str:
        self.made += 1
        if self.made <= self.times:
            reasons = [{"Code": "None"}, {"Code": self.code}]
            told: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise ClientError(told, "TransactWriteItems")
        return "done"


def test_a_call_that_meets_others_is_made_again_with_growing_pauses() -> None:
    call, pauses = Hindered(5), list[float]()
    assert unhindered(call, pauses.append) == "done"
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8]


def test_a_call_that_always_meets_others_fails_in_the_end() -> None:
    call = Hindered(100)
    with pytest.raises(ClientError):
        unhindered(call, lambda _: None)
    assert call.made == 6


def test_a_call_that_was_refused_is_not_made_again() -> None:
    call = Hindered(100, code="ConditionalCheckFailed")
    with pytest.raises(ClientError):
        unhindered(call, lambda _: None)
    assert call.made == 1


def test_a_lock_that_was_got_without_hearing_so_is_got(cloud: tuple[Any, Any], table: LedgerTable) -> None:
    first = LockTable(cloud[1], table, lambda: START).acquire("ann", "release x")
    again = LockTable(cloud[1], table, lambda: START).acquire("ann", "release x")
    assert again.token == first.token + 1


def test_a_free_lock_needs_no_breaking(table: LedgerTable, locks: LockTable) -> None:
    locks.take_over("bob", "x").renew()
    assert table.history() == []


class SlowTime:
    """A clock that goes on by so much with every look at it."""

    def __init__(self, step: timedelta) -> None:
        self.now, self.step = START, step

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


def test_a_renewal_that_took_long_is_made_once_more(cloud: tuple[Any, Any], table: LedgerTable) -> None:
    time = SlowTime(FRESH)
    lock = LockTable(cloud[1], table, time).acquire("ann", "x")
    lock.renew()
    time.step = FRESH * 2
    with pytest.raises(LockLost, match="nobody can say whose the lock is: 5 renewals took more than 0:00:05 each"):
        lock.renew()


def race(count: int, run: Callable[[int], HeldLock | None]) -> list[HeldLock]:
    with ThreadPoolExecutor(count) as pool:
        return [won for won in pool.map(run, range(count)) if won]


def test_of_twenty_that_want_the_lock_one_gets_it(locks: LockTable) -> None:
    def run(number: int) -> HeldLock | None:
        try:
            return locks.acquire(f"engine {number}", "race")
        except LockHeld:
            return None

    assert len(race(20, run)) == 1


def test_of_twenty_that_break_it_the_last_one_has_it_and_all_are_told(table: LedgerTable, locks: LockTable) -> None:
    locks.acquire("ann", "x")

    def run(number: int) -> HeldLock | None:
        try:
            return locks.take_over(f"engine {number}", "race")
        except (LedgerConflict, LockLost):
            return None

    def is_held(lock: HeldLock) -> bool:
        try:
            lock.renew()
        except LockLost:
            return False
        return True

    won = race(20, run)
    assert sum(is_held(lock) for lock in won) == 1
    assert len(table.history()) >= len(won)


def test_of_twenty_that_write_a_version_one_does(table: LedgerTable) -> None:
    def run(number: int) -> str | None:
        state = replace(State.first(NEXT, number + 1), version=2)
        try:
            write(table, state)
        except LedgerConflict:
            return None
        return dump(state)

    with ThreadPoolExecutor(20) as pool:
        written = [text for text in pool.map(run, range(20)) if text]
    assert written == [dump(table.read())]
    assert len(table.history()) == 1
