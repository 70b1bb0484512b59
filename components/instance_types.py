"""What an EC2 instance type's name says about its processor."""

import re
from collections.abc import Sequence

_TYPE = re.compile(r"[a-z]+[0-9]+(?P<traits>[a-z-]*)\.[a-z0-9-]+")


def platform(instance_types: Sequence[str]) -> str:
    """What images for these types are built for, as Docker calls it. Raises ValueError as architecture does."""
    return {"arm64": "linux/arm64", "x86_64": "linux/amd64"}[architecture(instance_types)]


def architecture(instance_types: Sequence[str]) -> str:
    """arm64 or x86_64, the one that all these types share. Raises ValueError for none, a malformed name or a mix."""
    if not instance_types:
        raise ValueError("instance_types must name at least one type, such as t4g.small")
    found = {_architecture(kind) for kind in instance_types}
    if len(found) > 1:
        raise ValueError(f"instance_types must share one architecture, got {', '.join(instance_types)}")
    return found.pop()


def _architecture(kind: str) -> str:
    match = _TYPE.fullmatch(kind)
    if not match:
        raise ValueError(f"instance_types must be names such as t4g.small, got {kind!r}")
    return "arm64" if "g" in match["traits"] else "x86_64"
