"""A container's log that is a file here: lines as they were printed, JSON with a time or plain text."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from containers.model import Line
from containers.rotated import RotatedLog

MOST_BYTES = 16 * 1024 * 1024
"""Of a longer log only the end is read at first."""


class LogFile:
    """Implements Log. Lines without a time of their own have that of the line before."""

    def __init__(self, path: Path, since: datetime | None, tail: int | None) -> None:
        self._log, self._since, self._tail = RotatedLog(path), since, tail
        self._is_begun = False
        self._rest = b""
        self._at: datetime | None = None

    def read(self) -> Sequence[Line]:
        """What was added; a line that is not ended yet is kept for the next time."""
        is_first, self._is_begun = not self._is_begun, True
        found = [self._line(text) for text in self._new_lines(is_first)]
        if not is_first:
            return found
        if self._since:
            found = [line for line in found if line.at and line.at >= self._since]
        return found if self._tail is None else found[max(0, len(found) - self._tail) :]

    def _new_lines(self, is_first: bool) -> list[str]:
        added = self._log.added()[-MOST_BYTES if is_first else 0 :]
        *lines, self._rest = (self._rest + added).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def _line(self, text: str) -> Line:
        self._at = time_of(text) or self._at
        return Line(text, self._at)


def time_of(text: str) -> datetime | None:
    """The time that a line of JSON tells in its field `time`; None for any other line."""
    if not text.startswith("{"):
        return None
    try:
        found = datetime.fromisoformat(json.loads(text)["time"])
    except (ValueError, KeyError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
