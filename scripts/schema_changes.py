"""What changed between two schemas of a Pulumi package, what of it breaks programs, and which version that takes."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; a breaking one is such that a program written for the old schema may fail with the new."""

    where: str
    what: str
    breaks: bool

    def __str__(self) -> str:
        return f"{self.where} {self.what}"


def changes(old: Schema, new: Schema) -> list[Change]:
    """Every difference that a program could notice; texts are none."""
    return [*_resources(old, new), *_types(old, new)]


def parse_version(text: str) -> tuple[int, int, int]:
    """Major, minor and patch. Raises ValueError for anything but three numbers."""
    parts = VERSION.fullmatch(text)
    if not parts:
        raise ValueError(f"a version is three numbers such as 0.2.0, got {text!r}")
    return int(parts[1]), int(parts[2]), int(parts[3])


def least_version(last: str, found: list[Change]) -> str:
    """The lowest version that may follow `last` with these changes. Raises ValueError for a malformed one.

    Breaking changes take a new major version, additions a new minor one; while the major version is 0, one step less.
    """
    major, minor, patch = parse_version(last)
    if not found:
        return last
    step = 0 if any(change.breaks for change in found) else 1
    if major == 0:
        step += 1
    return (f"{major + 1}.0.0", f"{major}.{minor + 1}.0", f"{major}.{minor}.{patch + 1}")[step]


def problems(last: Schema, new: Schema, changelog: str) -> list[str]:
    """What keeps `new` from following `last`: its version is too low, or the changelog does not tell."""
    found = changes(last, new)
    least, version = least_version(last["version"], found), new["version"]
    told = []
    if parse_version(version) < parse_version(least):
        listed = "; ".join(str(change) for change in found if change.breaks or not any(c.breaks for c in found))
        told.append(f"the version must be at least {least}, since after {last['version']}: {listed}")
    section = _section(changelog, version)
    if section is None:
        told.append(f"CHANGELOG.md has no section '## {version}'")
    elif any(change.breaks for change in found) and "### Breaking" not in section:
        broken = "; ".join(str(change) for change in found if change.breaks)
        told.append(f"CHANGELOG.md must say under '## {version}', '### Breaking', how to upgrade, since: {broken}")
    return told


def _section(changelog: str, version: str) -> str | None:
    parts = re.split(r"^## ", changelog, flags=re.MULTILINE)
    return next((part for part in parts[1:] if re.match(rf"{re.escape(version)}(\s|$)", part)), None)


def _resources(old: Schema, new: Schema) -> Iterator[Change]:
    before, after = old.get("resources", {}), new.get("resources", {})
    yield from _existence(before, after, "component")
    for token in sorted(before.keys() & after.keys()):
        yield from _inputs(_short(token), before[token], after[token], "inputProperties", "requiredInputs")
        yield from _outputs(_short(token), before[token], after[token])


def _types(old: Schema, new: Schema) -> Iterator[Change]:
    """Types of inputs: no component gives an object out whose type is its own."""
    before, after = old.get("types", {}), new.get("types", {})
    yield from _existence(before, after, "type")
    for token in sorted(before.keys() & after.keys()):
        one, other, where = before[token], after[token], _short(token)
        yield from _inputs(where, one, other, "properties", "required")
        values, others = (_values(each) for each in (one, other))
        for value in sorted(values ^ others):
            is_gone = value in values
            yield Change(f"{where}.{value}", "is no value any more" if is_gone else "is a new value", is_gone)


def _existence(before: Mapping[str, Any], after: Mapping[str, Any], kind: str) -> Iterator[Change]:
    for token in sorted(before.keys() ^ after.keys()):
        is_gone = token in before
        yield Change(_short(token), f"is no {kind} any more" if is_gone else f"is a new {kind}", is_gone)


def _inputs(where: str, old: Schema, new: Schema, properties: str, required: str) -> Iterator[Change]:
    before, after = old.get(properties, {}), new.get(properties, {})
    needed, needed_now = set(old.get(required, ())), set(new.get(required, ()))
    for name in sorted(before.keys() | after.keys()):
        place = f"{where}.{name}"
        if name not in after:
            yield Change(place, "is no input any more", True)
        elif name not in before:
            is_needed = name in needed_now
            yield Change(place, "is a new input that must be given" if is_needed else "is a new input", is_needed)
        else:
            if (name in needed) != (name in needed_now):
                must = name in needed_now
                yield Change(place, "must be given now" if must else "need not be given any more", must)
            yield from _type(place, before[name], after[name], is_input=True)


def _outputs(where: str, old: Schema, new: Schema) -> Iterator[Change]:
    before, after = old.get("properties", {}), new.get("properties", {})
    certain, certain_now = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(before.keys() | after.keys()):
        place = f"{where}.{name}"
        if name not in after:
            yield Change(place, "is no output any more", True)
        elif name not in before:
            yield Change(place, "is a new output", False)
        else:
            if (name in certain) != (name in certain_now):
                was = name in certain
                yield Change(place, "may be missing now" if was else "is always there now", was)
            yield from _type(place, before[name], after[name], is_input=False)


def _type(place: str, old: Schema, new: Schema, *, is_input: bool) -> Iterator[Change]:
    if type_text(old) != type_text(new):
        yield Change(place, f"was {type_text(old)} and is {type_text(new)}", True)
    elif is_input:
        plain, plain_now = _plain(old), _plain(new)
        if plain != plain_now:
            is_narrower = any(now and not was for was, now in zip(plain, plain_now, strict=True))
            yield Change(place, "takes no outputs any more" if is_narrower else "takes outputs now", is_narrower)


def type_text(about: Schema) -> str:
    """A property's type in words, such as "list of string"; those of the package itself by their names."""
    if "$ref" in about:
        return _short(about["$ref"])
    if about.get("type") == "array":
        return f"list of {type_text(about['items'])}"
    if "additionalProperties" in about:
        return f"map of {type_text(about['additionalProperties'])}"
    return str(about.get("type", "anything"))


def _plain(about: Schema) -> tuple[bool, ...]:
    """Whether only plain values will do: of the whole, and of what is in it."""
    inner = about.get("items") or about.get("additionalProperties")
    return (bool(about.get("plain")), *(_plain(inner) if inner else ()))


def _values(about: Schema) -> set[str]:
    return {str(each["value"]) for each in about.get("enum") or ()}


def _short(token: str) -> str:
    return token.rpartition(":")[2].rpartition("/")[2]
