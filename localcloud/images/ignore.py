"""Which files a .dockerignore leaves out, by Docker's rules."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Rule:
    """One line of the file."""

    pattern: str
    """Cleaned: no leading or trailing slash."""
    keeps: bool
    """The line began with an exclamation mark."""

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """Matches the paths that the line names, and everything below them."""
        return re.compile(_expression(self.pattern) + r"(?:/.*)?", re.DOTALL)


@dataclass(frozen=True)
class IgnoreRules:
    """The rules of one .dockerignore; the last one that matches decides."""

    rules: tuple[Rule, ...]

    def leaves_out(self, path: str) -> bool:
        """Whether a file, named relative to the folder with slashes, stays out."""
        left_out = False
        for rule in self.rules:
            if rule.expression.fullmatch(path):
                left_out = not rule.keeps
        return left_out


def parse_ignore(lines: Iterable[str]) -> IgnoreRules:
    """The rules in a .dockerignore's lines; comments and empty lines say nothing."""
    return IgnoreRules(tuple(rule for line in lines if (rule := _rule(line)) is not None))


def _rule(line: str) -> Rule | None:
    text = line.strip()
    if not text or text.startswith("#"):
        return None
    keeps = text.startswith("!")
    parts = [part for part in text.removeprefix("!").strip().split("/") if part not in ("", ".")]
    return Rule("/".join(parts), keeps) if parts else None


TOKEN = re.compile(
    r"(?P<any_depth>\*\*/?)|(?P<star>\*)|(?P<one>\?)|(?P<set>\[\^?[^]]+\])|\\(?P<escaped>.)|(?P<plain>.)"
)


def _expression(pattern: str) -> str:
    """Go's filepath.Match and ** as a regular expression: * and ? stop at a slash, ** does not."""
    out = []
    for token in TOKEN.finditer(pattern):
        match token.lastgroup:
            case "any_depth":
                out.append("(?:.*/)?" if token[0].endswith("/") else ".*")
            case "star":
                out.append("[^/]*")
            case "one":
                out.append("[^/]")
            case "set":
                out.append(token[0])
            case "escaped":
                out.append(re.escape(token["escaped"]))
            case _:
                out.append(re.escape(token[0]))
    return "".join(out)
