"""What a stack's files say, as the engine would read them; whether a setting is allowed is for settings.py to say.

Without pydantic, which takes a while to load: the way back of a release wants the region alone.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}")
STACK_KEYS = ("config", "secretsprovider", "encryptedkey", "encryptionsalt")
"""What a stack file may hold."""
OTHERS = ("app", "aws", "docker", "pulumi")
"""Namespaces of the app's secrets, of providers and of the engine."""
TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "string": ((str, int), "text, in quotes where it looks like anything else"),
    "integer": ((int,), "a whole number"),
    "boolean": ((bool,), "true or false"),
    "array": ((list,), "a list"),
    "object": ((dict,), "keys with values"),
}
"""By type in Pulumi.yaml: what YAML may have made of the value, and what to ask for."""
QUOTED = {"integer": r"-?[0-9]+", "boolean": "true|false"}
"""What the text of a value in quotes must be for the engine to take it for the type."""


class SettingsError(Exception):
    """A setting is missing, unknown or not allowed; one line that names it."""


def stack_config(project: Path, stack: str) -> dict[str, str]:
    """A stack's whole configuration as the engine would pass it: defaults of Pulumi.yaml, then the stack file.

    Raises SettingsError, for a value that is not of the type that Pulumi.yaml declares, too.
    """
    about = _document(project / "Pulumi.yaml")
    name, declared = str(about.get("name", "")), _config(about, "Pulumi.yaml", str(about.get("name", "")))
    kinds = {key: str(one.get("type")) for key, one in declared.items() if isinstance(one, dict)}
    file = f"Pulumi.{stack}.yaml"
    document = _document(project / file)
    if "environment" in document:  # commands would go by other settings than the program
        raise SettingsError(
            f"environment in {file} is not taken: what it adds, only Pulumi Cloud knows; set it in config"
        )
    for key in document:
        if key not in STACK_KEYS:
            raise SettingsError(f"{_shown(key)} in {file} is unknown{_nearest(key, STACK_KEYS)}")
    chosen = _config(document, file, name)
    for key in chosen:
        _check_namespace(key, file, name, declared)
    defaults = {key: _default(one) for key, one in declared.items()}
    texts = {key: _text(key, "Pulumi.yaml", one, kinds.get(key)) for key, one in defaults.items() if one is not None}
    return {**texts, **{key: _text(key, file, one, kinds.get(key)) for key, one in chosen.items()}}


def region_of(project: Path, stack: str) -> str:
    """The AWS region that a stack's files name. Raises SettingsError."""
    region = stack_config(project, stack).get("aws:region")
    if not region:
        raise SettingsError(f"aws:region is missing in Pulumi.{stack}.yaml and in Pulumi.yaml")
    check_region(region)
    return region


def check_region(region: str) -> None:
    """Raises SettingsError for what cannot be the name of an AWS region."""
    if not REGION.fullmatch(region):
        raise SettingsError(f"aws:region is {_shown(region)}: it must be the name of an AWS region, such as eu-west-1")


def read_yaml(path: Path, name: str = "") -> Any:
    """What a YAML file holds, in plain values; errors call it by its name. Raises SettingsError, FileNotFoundError."""
    from config import plain_yaml  # only who reads files needs it; a program does not, and PyYAML takes its time

    try:
        return plain_yaml.read(path.read_bytes())
    except plain_yaml.NotPlain as error:
        told, name = str(error), name or path.name
        raise SettingsError(
            f"{name} {told.removeprefix('it ')}" if told.startswith("it ") else f"{name}, {told}"
        ) from None


def _document(path: Path) -> dict[str, Any]:
    try:
        found = read_yaml(path)
    except FileNotFoundError:
        raise SettingsError(f"there is no {path.name} in {path.parent}") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise SettingsError(f"{path.name} must hold keys with values, got {_shown(found)}")
    return found


def _config(document: Mapping[str, Any], file: str, project: str) -> dict[str, Any]:
    """The file's configuration; what has no namespace is the project's own."""
    found = document.get("config") or {}
    if not isinstance(found, dict):
        raise SettingsError(f"config in {file} must be keys with values, got {_shown(found)}")
    whole: dict[str, Any] = {}
    for written, value in found.items():
        key = written if ":" in written else f"{project}:{written}"
        if key.count(":") != 1 or not all(key.split(":")):
            raise SettingsError(f"{_shown(written)} in {file} is no key: write <namespace>:<name>")
        if key in whole:
            raise SettingsError(f"{_shown(key)} stands in {file} twice, with its namespace and without")
        whole[key] = value
    return whole


def _check_namespace(key: str, file: str, project: str, declared: Mapping[str, Any]) -> None:
    """Raises SettingsError for a key that nobody would read, and that was meant to be one that is declared."""
    namespace, _, name = key.partition(":")
    if namespace == project or key in declared:
        return
    ours = f"{project}:{name}"
    is_ours = ours in declared and namespace not in OTHERS
    meant = f": did you mean {ours}?" if is_ours else _nearest(key, declared, 0.85)
    if meant:
        raise SettingsError(f"{_shown(key)} in {file} is unknown{meant}")


def _default(about: Any) -> Any:
    """Of a key of Pulumi.yaml; a value that stands there without more is one."""
    return about.get("value", about.get("default")) if isinstance(about, dict) else about


def _text(key: str, file: str, value: Any, kind: str | None) -> str:
    from config import plain_yaml

    if value is None:
        return ""  # as the engine has it, which warns
    if found := plain_yaml.unclear(value):
        raise SettingsError(f"{_shown(key)} in {file} is {_shown(found.text)}: {found.why}")
    if kind is not None and kind in TYPES and not _is_of_type(value, kind):
        raise SettingsError(f"{_shown(key)} in {file} is {plain_yaml.shown(value)}: it must be {TYPES[kind][1]}")
    return value if isinstance(value, str) else json.dumps(value)


def _is_of_type(value: Any, kind: str) -> bool:
    """As the engine has it: a number, or true or false, may stand in quotes. But it takes 1.10 for a text, 1.1.

    What is encrypted may be anything.
    """
    if isinstance(value, dict) and set(value) == {"secure"}:
        return True
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, str) and kind in QUOTED:
        return re.fullmatch(QUOTED[kind], value) is not None
    return isinstance(value, TYPES[kind][0])


def _nearest(key: str, known: Any, likeness: float = 0.6) -> str:
    import difflib

    found = difflib.get_close_matches(key, list(known), n=1, cutoff=likeness)
    return f": did you mean {found[0]}?" if found else ""


def _shown(value: Any) -> str:
    from config import plain_yaml

    is_plain = isinstance(value, str) and re.fullmatch(r"[\w.:-]{1,60}", value, re.ASCII)
    return str(value) if is_plain else plain_yaml.shown(value)
