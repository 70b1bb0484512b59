"""Names and values between Pulumi (camelCase, loose numbers) and AWS (botocore's shapes)."""

import datetime
import json
import re
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

Names = Mapping[str, str]
"""Pulumi name to AWS name, where the two do not agree by spelling."""


def member_of(shape: Shape | None, name: str) -> str | None:
    """The member of a structure that a Pulumi name means: the same letters, in whatever case; None if it has none."""
    if not isinstance(shape, StructureShape):
        return None
    if name in shape.members:
        return name
    return next((member for member in shape.members if member.lower() == name.lower()), None)


def to_aws(shape: Shape, value: Any, names: Names) -> Any:
    """A property's value in the form that an operation's shape asks for. Raises ValueError for a key that it lacks."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {
            member: to_aws(shape.members[member], item, names)
            for member, item in _members(shape, value, names)
            if item is not None
        }
    if isinstance(shape, ListShape):
        items = value if isinstance(value, list) else [value]
        return [to_aws(shape.member, item, names) for item in items]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {key: to_aws(shape.value, item, names) for key, item in value.items()}
    return _scalar(shape.type_name, value)


def _members(shape: StructureShape, value: Mapping[str, Any], names: Names) -> list[tuple[str, Any]]:
    pairs = []
    for key, item in value.items():
        member = member_of(shape, names.get(key, key))
        if member is None:
            raise ValueError(f"{key} has no counterpart in {shape.name}")
        pairs.append((member, item))
    return pairs


def _scalar(kind: str, value: Any) -> Any:
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if kind == "string":
        return text(value)
    if kind == "blob":
        return value.encode() if isinstance(value, str) else value
    return value


def text(value: Any) -> str:
    """A scalar as AWS writes it: true, 5, 0.5, or the string itself."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def lookup(result: Mapping[str, Any], name: str) -> Any:
    """What a result holds under a name, whatever its case; None if it does not."""
    if name in result:
        return result[name]
    return next((value for key, value in result.items() if key.lower() == name.lower()), None)


def from_aws(value: Any, names: Names) -> Any:
    """A result in Pulumi's form: camelCase keys (or the names given), ISO times, text for bytes."""
    if isinstance(value, Mapping):
        back = {aws: pulumi for pulumi, aws in names.items()}
        return {back.get(key, camel(key)): from_aws(item, names) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [from_aws(item, names) for item in value]
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return value.decode() if isinstance(value, bytes) else value


def camel(name: str) -> str:
    """VpcId to vpcId, DNSName to dnsName, ARN to arn."""
    if name.isupper():
        return name.lower()
    head = re.match(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]", name)
    return name if head is None else head.group().lower() + name[head.end() :]


def same(left: Any, right: Any) -> bool:
    """Whether two declared values mean the same: sets in any order, numbers by value, JSON by content."""
    return bool(left == right or _canonical(left) == _canonical(right))  # the first is nearly always so, and quick


def agrees(declared: Any, actual: Any) -> bool:
    """Whether what AWS reports contains what was declared: it may say more (defaults), never something else."""
    if isinstance(declared, Mapping):
        return isinstance(actual, Mapping) and all(
            agrees(item, actual.get(key)) for key, item in declared.items() if item not in (None, {}, [])
        )
    if isinstance(declared, list):
        return isinstance(actual, list) and len(declared) == len(actual) and _each_found(declared, actual)
    return same(declared, actual)


def _each_found(declared: list[Any], actual: list[Any]) -> bool:
    left = list(actual)
    for item in declared:
        found = next((index for index, other in enumerate(left) if agrees(item, other)), None)
        if found is None:
            return False
        left.pop(found)
    return True


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _canonical(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return sorted(
            (_canonical(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True, default=str)
        )
    if isinstance(value, str) and value[:1] in ("{", "["):
        return _json(value)
    return text(value) if isinstance(value, bool | int | float) else value


def _json(document: str) -> Any:
    try:
        return _canonical(json.loads(document))
    except ValueError:
        return document
