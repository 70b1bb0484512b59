"""Configuration as a typed model: from Pulumi's own form, or from the error text that says which key is wrong.

Every problem is a SettingsError: one line that names key, value and what is allowed, whatever was written there.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from config.stack_files import SettingsError, stack_config

Model = TypeVar("Model", bound=BaseModel)
MOST_PROBLEMS = 5
"""Told of one file; a list of thousands may have as many."""
MOST_LETTERS = 250
ENCRYPTED = re.compile(r'\{"secure": "[^"]*"\}')
WHOLE = re.compile(r"-?[0-9]{1,18}")


def parse(model: type[Model], namespace: str, values: Mapping[str, str]) -> Model:
    """The model from Pulumi's form: key without namespace to text, JSON for lists and objects. Raises SettingsError."""
    decoded = {key: _decoded(model, namespace, key, value) for key, value in values.items()}
    try:
        return model.model_validate(decoded)
    except ValidationError as error:
        told = dict.fromkeys(_told(model, namespace, values, problem) for problem in error.errors())
        more = f"; and {len(told) - MOST_PROBLEMS} more" if len(told) > MOST_PROBLEMS else ""
        raise SettingsError("; ".join(islice(told, MOST_PROBLEMS)) + more) from None


def of_program(model: type[Model], namespace: str) -> Model:
    """The model from the configuration of the stack whose program runs. Raises SettingsError, also for a secret."""
    from pulumi.runtime.config import (
        CONFIG,
        is_config_secret,
    )  # pulumi.Config cannot list keys, and an unknown one must not pass

    values = dict(_within(namespace, CONFIG.get()))
    for key in values:
        if is_config_secret(f"{namespace}:{key}"):
            raise _no_secret(namespace, key)
    return parse(model, namespace, values)


def of_files(model: type[Model], namespace: str, project: Path, stack: str) -> Model:
    """The model from a stack's files alone. Raises SettingsError, also for a secret."""
    values = dict(_within(namespace, stack_config(project, stack)))
    for key, value in values.items():
        if ENCRYPTED.search(value):
            raise _no_secret(namespace, key)
    return parse(model, namespace, values)


def _no_secret(namespace: str, key: str) -> SettingsError:
    """Settings stand in plans, errors and process lists, and are read without the engine, which has the key."""
    return SettingsError(f"{_key(namespace, (key,))} is encrypted: settings are no secrets, so set it in plain")


def _within(namespace: str, config: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    prefix = f"{namespace}:"
    return ((key.removeprefix(prefix), value) for key, value in config.items() if key.startswith(prefix))


def _aliases(model: type[BaseModel]) -> Collection[str]:
    return [str(field.alias or name) for name, field in model.model_fields.items()]


def _kind(model: type[BaseModel], key: str) -> Any:
    """What a key's field is annotated as; None for an unknown key."""
    found = (field for name, field in model.model_fields.items() if key == (field.alias or name))
    return next((field.annotation for field in found), None)


def _decoded(model: type[BaseModel], namespace: str, key: str, value: str) -> Any:
    """What the text stands for, where it does stand for something of the field's type; else the text itself."""
    kind = _kind(model, key)
    if kind is bool:
        return {"true": True, "false": False}.get(value, value)
    if kind is int:
        return int(value) if WHOLE.fullmatch(value) else value
    wanted = _container(kind)
    if wanted is None:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise SettingsError(f"{_key(namespace, (key,))} is {_shown(value)}: it must be {wanted}") from None


def _container(kind: Any) -> str | None:
    text = str(kind)
    if text.startswith("tuple"):
        return "a list"
    return "keys with values" if text.startswith("collections.abc.Mapping") else None


def _told(model: type[BaseModel], namespace: str, values: Mapping[str, str], problem: Any) -> str:
    loc = tuple(part for part in problem["loc"] if part != "[key]")
    if not loc:
        return f"{namespace}: {problem['msg'].removeprefix('Value error, ')}"
    key = _key(namespace, loc)
    if problem["type"] == "missing":
        return f"{key} is missing" + (
            "" if loc[1:] else ": set it in the stack file, or keep its default in Pulumi.yaml"
        )
    if problem["type"] == "extra_forbidden":
        return f"{key} is unknown" + ("" if loc[1:] else f": {_nearest(model, namespace, str(loc[0]))}")
    is_scalar = not loc[1:] and _container(_kind(model, str(loc[0]))) is None
    given = values.get(str(loc[0])) if is_scalar else problem["input"]
    return f"{key} is {_shown(given)}: {_allowed(problem)}"


def _nearest(model: type[BaseModel], namespace: str, key: str) -> str:
    import difflib

    known = {alias.lower(): alias for alias in _aliases(model)}
    found = difflib.get_close_matches(key.lower(), list(known), n=1)
    meant = f"; did you mean {namespace}:{known[found[0]]}?" if found else ""
    return f"the keys are those that Pulumi.yaml declares{meant}"


def _key(namespace: str, loc: tuple[Any, ...]) -> str:
    """Where in the configuration something is wrong, such as teal:hooks.verifying[0].command."""
    parts = "".join(f"[{part}]" if isinstance(part, int) else f".{_plain(str(part))}" for part in loc)
    return f"{namespace}:{parts.removeprefix('.')}"


def _plain(part: str) -> str:
    return part if re.fullmatch(r"[\w-]{1,60}", part, re.ASCII) else _shown(part)


def _shown(value: Any) -> str:
    from config.plain_yaml import shown

    return shown(value)


def _allowed(problem: Any) -> str:
    text = " ".join(str(problem["msg"]).removeprefix("Value error, ").split())
    short = text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}..."  # an enumeration of what is allowed fits
    return short[:1].lower() + short[1:]
