import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def dynamodb(api_url: str) -> Iterator[Any]:
    client = boto3.client(
        "dynamodb",
        endpoint_url=api_url,
        region_name="eu-west-1",
        aws_access_key_id="embedded",
        aws_secret_access_key="embedded",
    )
    client.create_table(
        TableName="races",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # so that threads get in each other's way
    yield client
    sys.setswitchinterval(usual)
    client.delete_table(TableName="races")


def test_a_transaction_that_fails_undoes_nothing_of_others(dynamodb: Any) -> None:
    """Each puts an item of its own, and every second transaction fails."""
    for number in range(200):  # moto copies the table at the start of each: with some items that takes a moment
        dynamodb.put_item(TableName="races", Item={"pk": {"S": f"ballast-{number}"}})

    def write(number: int) -> bool:
        condition = "attribute_not_exists(pk)" if number % 2 else "attribute_exists(pk)"
        put = {"TableName": "races", "Item": {"pk": {"S": f"item-{number}"}}, "ConditionExpression": condition}
        try:
            dynamodb.transact_write_items(TransactItems=[{"Put": put}])
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        written = sum(pool.map(write, range(40)))
    assert written == 20
    assert dynamodb.scan(TableName="races")["Count"] == 200 + written


def test_of_many_that_count_none_is_lost(dynamodb: Any) -> None:
    def count(_: int) -> None:
        dynamodb.update_item(
            TableName="races",
            Key={"pk": {"S": "counter"}},
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, range(40)))
    found = dynamodb.get_item(TableName="races", Key={"pk": {"S": "counter"}})
    assert found["Item"]["n"] == {"N": "40"}
