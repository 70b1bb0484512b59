"""Property values as they cross the wire: protobuf structs to plain Python and back."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import struct_pb2

Properties = dict[str, Any]
"""Pulumi properties by camelCase name: str, int, float, bool, lists and dicts of these, or UNKNOWN."""

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""What the engine sends, and takes, for a value that only the real run will know (Pulumi's wire protocol)."""

DEFAULTS = "__defaults"
"""Input in which a check lists the properties that it filled in itself, as Pulumi's bridged providers do."""


def from_struct(struct: struct_pb2.Struct) -> Properties:
    """Plain properties: nulls are dropped, whole numbers become int."""
    return {key: _from_value(value) for key, value in struct.fields.items() if value.WhichOneof("kind") != "null_value"}


def to_struct(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """The protobuf struct; None values are dropped."""
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        if value is not None:
            struct.fields[key].CopyFrom(_to_value(value))
    return struct


def has_unknown(value: Any) -> bool:
    """Whether a value, or anything inside it, will only be known in the real run."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    return bool(value == UNKNOWN)


def known(properties: Mapping[str, Any]) -> Properties:
    """The properties without those that are, or contain, unknowns."""
    return {key: value for key, value in properties.items() if not has_unknown(value)}


def _from_value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return from_struct(value.struct_value)
    if kind == "list_value":
        return [_from_value(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "null_value":
        return None
    return getattr(value, str(kind))


def _to_value(plain: Any) -> struct_pb2.Value:
    if plain is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(plain, bool):
        return struct_pb2.Value(bool_value=plain)
    if isinstance(plain, int | float):
        return struct_pb2.Value(number_value=plain)
    if isinstance(plain, str):
        return struct_pb2.Value(string_value=plain)
    if isinstance(plain, Mapping):
        return struct_pb2.Value(struct_value=to_struct(plain))
    if isinstance(plain, list | tuple):
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=[_to_value(item) for item in plain]))
    raise TypeError(f"a property cannot hold a {type(plain).__name__}: {plain!r:.80}")
