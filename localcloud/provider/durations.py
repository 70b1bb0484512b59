"""Durations as Docker writes them: 1m30s, 500ms. Pure."""

import re

UNITS = {"h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)")


def nanoseconds(text: str) -> int:
    """The duration that text says. Raises ValueError for anything else.

    >>> nanoseconds("1m30s"), nanoseconds("500ms"), nanoseconds("0s")
    (90000000000, 500000000, 0)
    """
    parts = PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"must be a duration such as 1m30s, got {text!r}")
    return sum(round(float(number) * UNITS[unit]) for number, unit in parts)


def written(duration: int) -> str:
    """A number of nanoseconds as nanoseconds() reads it.

    >>> written(90_000_000_000), written(0)
    ('1m30s', '0s')
    """
    told, left = "", duration
    for unit, size in UNITS.items():
        count, left = divmod(left, size)
        told += f"{count}{unit}" if count else ""
    return told or "0s"
