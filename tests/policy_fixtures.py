"""Stacks as data: what policy/fixtures/*.yaml hold, as rules see it in an update and in a preview."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from policy import types
from policy.model import UNKNOWN, Resource, Stack

FOLDER = Path(__file__).with_name("policy") / "fixtures"
REFERENCE = re.compile(r"\$\{(\w+)\}")
FIXTURES: Mapping[str, Mapping[str, list[Any]]] = {
    rule_id: cases
    for path in sorted(FOLDER.glob("*.yaml"))
    for rule_id, cases in yaml.safe_load(path.read_text()).items()
}


@dataclass(frozen=True)
class Case:
    """One fixture: a stack that a rule must pass or fail."""

    rule_id: str
    number: int
    resources: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.rule_id}-{self.number}"

    def stack(self, *, previewed: bool = False) -> Stack:
        """The stack; in a preview, what comes from another resource is not known."""
        return Stack(tuple(_resource(name, told[0], told[1], previewed) for name, told in self.resources.items()))


def cases(kind: str, of_rule: str | None = None) -> list[Case]:
    """The fixtures of a kind, pass or fail; all, or one rule's."""
    return [
        Case(rule_id, number, stack)
        for rule_id, by_kind in FIXTURES.items()
        if of_rule in (None, rule_id)
        for number, stack in enumerate(by_kind[kind], start=1)
    ]


def urn(name: str) -> str:
    return f"urn:pulumi:test::fixture::{name}"


def _resource(name: str, type_name: str, props: Mapping[str, Any], previewed: bool) -> Resource:
    links = {key: frozenset(urn(each) for each in _references(value)) for key, value in props.items()}
    values = {key: _filled(value, previewed) for key, value in props.items()}
    own = {} if previewed else {"id": f"{name}-id"}
    return Resource(values={**own, **values}, urn=urn(name), type=getattr(types, type_name), name=name, links=links)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from REFERENCE.findall(value)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
    elif isinstance(value, Mapping):
        yield from _references(list(value.values()))


def _filled(value: Any, previewed: bool) -> Any:
    if isinstance(value, str):
        found = REFERENCE.fullmatch(value)
        return value if not found else UNKNOWN if previewed else f"{found[1]}-id"
    if isinstance(value, list):
        return [_filled(each, previewed) for each in value]
    if isinstance(value, Mapping):
        return {key: _filled(each, previewed) for key, each in value.items()}
    return value
