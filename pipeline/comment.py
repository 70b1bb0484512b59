"""The comment on a pull request: what a change would do, the most dangerous first, in the room that GitHub gives."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from pipeline.dangers import rank
from pipeline.markdown import code, counted, details
from pipeline.model import Change, Kind, StackPreview
from pipeline.words import EXISTENCES, PAST, change_line, danger_line, policy_line, stack_name, title, verdict_line

MARKER = "<!-- teal:ci:preview -->"
"""First line of the comment, which nobody sees: by it the comment is found again, and edited in place."""
LONGEST_BYTES = 65_000
"""GitHub takes less than 65,536 characters; who counts bytes is right by either count."""
MOST_BASES = 3


class Part(IntEnum):
    """Where in a stack's section an entry stands."""

    FAILURE = 0
    EXISTENCE = 1
    DANGER = 2
    LOST = 3
    BROKEN = 4
    ADVICE = 5
    REST = 6
    QUIET = 7
    """In the line of the stacks of which there is nothing to tell."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to tell, in one line. The lower its rank, the later it is cut."""

    rank: int
    stack: int
    part: Part
    text: str


RANKS = {
    Part.FAILURE: 8,
    Part.BROKEN: 9,
    Part.LOST: 10,
    Part.EXISTENCE: 12,
    Part.ADVICE: 13,
    Part.REST: 14,
    Part.QUIET: 20,
}
"""Dangers, which have ranks of their own, are below all of these; changes add the place of their kind."""


def comment(previews: Sequence[StackPreview], longest_bytes: int = LONGEST_BYTES) -> str:
    """The comment's Markdown, of at most so many bytes in UTF-8 (2,000 at least).

    Whole entries are cut where it would be longer, the least dangerous ones first, and their number is told.
    """
    ordered = sorted(previews, key=lambda preview: min((entry.rank for entry in _entries(0, preview)), default=0))
    entries = [entry for number, preview in enumerate(ordered) for entry in _entries(number, preview)]
    by_rank = sorted(entries, key=lambda entry: entry.rank)

    def written(count: int) -> str:
        return "\n".join(_lines(ordered, by_rank[:count], by_rank[count:]))

    fitting, too_many = 0, len(entries) + 1
    while too_many - fitting > 1:
        tried = len(entries) if too_many > len(entries) and not fitting else (fitting + too_many) // 2
        if len(written(tried).encode()) <= longest_bytes:
            fitting = tried
        else:
            too_many = tried
    return written(fitting)


def _entries(number: int, preview: StackPreview) -> Iterator[Entry]:
    """All that there is to tell of a stack, in the order of each part."""
    if preview.is_quiet:
        yield Entry(RANKS[Part.QUIET], number, Part.QUIET, stack_name(preview))
        return
    if preview.failure is not None:
        yield Entry(RANKS[Part.FAILURE], number, Part.FAILURE, code(preview.failure, longest=1500))
    if preview.existence in EXISTENCES:
        yield Entry(RANKS[Part.EXISTENCE], number, Part.EXISTENCE, EXISTENCES[preview.existence])
    for danger in preview.dangers:
        yield Entry(rank(danger), number, Part.DANGER, danger_line(danger))
    for verdict in preview.verdicts:
        part = Part.BROKEN if verdict.is_mandatory else Part.ADVICE
        yield Entry(RANKS[part], number, part, verdict_line(verdict))
    for change in _untold(preview):
        part = Part.LOST if change.kind in (Kind.REPLACE, Kind.DELETE) else Part.REST
        yield Entry(RANKS[part] + list(Kind).index(change.kind), number, part, change_line(change))


def _untold(preview: StackPreview) -> Iterator[Change]:
    """Changes that no danger has told in full, replacements before deletions, and so on."""
    told = {(danger.name, danger.type, danger.threat.value) for danger in preview.dangers}
    for change in sorted(preview.changes, key=lambda change: list(Kind).index(change.kind)):
        if (change.name, change.type, PAST[change.kind]) not in told:
            yield change


def _lines(previews: Sequence[StackPreview], kept: Sequence[Entry], cut: Sequence[Entry]) -> Iterator[str]:
    yield from (MARKER, "## What this change would do", "", _in_short(previews), "")
    if cut:
        yield from (f"Cut to fit: {counted(len(cut), 'entry', 'entries')}, the least dangerous ones.", "")
    shown, left = _by_stack(kept), _by_stack(cut)
    for number in sorted(shown):
        yield from _section(previews[number], shown[number], left.get(number, []))
    missing = left.keys() - shown.keys()
    if missing:
        yield from (f"{counted(len(missing), 'stack')} with changes cut to fit.", "")
    yield from _quiet(
        [entry.text for entry in kept if entry.part is Part.QUIET], sum(entry.part is Part.QUIET for entry in cut)
    )


def _by_stack(entries: Sequence[Entry]) -> dict[int, list[Entry]]:
    """The entries of each stack that has a section."""
    found: dict[int, list[Entry]] = {}
    for entry in entries:
        if entry.part is not Part.QUIET:
            found.setdefault(entry.stack, []).append(entry)
    return found


def _in_short(previews: Sequence[StackPreview]) -> str:
    """The whole in numbers, and what it was compared with."""
    changing = sum(not preview.is_quiet for preview in previews)
    told = [f"{changing} of {counted(len(previews), 'stack')} to look at"] if changing else ["Nothing changes"]
    numbers = (
        (sum(preview.failure is not None for preview in previews), "failed preview", ""),
        (sum(len(preview.dangers) for preview in previews), "danger", ""),
        (sum(preview.broken for preview in previews), "broken mandatory rule", ""),
    )
    told += [f"**{counted(*number)}**" for number in numbers if number[0]]
    bases = sorted({preview.against for preview in previews if preview.against})[:MOST_BASES]
    against = f" Compared with {' and '.join(code(base, longest=60) for base in bases)}." if bases else ""
    return f"{', '.join(told)}.{against}"


def _section(preview: StackPreview, kept: Sequence[Entry], cut: Sequence[Entry]) -> Iterator[str]:
    def part(*wanted: Part) -> list[str]:
        return _items([entry.text for entry in kept if entry.part in wanted], _count(cut, wanted))

    yield from (f"### {title(preview)}", "")
    yield from part(Part.FAILURE, Part.EXISTENCE)
    yield from _headed("**Dangers**", part(Part.DANGER))
    yield from _headed(
        "**Also replaced or deleted**" if preview.dangers else "**Replaced or deleted**", part(Part.LOST)
    )
    if preview.verdicts or preview.undecided:
        yield from (policy_line(preview), "", *part(Part.BROKEN))
    for folded, summary in ((Part.ADVICE, "Advice"), (Part.REST, _rest(preview))):
        lines = part(folded)
        if lines:
            yield from details(summary, lines[:-1])


def _items(texts: Sequence[str], cut: int) -> list[str]:
    """Entries as a list that ends with a blank line; nothing of none."""
    lines = [f"- {text}" for text in texts] + ([f"- and {cut} more, cut to fit"] if cut else [])
    return [*lines, ""] if lines else []


def _count(cut: Sequence[Entry], parts: Collection[Part]) -> int:
    return sum(entry.part in parts for entry in cut)


def _headed(head: str, lines: Sequence[str]) -> list[str]:
    return [head, "", *lines] if lines else []


def _rest(preview: StackPreview) -> str:
    kinds = (Kind.UPDATE, Kind.CREATE, Kind.IMPORT)
    told = ", ".join(f"{preview.count(kind)} {PAST[kind]}" for kind in kinds if preview.count(kind))
    return f"{told}; {preview.unchanged} as they are"


def _quiet(names: Sequence[str], cut: int) -> Iterator[str]:
    if names or cut:
        told = [*names, *([f"{cut} more"] if cut else [])]
        yield from (f"Unchanged: {', '.join(told)}.", "")
