"""The name that an image is run by: registry/repository@sha256:HEX."""

import re
from dataclasses import dataclass

from localcloud.images.errors import ImageError

REFERENCE = re.compile(
    r"(?P<registry>[a-z0-9][a-z0-9.:-]*)/(?P<repository>[a-z0-9]+(?:[._/-][a-z0-9]+)*)@(?P<digest>sha256:[0-9a-f]{64})"
)
ECR_REGISTRY = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image by the digest of its manifest; never by a tag, which could come to mean another image."""

    registry: str
    repository: str
    digest: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}@{self.digest}"

    @property
    def account(self) -> str | None:
        """The AWS account of an ECR registry, or None where the registry is not ECR's."""
        parts = ECR_REGISTRY.fullmatch(self.registry)
        return parts["account"] if parts else None

    @property
    def region(self) -> str | None:
        """The region of an ECR registry, or None where the registry is not ECR's."""
        parts = ECR_REGISTRY.fullmatch(self.registry)
        return parts["region"] if parts else None


def parse_reference(text: str) -> ImageReference:
    """The reference that text is. Raises ImageError for a tag, a short digest, or anything else."""
    parts = REFERENCE.fullmatch(text)
    if parts is None:
        raise ImageError(f"an image is named registry/repository@sha256:<64 hex digits>, got {text!r}")
    return ImageReference(parts["registry"], parts["repository"], parts["digest"])
