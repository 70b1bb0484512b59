"""The lock of an environment: an item beside its ledger, with a holder, a purpose, an expiry and a fencing token.

The token rises with every holder and never falls. Whatever a holder writes to the ledger depends on its token, so one
that was frozen past its term can do no harm there; before it touches the listener it renews, which fails as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from botocore.exceptions import ClientError

from release.adapters.dynamodb import LOCK_KEY, DynamoDb, LedgerTable, unhindered
from release.errors import LedgerConflict, LockHeld, LockLost
from release.history import entry_for

TERM = timedelta(seconds=30)
FRESH = timedelta(seconds=5)
"""Age at which the answer to a renewal still says that the lock is ours."""
RENEWALS = 5
"""Renewals in a row that may be older than that."""
BROKEN = "LOCK_BROKEN"
TAKE_OVERS = 10
"""Times that the lock of an engine is asked for whose release moves on meanwhile."""
_TAKE = "SET holder = :holder, purpose = :purpose, held_since = :now, expires = :expires ADD fence :one"
# The last part is for a call whose answer got lost: botocore makes it again, and finds the lock to be its own.
_FREE = "attribute_not_exists(pk) OR expires <= :at OR (holder = :holder AND held_since = :now)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has the lock, or had it last."""

    who: str
    purpose: str
    since: datetime
    until: datetime

    def __str__(self) -> str:
        return f"{self.who} has held it since {_told(self.since)}, to {self.purpose}, until {_told(self.until)}"


class HeldLock:
    """A lock that was got. Knows its own token; any thread may renew it."""

    def __init__(self, table: "LockTable", token: int) -> None:
        self._table, self.token = table, token

    def renew(self) -> None:
        """Holds it for a whole term from now. Raises LockLost.

        A renewal whose answer took long says what was, not what is, since its process may have been frozen: then once
        more.
        """
        for _ in range(RENEWALS):
            if self._table.extend(self.token, TERM) <= FRESH:
                return
        raise LockLost(f"nobody can say whose the lock is: {RENEWALS} renewals took more than {FRESH} each")

    def release(self) -> None:
        """Lets it go; nothing happens if it is somebody else's by now."""
        try:
            self._table.extend(self.token, timedelta(0))
        except LockLost:
            return


class LockTable:
    """The lock of one environment."""

    def __init__(
        self, client: DynamoDb, ledger: LedgerTable, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._client, self._ledger, self._now = client, ledger, now

    def holder(self) -> Holder | None:
        """Who has it now; None where it is free, or its holder's term is over."""
        found = self._item()
        holder = _holder(found) if found else None
        return holder if holder and holder.until > self._now() else None

    def _item(self) -> dict[str, Any] | None:
        found = self._client.get_item(TableName=self._ledger.table_name, Key=LOCK_KEY, ConsistentRead=True)
        item: dict[str, Any] | None = found.get("Item")
        return item

    def acquire(self, who: str, purpose: str) -> HeldLock:
        """The lock, for a term. Raises LockHeld, which says who has it and how to go on."""
        values = {**self._values(who, purpose), ":at": _number(self._now())}
        try:
            changed = self._update(
                UpdateExpression=_TAKE,
                ConditionExpression=_FREE,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",  # who has it, as seen by the very call that failed
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            # botocore's type for error responses knows no Item, which DynamoDB adds where it is asked to
            held = cast("dict[str, Any]", error.response)["Item"]
            raise LockHeld(
                f"the environment's lock is not free: {_holder(held)}. "
                "Wait for it; or turn its release back with `teal release abort`, which takes the lock over"
            ) from error
        return HeldLock(self, int(changed["Attributes"]["fence"]["N"]))

    def take_over(self, who: str, purpose: str) -> HeldLock:
        """The lock, whoever has it; that and why goes into the history.

        Asks again where its holder has written the ledger meanwhile; raises LedgerConflict after ten times.
        """
        for _ in range(TAKE_OVERS - 1):
            try:
                return self._take_over(who, purpose)
            except LedgerConflict:
                continue
        return self._take_over(who, purpose)

    def _take_over(self, who: str, purpose: str) -> HeldLock:
        found = self._item()
        if found is None or (before := _holder(found)).until <= self._now():
            return self.acquire(who, purpose)
        state = self._ledger.read()
        following, release = replace(state, version=state.version + 1), state.release
        entry = entry_for(
            following,
            BROKEN,
            release.phase if release else "",
            f"to {purpose}: {before}",
            at=self._now(),
            by=who,
            release_id=release.release_id if release else "",
        )
        fence = int(found["fence"]["N"])
        values = {**self._values(who, purpose), ":was": {"N": str(fence)}}
        change = {
            "UpdateExpression": _TAKE,
            "ConditionExpression": "fence = :was",
            "ExpressionAttributeValues": values,
        }
        self._ledger.take_lock(following, entry, change)
        return HeldLock(self, fence + 1)

    def extend(self, token: int, term: timedelta) -> timedelta:
        """Moves the expiry of the holder with this token; how long that took. Raises LockLost for another token."""
        began = self._now()
        try:
            self._update(
                UpdateExpression="SET expires = :expires",
                ConditionExpression="fence = :fence",
                ExpressionAttributeValues={
                    ":expires": _number(began + term),
                    ":fence": {"N": str(token)},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise LockLost(f"the lock was taken over: {self.holder() or 'and is free again'}") from error
        return self._now() - began

    def _update(self, **change: Any) -> Any:
        return unhindered(lambda: self._client.update_item(TableName=self._ledger.table_name, Key=LOCK_KEY, **change))

    def _values(self, who: str, purpose: str) -> dict[str, Any]:
        now = self._now()
        return {
            ":holder": {"S": who},
            ":purpose": {"S": purpose},
            ":now": _number(now),
            ":expires": _number(now + TERM),
            ":one": {"N": "1"},
        }


def _holder(found: dict[str, Any]) -> Holder:
    return Holder(
        who=found["holder"]["S"],
        purpose=found["purpose"]["S"],
        since=datetime.fromtimestamp(float(found["held_since"]["N"]), UTC),
        until=datetime.fromtimestamp(float(found["expires"]["N"]), UTC),
    )


def _number(moment: datetime) -> dict[str, str]:
    return {"N": f"{moment.timestamp():.3f}"}


def _told(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
