"""Marks of what was done by hand, in the ledger's table: an item each.

Neither state nor lock is read or written with them, and they carry no version: a mark states what somebody does anyway,
so there is nothing that could refuse it, and a release in flight must not notice it.
"""

from release.adapters.dynamodb import PARTITION, DynamoDb, LedgerTable
from release.hands import PREFIX, Mark, mark_of


class HandTable:
    """The marks of one environment."""

    def __init__(self, client: DynamoDb, ledger: LedgerTable) -> None:
        self._client, self._ledger = client, ledger

    def write(self, mark: Mark) -> None:
        """Keeps a mark; the same one twice is one, so a call whose answer got lost may be made again."""
        item = {"pk": PARTITION, "sk": {"S": mark.sort_key}, "mark": {"S": mark.as_json()}}
        self._client.put_item(TableName=self._ledger.table_name, Item=item)

    def read(self) -> list[Mark]:
        """Every mark, the oldest first. Raises LedgerError for one that can't be."""
        return [mark_of(each["mark"]["S"]) for each in self._ledger.items(PREFIX)]
