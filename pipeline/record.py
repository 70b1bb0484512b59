"""Previews as JSON, so that one job can make them and another, which trusts nobody, the comment."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter, ValidationError

from pipeline.model import StackPreview

VERSION = 1
"""Of the form; it changes when an older `teal` could not read it."""


class BadRecord(ValueError):
    """What was given is no record of previews; one line that says where it is wrong."""


@dataclass(frozen=True, slots=True)
class Record:
    """Previews of one change."""

    version: int
    stacks: tuple[StackPreview, ...]


def write(previews: Iterable[StackPreview]) -> str:
    """The previews as JSON, in one line."""
    return _form().dump_json(Record(VERSION, tuple(previews))).decode()


def read(text: str | bytes) -> tuple[StackPreview, ...]:
    """The previews that `write` wrote. Raises BadRecord for anything else."""
    try:
        record = _form().validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BadRecord(f"{where + ': ' if where else ''}{first['msg']}") from error
    if record.version != VERSION:
        raise BadRecord(f"version is {record.version}: this teal reads {VERSION}")
    return record.stacks


@cache
def _form() -> TypeAdapter[Record]:
    return TypeAdapter(Record)
