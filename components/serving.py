"""Serves components to programs in other languages; an input that can't be is told by the name that they gave it."""

import re
import sys
from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi.provider import ConstructResult, main
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError

FIRST_WORD = re.compile(r"[a-z][a-z0-9_]*")


class Served(ComponentProvider):  # type: ignore[misc]  # this part of the SDK is untyped
    """The SDK's own, but for inputs out of bounds: whoever writes YAML has no use for a stack trace of ours."""

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Mapping[str, pulumi.Input[Any]],
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Makes the component. Raises InputPropertyError where that raises ValueError."""
        try:
            made: ConstructResult = super().construct(name, resource_type, inputs, options)
        except ComponentInitError as problem:
            if not isinstance(problem.inner, ValueError):
                raise
            raise refusal(str(problem.inner)) from None
        return made


def refusal(reason: str) -> pulumi.InputPropertyError:
    """A component's own line, with the input that it begins with spelt as other languages spell it.

    >>> refusal("cidr_block must be a private block").property_path
    'cidrBlock'
    """
    found = FIRST_WORD.match(reason)
    word = found[0] if found else ""
    head, *tail = word.split("_")
    spelt = head + "".join(part.capitalize() for part in tail)
    return pulumi.InputPropertyError(spelt, spelt + reason[len(word) :])


def serve(components: list[type[pulumi.ComponentResource]], package: str, version: str) -> None:
    """Answers the engine that started this process, until it ends."""
    main(Served(components, package, None, version), sys.argv[1:])
