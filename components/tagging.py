"""Tags as every component puts them on its children."""

from collections.abc import Mapping

import pulumi

Tags = Mapping[str, pulumi.Input[str]]


def named(tags: Tags, name: str) -> dict[str, pulumi.Input[str]]:
    """The caller's tags and the child's own Name, which wins over a Name among the caller's."""
    return {**tags, "Name": name}
