"""The ledger in its DynamoDB table."""

import json
from typing import Any, Protocol

from botocore.exceptions import ClientError

from release.errors import LedgerConflict, LedgerError, LedgerMissing
from release.ledger import KEY, State, item, parse


class DynamoDb(Protocol):
    """What is used of boto3's DynamoDB client."""

    def get_item(self, **arguments: Any) -> Any:
        """Reads one item."""

    def put_item(self, **arguments: Any) -> Any:
        """Writes one item."""


class Ssm(Protocol):
    """What is used of boto3's SSM client."""

    def get_parameter(self, **arguments: Any) -> Any:
        """Reads one parameter."""


class LedgerTable:
    """Reads and writes the state of one environment."""

    def __init__(self, client: DynamoDb, table_name: str) -> None:
        self._client = client
        self.table_name = table_name

    @classmethod
    def find(cls, ssm: Ssm, client: DynamoDb, environment: str) -> "LedgerTable":
        """The ledger that /teal/<environment>/ledger points to. Raises LedgerMissing where there is no pointer."""
        name = f"/teal/{environment}/ledger"
        try:
            found = ssm.get_parameter(Name=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            raise LedgerMissing(f"{environment} has no ledger: parameter {name} is not there yet") from error
        return cls(client, found["Parameter"]["Value"])

    def read(self) -> State:
        """The state as last written. Raises LedgerMissing without an item, LedgerError for an item that can't be."""
        found = self._client.get_item(TableName=self.table_name, Key=json.loads(KEY), ConsistentRead=True)
        if "Item" not in found:
            raise LedgerMissing(f"table {self.table_name} holds no state")
        text = found["Item"].get("state", {}).get("S")
        if text is None:
            raise LedgerError(f"the state in table {self.table_name} has no text in its attribute state")
        return parse(text)

    def write(self, state: State, expected_version: int) -> None:
        """Puts state in the place of the one read with expected_version; its own version must be one more.

        Raises LedgerConflict when somebody else has written since, ValueError for a version that does not follow.
        """
        if state.version != expected_version + 1:
            raise ValueError(f"version must be {expected_version + 1} after {expected_version}, got {state.version}")
        try:
            self._client.put_item(
                TableName=self.table_name,
                Item=json.loads(item(state)),
                ConditionExpression="version = :expected",
                ExpressionAttributeValues={":expected": {"N": str(expected_version)}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise LedgerConflict(
                f"table {self.table_name} is no longer at version {expected_version}: read it again"
            ) from error
