"""Reads JSON values strictly: the right type under the right name, or a LedgerError that says what is wrong."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from release.errors import LedgerError

T = TypeVar("T")


def fields(value: Any, where: str, names: tuple[str, ...], optional: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """An object with exactly these names, and maybe the optional ones."""
    if not isinstance(value, dict):
        raise LedgerError(f"{where} must be an object, got {value!r}")
    unknown, missing = value.keys() - set(names) - set(optional), set(names) - value.keys()
    for complaint, odd in (("unknown", unknown), ("missing", missing)):
        if odd:
            raise LedgerError(f"{where} takes {', '.join(names)}; {complaint}: {', '.join(sorted(odd))}")
    return value


def whole(value: Any, where: str) -> int:
    """A whole number; true and 1.0 are none."""
    if type(value) is not int:
        raise LedgerError(f"{where} must be a whole number, got {value!r}")
    return value


def number(value: Any, where: str) -> float:
    """A number, whole or not."""
    if type(value) not in (int, float):
        raise LedgerError(f"{where} must be a number, got {value!r}")
    return float(value)


def text(value: Any, where: str) -> str:
    """A text."""
    if not isinstance(value, str):
        raise LedgerError(f"{where} must be text, got {value!r}")
    return value


def several(value: Any, where: str) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise LedgerError(f"{where} must be a list, got {value!r}")
    return value


def moment(value: Any, where: str) -> datetime:
    """A time in ISO 8601."""
    try:
        return datetime.fromisoformat(text(value, where))
    except ValueError as error:
        raise LedgerError(f"{where} must be an ISO 8601 time, got {value!r}") from error


def choice(value: Any, where: str, allowed: Iterable[T]) -> T:
    """One of the values allowed."""
    known = {str(one): one for one in allowed}
    if not isinstance(value, str) or value not in known:
        raise LedgerError(f"{where} must be one of {', '.join(known)}, got {value!r}")
    return known[value]
