"""Brings an image from one repository of ECR into another, byte for byte, so that its digest stays the same.

By the registries' API alone: no Docker, and no login. Each layer goes through this process part by part.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import httpx
import stamina
from botocore.exceptions import ClientError

from ecr.transfer import (
    INDEX_TYPES,
    SINGLE_TYPES,
    Repository,
    UnsafeAddress,
    address_of,
    manifest_of,
    missing,
    parts_at,
    put_manifest,
    upload,
)
from release.adapters.ecr import has_image
from release.errors import ImageNotCopied

ATTEMPTS = 3
BUILD_PREFIX = "build-"
"""Tags by which a repository's lifecycle keeps the newest images (components/registry_policies.py)."""
_REFERENCE = re.compile(
    r"(?P<registry>(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?)"
    r"/(?P<name>[a-z0-9]+(?:[._/-][a-z0-9]+)*)@(?P<digest>sha256:[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Reference:
    """An image by its digest, in a repository of ECR."""

    account: str
    """AWS account, 12 digits, that the registry belongs to."""
    region: str
    repository_url: str
    repository_name: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """The image REGISTRY/NAME@sha256:DIGITS. Raises ValueError for a tag, and for another registry."""
        found = _REFERENCE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no image of ECR by its digest: ACCOUNT.dkr.ecr.REGION…/NAME@sha256:…")
        url = f"{found['registry']}/{found['name']}"
        return cls(found["account"], found["region"], url, found["name"], found["digest"])

    def __str__(self) -> str:
        return f"{self.repository_url}@{self.digest}"


def copy_image(source: Repository, target: Repository, digest: str) -> int:
    """Brings an image into the target, with all that it names; returns the bytes of layers that were sent.

    What is there is not sent again. Raises ImageNotCopied where the source lacks something, where a part arrives
    changed, and where the target refuses.
    """
    try:
        if has_image(target.client, target.name, digest):
            return 0
        return _copy(source, target, digest, f"{BUILD_PREFIX}{digest.removeprefix('sha256:')[:16]}")
    except ClientError as error:
        told = error.response.get("Error", {})
        raise ImageNotCopied(
            f"{digest} did not get from {source.name} to {target.name}: {told.get('Code')}: {told.get('Message')}"
        ) from error


def _copy(source: Repository, target: Repository, digest: str, tag: str | None) -> int:
    manifest, kind = _manifest(source, digest)
    named = json.loads(manifest)
    if "manifests" in named:
        sent = sum(_copy(source, target, str(each["digest"]), None) for each in named["manifests"])
    else:
        wanted = (str(each["digest"]) for each in (named["config"], *named["layers"]))
        sent = sum(_move(source, target, each) for each in missing(target, wanted))
    put_manifest(target, manifest, kind or str(named.get("mediaType")), digest, tag)
    return sent


def _manifest(source: Repository, digest: str) -> tuple[bytes, str]:
    found = manifest_of(source, digest, (*SINGLE_TYPES, *INDEX_TYPES))
    if found is None:
        raise ImageNotCopied(f"{source.name} has no image {digest}")
    _check(hashlib.sha256(found[0]), digest, "manifest")
    return found


def _move(source: Repository, target: Repository, digest: str) -> int:
    """One layer or config; its bytes."""
    try:
        for attempt in stamina.retry_context(httpx.HTTPError, attempts=ATTEMPTS):
            with attempt:
                return upload(target, digest, _checked_parts(address_of(source, digest), digest))
    except (httpx.HTTPError, UnsafeAddress) as error:
        raise ImageNotCopied(
            f"layer {digest} of {source.name} can't be downloaded: {error or type(error).__name__}"
        ) from error
    raise AssertionError("stamina leaves its loop by an answer or an error")


def _checked_parts(url: str, digest: str) -> Iterator[bytes]:
    """A layer's parts. Raises ImageNotCopied after the last one, unless together they are what the digest says."""
    seen = hashlib.sha256()
    for part in parts_at(url):
        seen.update(part)
        yield part
    _check(seen, digest, "layer")


def _check(seen: Any, digest: str, what: str) -> None:
    found = f"sha256:{seen.hexdigest()}"
    if found != digest:
        raise ImageNotCopied(f"the {what} {digest} arrived as {found}: it was changed or cut short")
