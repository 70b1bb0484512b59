import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from release.adapters.dynamodb import LedgerTable
from release.errors import LedgerConflict, LedgerError, LedgerMissing
from release.ledger import State, dump, item, state_of_item

DIGEST = "sha256:" + "a" * 64
KEY = {"pk": {"S": "environment"}, "sk": {"S": "state"}}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Any]]:
    """Clients of SSM and DynamoDB in an empty account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("ssm", region_name="eu-west-1"), boto3.client("dynamodb", region_name="eu-west-1")


@pytest.fixture
def table(cloud: tuple[Any, Any]) -> LedgerTable:
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
    return LedgerTable.find(ssm, dynamodb, "dev")


def test_the_pointer_leads_to_the_state(table: LedgerTable) -> None:
    assert table.table_name == "ledger-1"
    assert table.read() == State.initial()


def test_an_environment_without_a_pointer_has_no_ledger(cloud: tuple[Any, Any]) -> None:
    with pytest.raises(LedgerMissing, match="qa has no ledger: parameter /teal/qa/ledger is not there yet"):
        LedgerTable.find(*cloud, "qa")


def test_what_is_written_is_read(table: LedgerTable) -> None:
    state = replace(State.first(DIGEST, 2), version=2)
    table.write(state, expected_version=1)
    assert table.read() == state


def test_a_written_item_is_the_one_that_the_program_seeds(table: LedgerTable, cloud: tuple[Any, Any]) -> None:
    state = replace(State.first(DIGEST, 2), version=2)
    table.write(state, expected_version=1)
    stored = cloud[1].get_item(TableName="ledger-1", Key=KEY)["Item"]
    assert stored == json.loads(item(state))
    assert state_of_item(json.dumps(stored)) == state


def test_of_two_writers_the_second_is_told_and_changes_nothing(table: LedgerTable) -> None:
    won = replace(State.first(DIGEST, 2), version=2)
    table.write(won, expected_version=1)
    with pytest.raises(LedgerConflict, match="table ledger-1 is no longer at version 1: read it again"):
        table.write(replace(State.first(DIGEST, 3), version=2), expected_version=1)
    assert table.read() == won


def test_a_version_follows_the_one_before(table: LedgerTable) -> None:
    with pytest.raises(ValueError, match="version must be 2 after 1, got 3"):
        table.write(replace(State.initial(), version=3), expected_version=1)


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
        LedgerTable(cloud[1], "no-such-table").write(replace(State.initial(), version=2), expected_version=1)
