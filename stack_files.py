"""What a stack's files say, as the engine would read them; whether a setting is allowed is for settings.py to say.

Without pydantic, which takes a while to load: the way back of a release wants the region alone.
"""

import json
from pathlib import Path
from typing import Any


class SettingsError(Exception):
    """A setting is missing, unknown or not allowed; one line that names it."""


def stack_config(project: Path, stack: str) -> dict[str, str]:
    """A stack's whole configuration as the engine would pass it: defaults of Pulumi.yaml, then the stack file."""
    declared = _config(project / "Pulumi.yaml")
    defaults = {key: about.get("value", about.get("default")) for key, about in declared.items()}
    chosen = {**defaults, **_config(project / f"Pulumi.{stack}.yaml")}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in chosen.items()}


def region_of(project: Path, stack: str) -> str:
    """The AWS region that a stack's files name. Raises SettingsError."""
    region = stack_config(project, stack).get("aws:region")
    if not region:
        raise SettingsError(f"aws:region is missing in Pulumi.{stack}.yaml and in Pulumi.yaml")
    return region


def _config(path: Path) -> dict[str, Any]:
    found = _read(path).get("config") or {}
    if not isinstance(found, dict):
        raise SettingsError(f"config in {path.name} must be keys with values, got {found!r}")
    return found


def parsed(content: bytes) -> Any:
    """What a YAML document holds, read by libyaml where PyYAML was built with it. Raises yaml.YAMLError."""
    import yaml  # only who reads files needs it; a program does not, and it takes its time

    return yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        found = parsed(path.read_bytes())
    except FileNotFoundError:
        raise SettingsError(f"there is no {path.name} in {path.parent}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from None
    return found if isinstance(found, dict) else {}
