"""Rules that many rows share: each refuses what AWS would, in one sentence with property, value and what is allowed.

A path such as `healthCheck.interval` leads to a key inside a property; nothing there, nothing to refuse.
"""

import re
from collections.abc import Callable
from typing import Any

from localcloud.provider.kind import Failures
from localcloud.provider.translate import text
from localcloud.provider.values import Properties

Rule = Callable[[Properties], Failures]


def at(inputs: Any, path: str) -> Any:
    """The value that a dotted path leads to, or None."""
    for key in path.split("."):
        inputs = inputs.get(key) if isinstance(inputs, dict) else None
    return inputs


def whole(path: str, lowest: int, highest: int, *, beside: tuple[int, ...] = ()) -> Rule:
    """Whole numbers from lowest to highest, and those beside."""

    def rule(inputs: Properties) -> Failures:
        value = at(inputs, path)
        if value is None:
            return
        try:
            is_allowed = float(value) in beside or (lowest <= float(value) <= highest and float(value).is_integer())
        except (TypeError, ValueError):
            is_allowed = False
        if not is_allowed:
            others = "".join(f" or {other}" for other in beside)
            yield path, f"{path} must be a whole number from {lowest} to {highest}{others}, got {value!r}"

    return rule


def among(path: str, *allowed: str) -> Rule:
    """One of the values named."""

    def rule(inputs: Properties) -> Failures:
        value = at(inputs, path)
        if value is not None and text(value) not in allowed:
            yield path, f"{path} must be one of {', '.join(allowed)}, got {value!r}"

    return rule


def spelled(path: str, pattern: str, meaning: str) -> Rule:
    """Text that matches the pattern wholly; `meaning` says what that is."""

    def rule(inputs: Properties) -> Failures:
        value = at(inputs, path)
        if value is not None and not (isinstance(value, str) and re.fullmatch(pattern, value)):
            yield path, f"{path} must be {meaning}, got {value!r}"

    return rule


def no_other_keys(path: str, *allowed: str) -> Rule:
    """No key inside a property but these, so that none is ignored."""

    def rule(inputs: Properties) -> Failures:
        value = at(inputs, path)
        items = value if isinstance(value, list) else [value]
        for key in sorted({key for item in items if isinstance(item, dict) for key in item} - set(allowed)):
            yield f"{path}.{key}", f"the embedded cloud does not apply {path}.{key}; it knows {', '.join(allowed)}"

    return rule
