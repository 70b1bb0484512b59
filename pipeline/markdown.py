"""Text of others in Markdown: it stands in code spans only, and nothing in it can end one.

In a code span GitHub makes no mention, no link, no reference and no HTML of anything; only a backtick could leave it.
"""

import unicodedata
from collections.abc import Iterable

LONGEST = 300
"""Characters of one text of others; the rest is cut."""
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of what shows nothing, or turns the direction of what follows."""


def code(text: str, longest: int = LONGEST) -> str:
    """A text as a code span of one line."""
    shown = "".join(" " if unicodedata.category(sign) in _DROPPED else sign for sign in text[: longest + 1])
    shown = " ".join(shown.replace("`", "'").split())
    if len(text) > longest:
        shown = shown[:longest].rstrip() + "…"
    return f"`{shown or '(none)'}`"


def codes(texts: Iterable[str], most: int) -> str:
    """Some texts, one after the other; how many more there are, if that is more than so many."""
    found = list(texts)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(map(code, found[:most])) + more


def details(summary: str, lines: Iterable[str]) -> list[str]:
    """Lines that are folded under a summary, which is our own words. Blank lines make Markdown of what is between."""
    return ["<details>", f"<summary>{summary}</summary>", "", *lines, "", "</details>", ""]


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number and its noun: 1 danger, 2 dangers."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"
