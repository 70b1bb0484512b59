"""Phrases that many rows of the table share."""

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.provider.kind import Change, Step

ACCOUNT_ID = "123456789012"
"""The one account of the embedded cloud (moto's own default)."""


def filters(wanted: Mapping[str, str]) -> list[dict[str, Any]]:
    """EC2's filters: each name with the one value it must have."""
    return [{"Name": name, "Values": [value]} for name, value in wanted.items()]


def by_id(parameter: str, *, many: bool = False) -> Callable[[Change], dict[str, Any]]:
    """Parameters that name the resource by its id, in a list where the operation wants one."""
    return lambda change: {parameter: [change.id] if many else change.id}


def deletes(method: str, parameter: str) -> Callable[[Change], None]:
    """Deletion by one call that takes the id."""

    def run(change: Change) -> None:
        change.call(method, **{parameter: change.id})

    return run


def deletes_by(method: str, parameters: Callable[[Change], dict[str, Any]]) -> Callable[[Change], None]:
    """Deletion by one call that takes more, or other things, than the id."""

    def run(change: Change) -> None:
        change.call(method, **parameters(change))

    return run


def applies(method: str, parameter: str, *of: str) -> Step:
    """A step that takes the id and the properties by name."""

    def run(change: Change) -> None:
        change.call(method, **{parameter: change.id}, **change.parameters(method, of))

    return Step(frozenset(of), run)


def ec2_arn(resource_type: str) -> Callable[[Change, dict[str, Any]], str]:
    """The ARN of an EC2 resource, which EC2 itself rarely tells: region, owner and id."""

    def arn(change: Change, found: dict[str, Any]) -> str:
        return f"arn:aws:ec2:{change.api.region}:{found.get('OwnerId', ACCOUNT_ID)}:{resource_type}/{change.id}"

    return arn
