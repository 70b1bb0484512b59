"""The ledger in its DynamoDB table: one item of state, one item for every event, one for the lock."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from botocore.exceptions import ClientError

from release.errors import LedgerConflict, LedgerError, LedgerMissing, LockLost
from release.history import PREFIX, Entry, entry_of
from release.ledger import State
from release.ledger_text import KEY, item, parse

PARTITION = {"S": "environment"}
LOCK_KEY = {"pk": PARTITION, "sk": {"S": "lock"}}
TRIES, FIRST_PAUSE_SECONDS = 6, 0.05
MET = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Why a transaction is cancelled that found nothing wrong: it met another one at an item, or there were too many."""

T = TypeVar("T")


class DynamoDb(Protocol):
    """What is used of boto3's DynamoDB client."""

    def get_item(self, **arguments: Any) -> Any:
        """Reads one item."""

    def put_item(self, **arguments: Any) -> Any:
        """Writes one item."""

    def update_item(self, **arguments: Any) -> Any:
        """Changes one item."""

    def query(self, **arguments: Any) -> Any:
        """Reads items of one partition, a page at a time."""

    def transact_write_items(self, **arguments: Any) -> Any:
        """Writes several items, or none."""


class Ssm(Protocol):
    """What is used of boto3's SSM client."""

    def get_parameter(self, **arguments: Any) -> Any:
        """Reads one parameter."""


class LedgerTable:
    """Reads and writes the state of one environment, and its history."""

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

    def record(self, state: State, entry: Entry, token: int | None) -> None:
        """Puts state in the place of the version before, and the entry beside it: both, or neither.

        `token` is the lock's; None writes without a lock, where there is nothing yet to lock. Raises LedgerConflict
        when somebody else has written since, LockLost when the lock has another token by now, ValueError for an entry
        of another version.
        """
        if entry.version != state.version:
            raise ValueError(f"entry must be of version {state.version}, got {entry.version}")
        writes = [self._put_state(state), self._put_entry(entry)]
        if token is not None:
            writes.append({"ConditionCheck": {**self._lock_held(token), "Key": LOCK_KEY}})
        self._transact(writes, state.version - 1)

    def take_lock(self, state: State, entry: Entry, change: dict[str, Any]) -> None:
        """Writes state and entry as record does, and with them changes the lock's item. Raises LedgerConflict.

        That also where the condition of the change does not hold: somebody else has changed the lock since.
        """
        update = {"Update": {"TableName": self.table_name, "Key": LOCK_KEY, **change}}
        try:
            self._transact([self._put_state(state), self._put_entry(entry), update], state.version - 1)
        except LockLost as error:
            raise LedgerConflict("somebody else has taken the lock meanwhile: read it again") from error

    def history(self) -> list[Entry]:
        """Every entry, the oldest first."""
        return [entry_of(each["entry"]["S"]) for each in self.items(PREFIX)]

    def items(self, prefix: str) -> Iterator[dict[str, Any]]:
        """Every item whose sort key begins so, in the order of that key."""
        start: dict[str, Any] = {}
        while True:
            page = self._client.query(
                TableName=self.table_name,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues={":pk": PARTITION, ":prefix": {"S": prefix}},
                ConsistentRead=True,
                **start,
            )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _put_state(self, state: State) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self.table_name,
                "Item": json.loads(item(state)),
                "ConditionExpression": "version = :expected",
                "ExpressionAttributeValues": {":expected": {"N": str(state.version - 1)}},
            }
        }

    def _put_entry(self, entry: Entry) -> dict[str, Any]:
        written = {"pk": PARTITION, "sk": {"S": entry.sort_key}, "entry": {"S": entry.as_json()}}
        return {
            "Put": {
                "TableName": self.table_name,
                "Item": written,
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def _lock_held(self, token: int) -> dict[str, Any]:
        return {
            "TableName": self.table_name,
            "ConditionExpression": "fence = :fence",
            "ExpressionAttributeValues": {":fence": {"N": str(token)}},
        }

    def _transact(self, writes: list[dict[str, Any]], expected_version: int) -> None:
        try:
            unhindered(lambda: self._client.transact_write_items(TransactItems=writes))
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            codes = _codes(error)
            if len(codes) > 2 and codes[2] == "ConditionalCheckFailed":
                raise LockLost("the lock is no longer ours: somebody took it over; nothing was written") from error
            if not {"ConditionalCheckFailed", "TransactionConflict"} & set(codes):
                raise
            raise LedgerConflict(
                f"table {self.table_name} is no longer at version {expected_version}: read it again"
            ) from error


def unhindered(call: Callable[[], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """What a call answers, once no other one is at the same items: a heartbeat meets the writing of the ledger.

    DynamoDB then cancels one of them, and botocore does not try again. Up to six times, over 1.6 s; raises as the call.
    """
    for attempt in range(TRIES - 1):
        try:
            return call()
        except ClientError as error:
            if not _is_hindered(error):
                raise
        sleep(FIRST_PAUSE_SECONDS * 2**attempt)
    return call()


def _is_hindered(error: ClientError) -> bool:
    code = error.response["Error"]["Code"]
    if code == "TransactionCanceledException":
        told = set(_codes(error)) - {"None", None}
        return bool(told) and told <= MET
    return bool(code == "TransactionConflictException")


def _codes(error: ClientError) -> list[str | None]:
    """Of a cancelled transaction: the reason for each of its writes, "None" for one that was in order."""
    reasons: list[dict[str, str]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return [reason.get("Code") for reason in reasons]
