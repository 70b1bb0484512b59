"""What a refreshed preview of the stacks found, as a document, as Markdown, and as an issue for each. No I/O here."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from pipeline.errors import UntrustedText

ROWS_LENGTH = 50_000
"""Characters that a text spends on naming changes, since GitHub takes 65,536 in all; of the others it says how many."""
NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


class Look(StrEnum):
    """How it went to look at a stack."""

    CLEAN = "clean"
    DRIFTED = "drifted"
    BUSY = "busy"
    """A release is in flight: weights and capacities are just being changed."""
    ABSENT = "absent"
    """It has no ledger: it was never brought up, or that was deleted."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Change:
    """A resource that is not as the program has it."""

    name: str
    kind: str
    """Its type, such as aws:lb/listener:Listener."""
    operation: str
    """What the next run would do: create, update, replace or delete."""
    keys: tuple[str, ...] = ()
    """Which of its properties differ."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one stack."""

    stack: str
    look: Look
    changes: tuple[Change, ...] = ()
    pending: int = 0
    """Changes of the program that were never brought about: no drift, since nobody touched anything."""
    told: str = ""
    """Why it could not be looked at."""

    @property
    def has_drifted(self) -> bool:
        """Whether somebody has changed something."""
        return self.look is Look.DRIFTED

    @property
    def is_clean(self) -> bool:
        """Whether it was looked at, and nobody has."""
        return self.look is Look.CLEAN


def document(findings: Sequence[Finding]) -> str:
    """The findings as JSON."""
    return json.dumps({"stacks": [asdict(each) for each in findings]}, indent=1)


def parsed(text: str) -> tuple[Finding, ...]:
    """What document wrote. Raises UntrustedText."""
    try:
        rows = json.loads(text)["stacks"]
        found = tuple(_finding(row) for row in rows)
    except (ValueError, KeyError, TypeError) as error:
        raise UntrustedText(f"this is no report of `teal ci drift`: {error!r}") from None
    for each in found:
        if not NAME.fullmatch(each.stack):
            raise UntrustedText(f"this is no report of `teal ci drift`: {each.stack!r} is no name of a stack")
    return found


def markdown(findings: Sequence[Finding]) -> str:
    """The findings for people."""
    return "\n".join(f"### {each.stack}\n\n{_told(each)}" for each in findings)


def issue_marker(stack: str) -> str:
    """First line of a stack's issue, by which it is found again."""
    return f"<!-- teal-drift {stack} -->"


def issue_title(stack: str) -> str:
    """What a stack's issue is called."""
    return f"Drift in {stack}"


def issue_text(finding: Finding) -> str:
    """What a stack's issue says."""
    return (
        f"{issue_marker(finding.stack)}\n{_told(finding)}\n"
        f"`pulumi preview --refresh -s {finding.stack}` shows it whole. Put it back with `pulumi up --refresh -s "
        f"{finding.stack}`, or take it over into the program. This issue is kept up to date, and closed when the drift "
        "is gone.\n"
    )


def _told(finding: Finding) -> str:
    if finding.look in (Look.BUSY, Look.ABSENT, Look.FAILED):
        return f"Not looked at: {_plain(finding.told)}\n"
    pending = f"\n{_count(finding.pending)} of the program not out yet: no drift.\n" if finding.pending else ""
    if not finding.changes:
        return f"No drift.\n{pending}"
    rows = _rows(finding.changes)
    more = len(finding.changes) - len(rows)
    after = [f"\nAnd {more} more."] if more else []
    head = [
        f"{_count(len(finding.changes))} that the next run would undo.\n",
        "| resource | type | it would | differs in |",
        "|---|---|---|---|",
    ]
    return "\n".join((*head, *rows, *after)) + f"\n{pending}"


def _rows(changes: Sequence[Change]) -> list[str]:
    rows: list[str] = []
    left = ROWS_LENGTH
    for each in changes:
        row = f"| `{_plain(each.name)}` | `{_plain(each.kind)}` | {_plain(each.operation)} | {_keys(each)} |"
        left -= len(row) + 1
        if left < 0:
            break
        rows.append(row)
    return rows


def _count(number: int) -> str:
    return f"{number} change{'s' if number != 1 else ''}"


def _keys(change: Change) -> str:
    return ", ".join(f"`{_plain(key)}`" for key in change.keys[:10])


def _plain(text: str) -> str:
    """A text that is no Markdown: resources are named by programs, and tags by whoever made them."""
    return " ".join(text.replace("`", "'").replace("|", "/").replace("<", "(").replace("@", "(at)").split())[:500]


def _finding(row: dict[str, object]) -> Finding:
    changes = row["changes"]
    if not isinstance(changes, list):
        raise TypeError("changes must be a list")
    return Finding(
        stack=str(row["stack"]),
        look=Look(str(row["look"])),
        changes=tuple(
            Change(
                name=str(each["name"]),
                kind=str(each["kind"]),
                operation=str(each["operation"]),
                keys=tuple(map(str, each["keys"])),
            )
            for each in changes
        ),
        pending=int(str(row["pending"])),
        told=str(row["told"]),
    )
