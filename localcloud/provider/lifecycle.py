"""What the engine asks of a resource, done for any row of the table."""

import hashlib
from dataclasses import dataclass
from typing import Any

from localcloud.provider.api import Api
from localcloud.provider.errors import ApiRefused, PartlyMade, ProviderError, UnknownProperty
from localcloud.provider.kind import AwsType, Change, Step
from localcloud.provider.translate import agrees, same
from localcloud.provider.values import DEFAULTS, UNKNOWN, Properties, has_unknown, known

HIDDEN = {DEFAULTS}


@dataclass(frozen=True)
class Checked:
    """Inputs with our defaults filled in, and what is wrong with them: property and reason."""

    inputs: Properties
    failures: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Difference:
    """Properties that change, those of them that need a new resource, and whether the old one goes first."""

    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    deletes_first: bool = False


@dataclass(frozen=True)
class Found:
    """A resource as it is at the API: its inputs as a program would have written them, and its outputs."""

    inputs: Properties
    outputs: Properties


def check(kind: AwsType, urn: str, news: Properties, olds: Properties, seed: bytes) -> Checked:
    """Fills in names and defaults, and says what AWS, or this table, would refuse."""
    inputs = {key: value for key, value in news.items() if key not in HIDDEN}
    failures = [(key, str(UnknownProperty(kind.token, key))) for key in inputs if key not in kind.properties]
    filled = []
    for name, prop in kind.properties.items():
        if name in inputs:
            continue
        if prop.required:
            failures.append((name, f"{kind.token} needs {name}"))
        elif prop.default is not None:
            inputs[name] = prop.default
            filled.append(name)
    if kind.name and kind.name.property not in inputs:
        inputs[kind.name.property] = _named(kind, urn, olds, seed)
        filled.append(kind.name.property)
    for rule in kind.rules:
        failures += rule(known(inputs))
    for rule in kind.presence:
        failures += rule(inputs)
    return Checked(inputs | ({DEFAULTS: sorted(filled)} if filled else {}), tuple(failures))


def diff(kind: AwsType, olds: Properties, news: Properties, ignored: frozenset[str]) -> Difference:
    """Compares the inputs before and now; a change that no step applies makes a new resource."""
    changed = sorted(
        name
        for name in (olds.keys() | news.keys()) - HIDDEN - ignored
        if has_unknown(news.get(name)) or not same(olds.get(name), news.get(name))
    )
    steps = frozenset().union(*(step.of for step in kind.steps)) if kind.steps else frozenset()
    replaces = tuple(name for name in changed if _needs_new(kind, name, news, steps))
    named_by_us = bool(kind.name and kind.name.property in news.get(DEFAULTS, []))
    deletes_first = kind.replaces_in_place or bool(kind.name and not named_by_us)
    return Difference(tuple(changed), replaces, bool(replaces) and deletes_first)


def planned(kind: AwsType, inputs: Properties, state: Properties | None = None) -> Properties:
    """Outputs as far as a preview can tell: what is declared is known, what AWS decides is not."""
    if state is not None:
        return {**state, **_visible(inputs), **_unsettled(kind, inputs, state), **_tags_all(kind, inputs)}
    decided = {**dict.fromkeys(kind.outputs, UNKNOWN), **dict.fromkeys(kind.properties, UNKNOWN)}
    return {**decided, **_visible(inputs), **_tags_all(kind, inputs)}


def create(api: Api, kind: AwsType, inputs: Properties) -> tuple[str, Properties]:
    """Makes the resource, then applies what the creating operation lacks. Raises PartlyMade if only that fails."""
    wanted = _visible(inputs)
    new = Change(api, kind, "", wanted)
    covered = kind.create.covers(new)
    left = wanted.keys() - covered - {name for name, prop in kind.properties.items() if prop.local} - {"tags"}
    steps = [step for step in kind.steps if step.of & left]
    if kind.tags and kind.tags.late and wanted.get("tags"):
        left.add("tags")
        steps.append(Step(frozenset({"tags"}), lambda change: _retag(kind, change)))
    unapplied = left - frozenset().union(*(step.of for step in steps)) if steps else left
    if unapplied:
        raise UnknownProperty(kind.token, ", ".join(sorted(unapplied)))
    resource_id = kind.create.run(new)
    made = Change(api, kind, resource_id, wanted)
    applied = {name: value for name, value in inputs.items() if name not in left}
    for step in steps:
        try:
            step.run(made)
        except ProviderError as error:
            outputs = _outputs(made, kind.found(made) or {})
            raise PartlyMade(str(error), resource_id, applied, outputs) from error
        applied |= {name: wanted[name] for name in step.of if name in wanted}
    return resource_id, _outputs(made, _must(kind, made))


def read(api: Api, kind: AwsType, resource_id: str, inputs: Properties, state: Properties) -> Found | None:
    """The resource as the API tells it, or None. Inputs keep their spelling where they still hold."""
    asked = Change(api, kind, resource_id, _visible(inputs), state=state)
    found = kind.found(asked)
    if found is None:
        return None
    actual = kind.properties_of(asked, found)
    if not inputs and not state:  # an import: there is no program's spelling to keep
        guessed = {
            name: value for name, value in actual.items() if name in kind.properties and value not in ("", [], {})
        }
        return Found(guessed, {**actual, **guessed})
    seen = {name: _seen(kind, name, value, actual) for name, value in inputs.items()}
    return Found({name: value for name, value in seen.items() if value is not None}, _outputs(asked, found))


def update(
    api: Api, kind: AwsType, resource_id: str, olds: Properties, news: Properties, state: Properties
) -> Properties:
    """Applies what changed, step by step. Raises PartlyMade, with what did get applied, when a later step fails."""
    change = Change(api, kind, resource_id, _visible(news), _visible(olds), state)
    changed = {name for name in change.inputs.keys() | change.olds.keys() if not same(olds.get(name), news.get(name))}
    applied = dict(olds)
    try:
        if kind.tags and "tags" in changed:
            _retag(kind, change)
            applied["tags"] = change.inputs.get("tags", {})
        for step in kind.steps:
            if step.of & changed:
                step.run(change)
                applied |= {name: news[name] for name in step.of if name in news}
    except ProviderError as error:
        raise PartlyMade(str(error), resource_id, applied, _outputs(change, kind.found(change) or {})) from error
    return _outputs(change, _must(kind, change))


def delete(api: Api, kind: AwsType, resource_id: str, inputs: Properties, state: Properties) -> None:
    """Removes the resource; one that is already gone is as good."""
    try:
        kind.delete(Change(api, kind, resource_id, _visible(inputs), state=state))
    except ApiRefused as error:
        if not kind.means_gone(error):
            raise


def _named(kind: AwsType, urn: str, olds: Properties, seed: bytes) -> str:
    assert kind.name is not None  # noqa: S101  # the caller looked
    if kind.name.property in olds.get(DEFAULTS, []):
        return str(olds[kind.name.property])
    suffix = hashlib.sha256(seed or urn.encode()).hexdigest()[:7]
    logical = urn.rsplit("::", 1)[-1]
    room = kind.name.limit - 8 - len(kind.name.prefix)
    name = f"{kind.name.prefix}{logical[:room]}-{suffix}"
    return name.lower() if kind.name.is_lower else name


def _needs_new(kind: AwsType, name: str, news: Properties, steps: frozenset[str]) -> bool:
    prop = kind.properties.get(name)
    if prop is None:
        return True
    if prop.local or (name == "tags" and kind.tags):
        return False
    dropped = name not in news and not prop.resettable
    replaces = prop.replaces(known(news)) if callable(prop.replaces) else prop.replaces
    return replaces or name not in steps or dropped


def _unsettled(kind: AwsType, inputs: Properties, state: Properties) -> Properties:
    stirs = (not same(state.get(name) or None, inputs.get(name) or None) for name in kind.stirred_by)
    moves = not kind.stirred_by or any(stirs)
    return dict.fromkeys(kind.volatile, UNKNOWN) if moves else {}


def _visible(properties: Properties) -> Properties:
    return {name: value for name, value in properties.items() if name not in HIDDEN}


def _tags_all(kind: AwsType, inputs: Properties) -> Properties:
    return {"tagsAll": inputs.get("tags", {})} if kind.tags else {}


def _must(kind: AwsType, change: Change) -> dict[str, Any]:
    found = kind.found(change)
    if found is None:
        raise ProviderError(f"{kind.token} {change.id} is gone right after it was made")
    return found


def _outputs(change: Change, found: dict[str, Any]) -> Properties:
    """Outputs: what the API decided, with the program's own spelling where both agree."""
    actual = change.kind.properties_of(change, found) if found else {}
    return {**change.inputs, **{name: _seen(change.kind, name, change.inputs.get(name), actual) for name in actual}}


def _seen(kind: AwsType, name: str, declared: Any, actual: Properties) -> Any:
    """A declared value as it is now: itself where it still holds, or where the API does not tell."""
    if name == DEFAULTS or name not in actual:
        return declared
    if name == "tags":
        return declared if same(declared or {}, actual[name]) else actual[name]
    prop = kind.properties.get(name)
    holds = prop.holds if prop and prop.holds else agrees
    return declared if declared is not None and holds(declared, actual[name]) else actual[name]


def _retag(kind: AwsType, change: Change) -> None:
    assert kind.tags is not None  # noqa: S101  # the caller looked
    new, old = change.inputs.get("tags", {}), change.olds.get("tags", {})
    put = {key: value for key, value in new.items() if old.get(key) != value}
    kind.tags.write(change, put, sorted(old.keys() - new.keys()))
