"""docker:index/service:Service as the engine has it (ServiceSpec), and back, by the rows of swarm_rows.py. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.provider.errors import UnknownProperty
from localcloud.provider.swarm_rows import (
    LEFT_ALONE,
    MOUNT_KEYS,
    NETWORK_KEYS,
    PLAYED,
    ROWS,
    TMPFS_KEYS,
    Row,
    is_own,
    labels_out,
)
from localcloud.provider.values import Properties, has_unknown

TOKEN = "docker:index/service:Service"  # noqa: S105  # a type's name
Spec = dict[str, Any]
"""The engine's JSON."""
Refusal = tuple[str, str]
"""Property and reason."""
INPUTS = frozenset(path.partition(".")[0] for path in (*ROWS, *PLAYED))
OUTPUTS = INPUTS


def refusals(inputs: Properties) -> Iterator[Refusal]:
    """Everything in inputs that is neither translated nor played."""
    for path, value in _leaves(inputs):
        if path in ROWS:
            yield from ((path, problem) for problem in _row_problems(path, value))
        elif path not in PLAYED:
            yield path, str(UnknownProperty(TOKEN, path))
        elif not has_unknown(value) and (problem := PLAYED[path].problem(value)):
            yield path, f"{path} {problem}"
    if not has_unknown(inputs.get("taskSpec", {})) and _get(inputs, "taskSpec.containerSpec.image") is None:
        yield "taskSpec", f"{TOKEN} needs taskSpec.containerSpec.image"


def spec_of(inputs: Properties) -> Spec:
    """The engine's spec, but for what the embedded cloud adds of its own."""
    spec: Spec = {}
    for path, row in ROWS.items():
        value = _get(inputs, path)
        if value is not None:
            _put(spec, row.where, row.out(value))
    return spec


def read_back(inputs: Properties, spec: Spec) -> Properties:
    """The inputs as the engine has them: in the program's own spelling where that still holds.

    What somebody added by hand and no program declared is told, too.
    """
    found: Properties = _copied(inputs)
    for path, row in ROWS.items():
        declared, actual = _get(inputs, path), _get(spec, row.where)
        is_nobodys = declared is None and path in LEFT_ALONE
        if is_nobodys or _same(row.out(declared) if declared is not None else None, actual, row):
            continue
        if actual is None:
            _drop(found, path)
        else:
            _put(found, path, row.back(actual))
    return found


def _same(wanted: Any, actual: Any, row: Row) -> bool:
    if isinstance(actual, Mapping) and row.out is labels_out:
        actual = {name: value for name, value in actual.items() if not is_own(name)}
    return bool((wanted or None) == (actual or None))


def _row_problems(path: str, value: Any) -> Iterator[str]:
    if has_unknown(value):
        return
    if path.endswith("labels"):
        yield from (f"label {pair['label']} is the embedded cloud's own" for pair in value if is_own(pair["label"]))
    elif path.endswith("networksAdvanceds"):
        yield from (
            str(UnknownProperty(TOKEN, f"{path}.{key}")) for each in value for key in each.keys() - NETWORK_KEYS
        )
    elif path.endswith("mounts"):
        for mount in value:
            if mount.get("type") != "tmpfs":
                yield f"{path} must be of type tmpfs here, got {mount.get('type')!r}"
            yield from (str(UnknownProperty(TOKEN, f"{path}.{key}")) for key in sorted(mount.keys() - MOUNT_KEYS))
            yield from _tmpfs_problems(path, mount.get("tmpfsOptions") or {})
    else:
        try:
            ROWS[path].out(value)
        except ValueError as error:
            yield f"{path} {error}"


def _tmpfs_problems(path: str, options: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(options.keys() - TMPFS_KEYS.keys()):
        yield str(UnknownProperty(TOKEN, f"{path}.tmpfsOptions.{key}"))


def _leaves(value: Properties, path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths as far down as rows and played properties go."""
    for key, item in value.items():
        here = f"{path}.{key}" if path else key
        is_above = any(known.startswith(f"{here}.") for known in (*ROWS, *PLAYED))
        if here not in ROWS and here not in PLAYED and is_above and isinstance(item, dict):
            yield from _leaves(item, here)
        elif not (is_above and has_unknown(item)):
            yield here, item


def _get(values: Mapping[str, Any], path: str) -> Any:
    found: Any = values
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            return None
        found = found[key]
    return found


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    for key in above:
        values = values.setdefault(key, {})
    values[last] = value


def _drop(values: dict[str, Any], path: str) -> None:
    *above, last = path.split(".")
    for key in above:
        values = values.get(key) or {}
    values.pop(last, None)


def _copied(value: Any) -> Any:
    return {key: _copied(item) for key, item in value.items()} if isinstance(value, dict) else value
