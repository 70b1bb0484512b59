"""What rules look at: resources, what they were given, and how they refer to each other.

A preview does not know everything yet. Whoever asks for a value that is not known gets Undecided, never a guess.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

IDENTITIES = ("id", "arn", "name", "bucket", "keyId")
"""Properties by whose value other resources refer to one."""


class Undecided(Exception):
    """A rule needs a value that is not known before the update; says which."""


class Unknown:
    """Stands for a value that is not known yet."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


@dataclass(frozen=True, slots=True)
class Block:
    """Properties with names as the engine has them, in camelCase; of a resource, or of a part of one."""

    values: Mapping[str, Any]
    path: str = ""

    def given(self, name: str) -> bool:
        """Whether the property was set to anything, known or not; an empty one was not."""
        value = self.values.get(name)
        return value is UNKNOWN or value not in (None, "", [], {})

    def get(self, name: str, default: Any = None) -> Any:
        """The property's value; default where it was not set. Raises Undecided."""
        value = self.values.get(name)
        if value is UNKNOWN:
            raise Undecided(self.path + name)
        return default if value is None else value

    def text(self, name: str, default: str = "") -> str:
        """The property as text; numbers come as floats. Raises Undecided."""
        value = self.get(name, default)
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)

    def number(self, name: str, default: float) -> float:
        """The property as a number. Raises Undecided; a text that is none is the default."""
        try:
            return float(self.get(name, default))
        except (TypeError, ValueError):
            return default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """The property as true or false; some types spell it as text. Raises Undecided."""
        return str(self.get(name, default)).lower() == "true"

    def texts(self, name: str) -> list[str]:
        """The property as a list of texts; a single one counts as a list. Raises Undecided."""
        value = self.get(name, [])
        found = value if isinstance(value, list) else [value]
        if UNKNOWN in found:
            raise Undecided(self.path + name)
        return [str(each) for each in found]

    def block(self, name: str) -> "Block":
        """The part of this name, or its first one; empty where it was not set. Raises Undecided."""
        return next(iter(self.blocks(name)), Block({}, f"{self.path}{name}."))

    def blocks(self, name: str) -> list["Block"]:
        """The parts of this name. Raises Undecided, at once for an unknown part."""
        value = self.get(name, [])
        found = value if isinstance(value, list) else [value]
        if UNKNOWN in found:
            raise Undecided(self.path + name)
        return [Block(each, f"{self.path}{name}.") for each in found if isinstance(each, Mapping)]


@dataclass(frozen=True, slots=True)
class Resource(Block):
    """One resource of a stack."""

    urn: str = ""
    type: str = ""
    name: str = ""
    links: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By property, the URNs of the resources that its value comes from; known in a preview, too."""


@dataclass(frozen=True)
class Stack:
    """All resources of one stack."""

    resources: tuple[Resource, ...]

    def of(self, *types: str) -> Iterator[Resource]:
        """The resources of these types."""
        return (resource for resource in self.resources if resource.type in types)

    def behind(self, resource: Resource, prop: str, *types: str) -> list[Resource]:
        """The resources of these types that a property leads to."""
        return [each for each in self.of(*types) if refers(resource, prop, each)]

    def pointing(self, at: Resource, prop: str, *types: str) -> list[Resource]:
        """The resources of these types whose property leads to one."""
        return [each for each in self.of(*types) if refers(each, prop, at)]


def refers(source: Resource, prop: str, target: Resource) -> bool:
    """Whether a property's value comes from target, or is one of the values that target is known by."""
    if target.urn in source.links.get(prop, ()):
        return True
    wanted = {target.values.get(name) for name in IDENTITIES if isinstance(target.values.get(name), str)}
    return bool(wanted & set(_leaves(source.values.get(prop))))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, Mapping):
        yield from _leaves(list(value.values()))
