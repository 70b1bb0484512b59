"""What was done by hand inside an instance: marks beside the ledger's state, which they neither touch nor depend on.

A mark says that a server is no longer just what its image made of it. It is never taken back: a server that is gone
needs none, and a Phoenix release brings servers that have none.
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Self

from release.errors import LedgerError
from release.ledger import Colour
from release.strict import choice, fields, moment, text, whole

PREFIX = "hand#"
FORMAT = 1
EVENT = "HAND"
"""What the history calls it: an event of its own, of no release and no phase."""
_NAMES = ("format", "id", "at", "by", "instance", "colour", "act", "program")


class Act(StrEnum):
    """What somebody did."""

    EXEC = "exec"
    STOP = "stop"
    KILL = "kill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Somebody did something inside an instance. Raises LedgerError for a time without a zone."""

    id: str
    """Tells two marks of one moment apart; the same call made twice has the same."""
    at: datetime
    by: str
    instance: str
    colour: Colour
    act: Act
    program: str
    """Of an exec: the name of the program. Arguments and environment are left out, since secrets end up in those."""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise LedgerError(f"at must carry a time zone, got {self.at.isoformat()}")

    @classmethod
    def of(cls, act: Act, instance: str, colour: Colour, command: Sequence[str] = (), *, by: str, at: datetime) -> Self:
        """The mark of an act; of its command only the program's name is kept."""
        program = PurePosixPath(command[0]).name if command else ""
        made = secrets.token_hex(4)
        return cls(id=made, at=at, by=by, instance=instance, colour=colour, act=act, program=program)

    @property
    def sort_key(self) -> str:
        """Its sort key in the table: texts in the order of time."""
        return f"{PREFIX}{self.at.astimezone(UTC).isoformat(timespec='microseconds')}#{self.id}"

    @property
    def did(self) -> str:
        """What was done, in one or two words."""
        return f"{self.act} {self.program}".rstrip()

    def document(self) -> dict[str, Any]:
        """The mark as plain data."""
        return {"format": FORMAT, **{name: getattr(self, name) for name in _NAMES[1:]}, "at": self.at.isoformat()}

    def as_json(self) -> str:
        """The mark as JSON."""
        return json.dumps(self.document())


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A server that stands, and that somebody has touched."""

    instance: str
    colour: Colour
    last: Mark
    times: int

    def remark(self, environment: str) -> str:
        """It in a line, and what makes it good again."""
        times = "" if self.times == 1 else f", {self.times} times by now"
        did = f"{self.last.did} by {self.last.by} at {self.last.at.isoformat(timespec='seconds')}{times}"
        return (
            f"{self.colour} {self.instance} was touched by hand ({did}): "
            f"`teal release start {environment} --phoenix` replaces it"
        )

    def document(self) -> dict[str, Any]:
        """It as plain data."""
        told = {name: self.last.document()[name] for name in ("at", "by", "act", "program")}
        return {"instance": self.instance, "colour": self.colour, **told, "times": self.times}


def mark_of(written: str) -> Mark:
    """The mark that as_json wrote. Raises LedgerError for anything else."""
    try:
        document = json.loads(written)
    except json.JSONDecodeError as error:
        raise LedgerError(f"the mark is no JSON: {error}") from error
    found = fields(document, "mark", _NAMES)
    if whole(found["format"], "mark.format") != FORMAT:
        raise LedgerError(f"the mark has format {found['format']}, and this Teal knows format {FORMAT} alone")
    return Mark(
        at=moment(found["at"], "mark.at"),
        colour=choice(found["colour"], "mark.colour", Colour),
        act=choice(found["act"], "mark.act", Act),
        **{name: text(found[name], f"mark.{name}") for name in ("id", "by", "instance", "program")},
    )


def standing(marks: Iterable[Mark], servers: Mapping[Colour, frozenset[str]]) -> tuple[Touched, ...]:
    """The servers that are touched, each with its last mark, in the order of that."""
    there = {server: colour for colour, some in servers.items() for server in some}
    last: dict[str, Mark] = {}
    times: dict[str, int] = {}
    for mark in sorted(marks, key=lambda mark: mark.sort_key):
        if mark.instance in there:
            last[mark.instance] = mark
            times[mark.instance] = times.get(mark.instance, 0) + 1
    found = sorted(last.values(), key=lambda mark: mark.sort_key)
    return tuple(
        Touched(instance=mark.instance, colour=there[mark.instance], last=mark, times=times[mark.instance])
        for mark in found
    )
