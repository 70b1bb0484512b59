"""Isolation, which moto's DynamoDB lacks: its server answers in several threads, and nothing keeps them apart.

A conditional write looks, and then writes; a transaction that fails puts whole tables back as they were when it began,
and with that undoes what others have written meanwhile. One call at a time mends both.
"""

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.dynamodb.models import DynamoDBBackend

CALLS = (
    *("get_item", "put_item", "update_item", "delete_item", "query", "scan"),
    *("transact_write_items", "batch_write_item", "batch_get_item"),
)
_alone = threading.RLock()  # a transaction makes the single calls itself


def _isolated(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def one_at_a_time(*arguments: Any, **named: Any) -> Any:
        with _alone:
            return call(*arguments, **named)

    return one_at_a_time


_MENDED = {name: _isolated(getattr(DynamoDBBackend, name)) for name in CALLS if hasattr(DynamoDBBackend, name)}


def install() -> None:
    """Puts the repair into moto; doing so again changes nothing."""
    for name, call in _MENDED.items():
        setattr(DynamoDBBackend, name, call)
