"""A rule, as a value: what it asks for, why, what to do about it, and the pure function that checks it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NotRequired, TypedDict, Unpack

from policy.model import Resource, Stack

Found = Iterator[str]
"""What is wrong, a sentence each; none where nothing is. Never repeats a value that may be secret."""


class Scope(StrEnum):
    """What a rule has to see, and so when it is asked."""

    RESOURCE = "resource"
    """One resource: asked in a preview, and again in an update before the resource is made."""
    STACK = "stack"
    """How resources belong together: asked at the end of a preview and at the end of an update."""


class Severity(StrEnum):
    """How bad it is to break a rule."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule about resources of some types."""

    id: str
    row: int
    """Row of the checklist that it belongs to; policy/checklist.py has them."""
    types: tuple[str, ...]
    title: str
    """What must be so."""
    reason: str
    """What may happen otherwise."""
    remedy: str
    """What to write instead."""
    severity: Severity = Severity.MEDIUM
    scope: Scope
    check: Callable[[Resource, Stack], Found]


class Words(TypedDict):
    """What a rule says, and how bad it is to break it."""

    title: str
    reason: str
    remedy: str
    severity: NotRequired[Severity]


def rule(
    id: str,  # noqa: A002  # it is the rule's id
    row: int,
    *types: str,
    **words: Unpack[Words],
) -> Callable[[Callable[[Resource], Found]], Rule]:
    """Makes a rule of a function that looks at one resource of these types."""

    def made(check: Callable[[Resource], Found]) -> Rule:
        def alone(resource: Resource, _: Stack) -> Found:
            return check(resource)

        return Rule(id=id, row=row, types=types, scope=Scope.RESOURCE, check=alone, **words)

    return made


def stack_rule(
    id: str,  # noqa: A002  # it is the rule's id
    row: int,
    *types: str,
    **words: Unpack[Words],
) -> Callable[[Callable[[Resource, Stack], Found]], Rule]:
    """Makes a rule of a function that looks at one resource of these types and at the stack that it is in."""

    def made(check: Callable[[Resource, Stack], Found]) -> Rule:
        return Rule(id=id, row=row, types=types, scope=Scope.STACK, check=check, **words)

    return made
