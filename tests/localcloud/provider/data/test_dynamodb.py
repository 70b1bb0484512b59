import json
from typing import Any

import pytest

from localcloud.provider.errors import ApiRefused, ProviderError

TABLE = "aws:dynamodb/table:Table"
ITEM = "aws:dynamodb/tableItem:TableItem"
GET_ITEM = "aws:dynamodb/getTableItem:getTableItem"
GET_TABLES = "aws:dynamodb/getTables:getTables"
INPUTS = {
    "billingMode": "PAY_PER_REQUEST",
    "hashKey": "pk",
    "rangeKey": "sk",
    "attributes": [{"name": "pk", "type": "S"}, {"name": "sk", "type": "S"}],
    "pointInTimeRecovery": {"enabled": True},
    "serverSideEncryption": {"enabled": True},
    "deletionProtectionEnabled": True,
    "tags": {"Team": "shop"},
}
KEY = {"pk": {"S": "environment"}, "sk": {"S": "state"}}


def item(**more: Any) -> str:
    return json.dumps({**KEY, **more})


@pytest.fixture
def table(engine: Any) -> Any:
    return engine.create(TABLE, {**INPUTS, "deletionProtectionEnabled": False}, name="ledger")


def test_a_table_changes_in_place(engine: Any) -> None:
    table = engine.create(TABLE, INPUTS)
    assert table.outputs["arn"] == f"arn:aws:dynamodb:eu-west-1:123456789012:table/{table.id}"
    told = table.imported()
    assert told["pointInTimeRecovery"] == {"enabled": True, "recoveryPeriodInDays": 35}
    assert told["serverSideEncryption"]["enabled"] is True
    assert {**INPUTS, **told} == told
    with pytest.raises(ApiRefused, match="DeletionProtectionEnabled"):
        table.delete()
    table.update(deletionProtectionEnabled=False, tags={"Team": "till"})
    table.update(pointInTimeRecovery={"enabled": True, "recoveryPeriodInDays": 7}, serverSideEncryption=None)
    table.update(pointInTimeRecovery=None, serverSideEncryption={"enabled": True})
    table.update(ttl={"attributeName": "expires", "enabled": True})
    table.update(ttl={"attributeName": "ends", "enabled": True})
    table.update(ttl=None)
    table.update(billingMode="PROVISIONED", readCapacity=2, writeCapacity=3)
    table.update(streamEnabled=True, streamViewType="NEW_IMAGE")
    assert table.outputs["streamArn"].startswith(table.outputs["arn"])
    table.update(streamEnabled=None, streamViewType=None)
    table.delete()


def test_another_key_needs_another_table(table: Any) -> None:
    attributes = [{"name": "pk", "type": "S"}]
    assert table.diff(rangeKey=None, attributes=attributes).replaces == ("attributes", "rangeKey")


def test_a_table_changed_behind_our_back_is_seen(engine: Any, table: Any) -> None:
    setting = {"PointInTimeRecoveryEnabled": False}
    engine.api.call(
        "dynamodb", "update_continuous_backups", TableName=table.id, PointInTimeRecoverySpecification=setting
    )
    engine.api.call("dynamodb", "update_table", TableName=table.id, SSESpecification={"Enabled": False})
    engine.api.call("dynamodb", "update_table", TableName=table.id, DeletionProtectionEnabled=True)
    seen = table.refresh()
    assert seen["pointInTimeRecovery"] == {"enabled": False}
    assert seen["serverSideEncryption"] == {"enabled": False}
    assert seen["deletionProtectionEnabled"] is True


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("name", "a b", "name must be 3 to 255 letters"),
        ("billingMode", "FREE", "billingMode must be one of PROVISIONED, PAY_PER_REQUEST, got 'FREE'"),
        ("readCapacity", 5, "readCapacity must not be given with billingMode PAY_PER_REQUEST, got 5"),
        ("attributes", [{"name": "pk", "type": "S"}], "attributes must declare the key 'sk'"),
        ("globalSecondaryIndexes", [], "does not apply property globalSecondaryIndexes"),
        ("ttl", {"enabled": True, "attributeName": ""}, "ttl.attributeName must name an attribute"),
        ("streamEnabled", True, "streamViewType must be one of KEYS_ONLY"),
    ],
)
def test_what_dynamodb_refuses_of_a_table(engine: Any, name: str, value: Any, reason: str) -> None:
    assert reason in " ".join(engine.refusals(TABLE, {**INPUTS, name: value}).values())


def test_an_item_changes_in_place_and_keeps_what_others_added(engine: Any, table: Any) -> None:
    keys = {"tableName": table.id, "hashKey": "pk", "rangeKey": "sk"}
    seed = engine.create(ITEM, {**keys, "item": item(state={"S": "{}"}, old={"N": "1"}, raw={"B": "AAEC"})})
    assert seed.id == f"{table.id}|pk|environment|sk|state"
    assert (seed.outputs["hashKeyValue"], seed.outputs["rangeKeyValue"]) == ("environment", "state")
    assert seed.imported() == {**keys, "item": seed.imported()["item"]}
    engine.api.call(
        "dynamodb",
        "update_item",
        TableName=table.id,
        Key=KEY,
        UpdateExpression="SET lease = :lease",
        ExpressionAttributeValues={":lease": {"S": "mine"}},
    )
    seed.assert_unchanged()
    seed.update(item=item(state={"S": "{1}"}))
    answer = engine.lookup(GET_ITEM, tableName=table.id, key=json.dumps(KEY))
    assert json.loads(answer["item"]) == {**KEY, "state": {"S": "{1}"}, "lease": {"S": "mine"}}
    seed.update(item=json.dumps({**KEY, "sk": {"S": "other"}}))
    with pytest.raises(ProviderError, match="has no item"):
        engine.lookup(GET_ITEM, tableName=table.id, key=json.dumps(KEY))
    seed.delete()


def test_an_item_written_by_somebody_else_is_seen(engine: Any, table: Any) -> None:
    inputs = {"tableName": table.id, "hashKey": "pk", "rangeKey": "sk", "item": item(state={"S": "{}"})}
    seed = engine.create(ITEM, inputs)
    engine.api.call(
        "dynamodb", "put_item", TableName=table.id, Item={**KEY, "state": {"S": "{2}"}, "lease": {"S": "x"}}
    )
    assert json.loads(seed.refresh()["item"]) == {**KEY, "state": {"S": "{2}"}}
    engine.api.call("dynamodb", "delete_item", TableName=table.id, Key=KEY)
    assert seed.refresh() is None


def test_an_item_that_is_there_is_never_overwritten(engine: Any, table: Any) -> None:
    inputs = {"tableName": table.id, "hashKey": "pk", "rangeKey": "sk", "item": item(state={"S": "{}"})}
    engine.create(ITEM, inputs)
    with pytest.raises(ApiRefused, match="ConditionalCheckFailed"):
        engine.create(ITEM, {**inputs, "item": item(state={"S": "{new}"})})


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("nope", "no JSON"),
        (json.dumps({"pk": "environment", "sk": {"S": "x"}}), "item.pk must be an object with one key of S, N, B"),
        (json.dumps({"pk": {"S": "environment"}}), "item must have the key 'sk' that rangeKey names"),
    ],
)
def test_an_item_that_is_malformed_is_refused(engine: Any, document: str, reason: str) -> None:
    inputs = {"tableName": "t", "hashKey": "pk", "rangeKey": "sk", "item": document}
    assert reason in engine.refusals(ITEM, inputs)["item"]


def test_lookups_find_tables_and_say_what_is_missing(engine: Any, table: Any) -> None:
    assert table.id in engine.lookup(GET_TABLES)["names"]
    with pytest.raises(ProviderError, match=r"has no item pk\|environment\|sk\|state"):
        engine.lookup(GET_ITEM, tableName=table.id, key=json.dumps(KEY))
    with pytest.raises(ProviderError, match="key must be an item in DynamoDB's JSON"):
        engine.lookup(GET_ITEM, tableName=table.id, key="environment")
    with pytest.raises(ApiRefused, match="ResourceNotFound"):
        engine.lookup(GET_ITEM, tableName="absent", key=json.dumps(KEY))
