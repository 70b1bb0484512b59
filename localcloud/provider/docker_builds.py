"""How an image comes out of a `build`: packed without Docker here; by a Docker engine in localcloud/docker."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from localcloud.images.oci import VERSION_LABEL, Image
from localcloud.images.packing import pack

Build = Mapping[str, Any]
"""Property `build` of docker:index/image:Image."""
Refusal = tuple[str, str]
"""Property and reason."""


class Builder(Protocol):
    """Makes images."""

    def refusals(self, build: Build) -> Iterator[Refusal]:
        """What of a build it does not honour."""

    def fingerprint(self, build: Build) -> str:
        """Another for another source. Raises ImageError, OSError."""

    def known_digest(self, fingerprint: str) -> str | None:
        """The digest that the image of this fingerprint has, where that is known before it is built."""

    def make(self, build: Build) -> Image:
        """The image, ready to push. May take long. Raises LocalCloudError, OSError."""


class Packer:
    """Packs the build context as it stands, run by the `web` line of its Procfile: the source is the digest."""

    def __init__(self, root: Path) -> None:
        """Relative paths start at root."""
        self._root = root

    def refusals(self, build: Build) -> Iterator[Refusal]:
        """Every build argument but VERSION."""
        args = build.get("args")
        for key in sorted(args.keys() - {"VERSION"}) if isinstance(args, dict) else ():
            yield f"build.args.{key}", "without Docker, no Dockerfile reads it"

    def fingerprint(self, build: Build) -> str:
        """The image's digest."""
        return self.make(build).digest

    def known_digest(self, fingerprint: str) -> str | None:
        """The fingerprint itself."""
        return fingerprint

    def make(self, build: Build) -> Image:
        """The image. Raises ImageError, OSError."""
        version = (build.get("args") or {}).get("VERSION", "0")
        return pack(self._root / str(build.get("context", ".")), {VERSION_LABEL: str(version)})
