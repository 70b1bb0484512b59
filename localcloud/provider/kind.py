"""The words in which the table describes a resource type: data where botocore's models agree, else small functions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath

from localcloud.provider.api import Api
from localcloud.provider.errors import ApiRefused, UnknownProperty
from localcloud.provider.translate import Names, from_aws, lookup, member_of, to_aws
from localcloud.provider.values import Properties

Failures = Iterable[tuple[str, str]]
"""Property and reason, for what AWS would refuse."""
NO_NAMES: Names = {}


@dataclass(frozen=True, kw_only=True)
class Prop:
    """One input property of a type."""

    at: str | None = None
    """AWS's name for it where the letters differ, in operations and in what they return."""
    names: Names = field(default_factory=dict)
    """AWS's names for the keys inside it, at any depth."""
    default: Any = None
    """What AWS takes when it is not given; filled in when the inputs are checked."""
    required: bool = False
    """Whether a program must give it."""
    replaces: bool | Callable[[Properties], bool] = False
    """Whether a change makes a new resource although a step could apply it; a function where the new inputs say so."""
    resettable: bool = False
    """Whether its step also handles its absence; else dropping it makes a new resource."""
    local: bool = False
    """Kept in the state only: it steers how we delete or wait, and no operation takes it."""
    secret: bool = False
    """Never shown in an error."""
    read: str | Callable[[Any], Any] | None = None
    """Where to find it in what was read: a JMESPath expression or a function; by default, under its own name."""
    holds: Callable[[Any, Any], bool] | None = None
    """Whether a declared value still is what was read, where containing it is not enough or is too much."""


@dataclass(frozen=True)
class Change:
    """What an operation has to go by: the API, who it is about, what is wanted, what was before."""

    api: Api
    kind: "AwsType"
    id: str
    inputs: Properties
    olds: Properties = field(default_factory=dict)
    """The inputs before, on an update."""
    state: Properties = field(default_factory=dict)
    """The outputs before, on an update, read or delete."""

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One operation of the type's own service. Raises ApiRefused, which shows no secret property."""
        try:
            return self.api.call(self.kind.service, method, **parameters)
        except ApiRefused as error:
            if not self._secrets():
                raise
            raise error.without(self._secrets()) from None

    def _secrets(self) -> list[str]:
        names = [name for name, prop in self.kind.properties.items() if prop.secret]
        return [str(given[name]) for given in (self.inputs, self.olds) for name in names if given.get(name)]

    def parameters(self, method: str, only: Iterable[str] | None = None) -> dict[str, Any]:
        """The inputs (or only those named) that an operation takes by name, in its own form."""
        shape = self.api.operation(self.kind.service, method).input_shape
        chosen = self.inputs if only is None else {name: self.inputs[name] for name in only if name in self.inputs}
        found = {}
        for name, value in chosen.items():
            prop = self.kind.properties.get(name)
            member = member_of(shape, (prop and prop.at) or name)
            if prop is None or prop.local or member is None or shape is None:
                continue
            try:
                found[member] = to_aws(shape.members[member], value, prop.names)
            except ValueError as error:
                raise UnknownProperty(self.kind.token, f"{name}.{error}") from error
        return found


@dataclass(frozen=True)
class Create:
    """The operation that makes the resource: inputs by name, plus what `extra` adds, the id found at a JMESPath."""

    call: str
    id: str | Callable[[Change, dict[str, Any]], str]
    extra: Callable[[Change], dict[str, Any]] | None = None
    of: frozenset[str] = frozenset()
    """Properties that `extra` applies, beside those that the operation takes by name."""

    def run(self, change: Change) -> str:
        """Makes it and returns its id. Raises ApiRefused."""
        parameters = change.parameters(self.call, self.covers(change))
        parameters |= change.kind.tags.at_create(change) if change.kind.tags else {}
        parameters |= self.extra(change) if self.extra else {}
        answer = change.call(self.call, **parameters)
        found = self.id(change, answer) if callable(self.id) else jmespath.search(self.id, answer)
        return str(found)

    def covers(self, change: Change) -> frozenset[str]:
        """The properties that this operation applies."""
        shape = change.api.operation(change.kind.service, self.call).input_shape
        by_name = {
            name
            for name, prop in change.kind.properties.items()
            if not prop.local and name != "tags" and member_of(shape, prop.at or name)
        }
        return self.of | by_name


@dataclass(frozen=True)
class Step:
    """What applies some properties after creation: those that the creating operation lacks, and every later change."""

    of: frozenset[str]
    run: Callable[[Change], None]


@dataclass(frozen=True)
class Read:
    """One operation that tells the state; the first of a type decides whether the resource is there."""

    call: str
    parameters: Callable[[Change], dict[str, Any]]
    at: str | Callable[[Change], str] = "@"
    """JMESPath of the resource in the answer; nothing there means that it is gone."""
    into: str | None = None
    """Key to put the answer under, where it would collide with the first."""
    gone_if: str | None = None
    """JMESPath on the resource that is true for one that only lingers (a terminated instance)."""
    service: str | None = None


@dataclass(frozen=True)
class Tags:
    """How a family of types carries its tags."""

    at_create: Callable[[Change], dict[str, Any]]
    read: Callable[[Change, Mapping[str, Any]], dict[str, str]]
    write: Callable[[Change, dict[str, str], list[str]], None]
    """Puts some tags and removes the keys listed."""
    late: bool = False
    """Whether no creating call takes them, so that `write` puts them right after."""


@dataclass(frozen=True)
class AutoName:
    """The property that we name by ourselves when the program does not: the logical name and seven hex digits."""

    property: str
    limit: int
    """Longest name, in characters."""
    is_lower: bool = False
    """Whether AWS takes no upper-case letters there."""
    prefix: str = ""
    """What AWS wants such names to begin with."""


@dataclass(frozen=True, kw_only=True)
class AwsType:
    """One row of the table: a Pulumi resource type and what it takes to keep it at the API."""

    token: str
    service: str
    properties: Mapping[str, Prop]
    create: Create
    reads: tuple[Read, ...]
    delete: Callable[[Change], None]
    steps: tuple[Step, ...] = ()
    outputs: Mapping[str, str | Callable[[Change, dict[str, Any]], Any]] = field(default_factory=dict)
    """Output to JMESPath in what was read, or to a function of that."""
    volatile: frozenset[str] = frozenset()
    """Outputs that any update changes, so that a preview of one leaves them open."""
    stirred_by: frozenset[str] = frozenset()
    """Properties whose change alone moves the volatile outputs; none means any property."""
    tags: Tags | None = None
    name: AutoName | None = None
    rules: tuple[Callable[[Properties], Failures], ...] = ()
    presence: tuple[Callable[[Properties], Failures], ...] = ()
    """Rules on which properties are given together: unlike the others, they see values that are not known yet."""
    replaces_in_place: bool = False
    """Whether two of it cannot exist at once, so that a replacement deletes first."""
    gone: frozenset[str] = frozenset()
    """Error codes that mean the resource is not there, beside those that say so themselves."""

    def means_gone(self, error: ApiRefused) -> bool:
        """Whether an error says that there is no such resource."""
        code = error.code
        return code in self.gone or "NotFound" in code or "NoSuch" in code or "DoesNotExist" in code

    def found(self, change: Change) -> dict[str, Any] | None:
        """What the API tells of it, all reads merged; None when it is gone. Raises ApiRefused."""
        merged: dict[str, Any] = {}
        for position, read in enumerate(self.reads):
            try:
                answer = change.api.call(read.service or self.service, read.call, **read.parameters(change))
            except ApiRefused as error:
                if not self.means_gone(error):
                    raise
                answer = {}
            part = jmespath.search(read.at(change) if callable(read.at) else read.at, answer) if answer else None
            if position == 0 and (not part or (read.gone_if and jmespath.search(read.gone_if, part))):
                return None
            if read.into:
                merged[read.into] = part
            elif part:
                merged |= {key: value for key, value in part.items() if key != "ResponseMetadata"}
        return merged

    def properties_of(self, change: Change, found: dict[str, Any]) -> Properties:
        """What was found, in Pulumi's names: declared properties and outputs, tags without AWS's own."""
        actual = {}
        for name, prop in self.properties.items():
            value = _value_of(name, prop, found)
            if value is not None and not prop.local:
                actual[name] = value
        for name, source in self.outputs.items():
            told = source(change, found) if callable(source) else jmespath.search(source, found)
            actual[name] = from_aws(told, NO_NAMES)
        if self.tags:
            tags = {k: v for k, v in self.tags.read(change, found).items() if not k.startswith("aws:")}
            actual |= {"tags": tags, "tagsAll": tags}
        return {name: value for name, value in actual.items() if value is not None}


def _value_of(name: str, prop: Prop, found: dict[str, Any]) -> Any:
    if callable(prop.read):
        return prop.read(found)
    value = jmespath.search(prop.read, found) if prop.read else lookup(found, prop.at or name)
    return from_aws(value, prop.names)
