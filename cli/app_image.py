"""Packs the app and pushes it into an environment's registry, without Docker."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.images.packing import pack
from localcloud.images.registry import push

DEFAULT_VERSION = {"org.opencontainers.image.version": "0"}


def push_app(project: Path, ecr: Any, repository_name: str, labels: Mapping[str, str]) -> str:
    """The digest of the app as it stands, which is then in the repository. Raises ImageError."""
    image = pack(project / "app", {**DEFAULT_VERSION, **labels})
    # A tag for people: the digest is what everything goes by, and immutable tags need one that means it.
    return push(ecr, repository_name, image, tag=f"build-{image.digest.removeprefix('sha256:')[:16]}")
