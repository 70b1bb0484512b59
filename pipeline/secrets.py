"""Which parts of a resource's properties the engine holds back or does not know yet, and where a path leads."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

SIGNATURE, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""Key and value by which an object of the engine's is a secret, blinded or not."""
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the engine spells a value that is known in the update only."""
BLINDED = "[secret]"
"""What the engine puts in place of a secret that stands in a text."""
_PARTS = re.compile(r'\.?(?P<name>[^.\[\]"]+)|\[(?P<index>\d+)\]|\["(?P<key>(?:[^"\\]|\\.)*)"\]')

Part = str | int


def is_secret(value: Any) -> bool:
    """Whether a value is a secret, or has one anywhere in it."""
    if isinstance(value, Mapping):
        return value.get(SIGNATURE) == SECRET or any(is_secret(each) for each in value.values())
    if isinstance(value, str):
        return BLINDED in value
    return isinstance(value, Sequence) and any(is_secret(each) for each in value)


def parts(path: str) -> list[Part] | None:
    """A property path, taken apart; None for one that is not written as the engine does."""
    found: list[Part] = []
    end = 0
    for part in _PARTS.finditer(path):
        if part.start() != end:
            return None
        end = part.end()
        index, key = part["index"], part["key"]
        found.append(int(index) if index is not None else part["name"] if key is None else re.sub(r"\\(.)", r"\1", key))
    return found if found and end == len(path) else None


def at(value: Any, path: Sequence[Part]) -> Any:
    """What is at a path; None where there is nothing."""
    for part in path:
        if isinstance(value, Mapping) and isinstance(part, str):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def visible(path: str, *states: Mapping[str, Any]) -> str:
    """A path as far as none of the states is secret; names within a secret may be secret, too.

    Of a path that can't be read, the property alone.
    """
    steps = parts(path)
    if steps is None:
        return re.split(r'[.\["]', path, maxsplit=1)[0]
    for length in range(1, len(steps) + 1):
        if any(_is_marked(at(state, steps[:length])) for state in states):
            return _joined(steps[:length])
    return path


def _is_marked(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get(SIGNATURE) == SECRET


def _joined(steps: Sequence[Part]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")
