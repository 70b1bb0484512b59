"""Brings an image from one repository of ECR into another, byte for byte, so that its digest stays the same.

By the registries' API alone: no Docker, and no login. Each layer goes through this process part by part.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import stamina
from botocore.exceptions import ClientError

from release.adapters.ecr import has_image
from release.errors import ImageNotCopied

PART_BYTES = 5 * 1024 * 1024
"""ECR's smallest part."""
QUESTION = 100
"""Layers that ECR takes in one question."""
ATTEMPTS = 3
DOWNLOAD_SECONDS = 60.0
"""Without a byte."""
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
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


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, and a client of the region that it is in."""

    client: Any
    name: str
    account: str

    @property
    def key(self) -> dict[str, str]:
        """What names it in a call."""
        return {"registryId": self.account, "repositoryName": self.name}


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
        wanted = [str(each["digest"]) for each in (named["config"], *named["layers"])]
        sent = sum(_move(source, target, each) for each in _missing(target, list(dict.fromkeys(wanted))))
    put = {"imageManifest": manifest.decode(), "imageManifestMediaType": kind, "imageDigest": digest}
    try:
        target.client.put_image(**target.key, **put, **({"imageTag": tag} if tag else {}))
    except ClientError as error:
        if _code(error) != "ImageAlreadyExistsException":  # somebody else was quicker
            raise
    return sent


def _manifest(source: Repository, digest: str) -> tuple[bytes, str]:
    answer = source.client.batch_get_image(
        **source.key, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=list(MANIFEST_TYPES)
    )
    if not answer["images"]:
        raise ImageNotCopied(f"{source.name} has no image {digest}")
    [found] = answer["images"]
    manifest = str(found["imageManifest"]).encode()
    _check(hashlib.sha256(manifest), digest, "manifest")
    kind = found.get("imageManifestMediaType") or json.loads(manifest).get("mediaType")
    return manifest, str(kind)


def _missing(target: Repository, digests: Sequence[str]) -> Iterator[str]:
    for first in range(0, len(digests), QUESTION):
        asked = list(digests[first : first + QUESTION])
        answer = target.client.batch_check_layer_availability(**target.key, layerDigests=asked)
        there = {each["layerDigest"] for each in answer["layers"] if each["layerAvailability"] == "AVAILABLE"}
        yield from (digest for digest in asked if digest not in there)


def _move(source: Repository, target: Repository, digest: str) -> int:
    """One layer or config; its bytes."""
    try:
        for attempt in stamina.retry_context(httpx.HTTPError, attempts=ATTEMPTS):
            with attempt:
                return _move_once(source, target, digest)
    except httpx.HTTPError as error:
        raise ImageNotCopied(
            f"layer {digest} of {source.name} can't be downloaded: {error or type(error).__name__}"
        ) from error
    raise AssertionError("stamina leaves its loop by an answer or an error")


def _move_once(source: Repository, target: Repository, digest: str) -> int:
    url = str(source.client.get_download_url_for_layer(**source.key, layerDigest=digest)["downloadUrl"])
    is_here = (urlsplit(url).hostname or "").startswith("127.")
    if urlsplit(url).scheme != "https" and not is_here:
        raise ImageNotCopied(f"layer {digest} of {source.name} would come by {urlsplit(url).scheme}, not by https")
    seen, sent = hashlib.sha256(), 0
    upload = target.client.initiate_layer_upload(**target.key)["uploadId"]
    with httpx.stream("GET", url, timeout=DOWNLOAD_SECONDS, trust_env=not is_here, follow_redirects=True) as answer:
        answer.raise_for_status()
        for part in answer.iter_bytes(PART_BYTES):
            seen.update(part)
            target.client.upload_layer_part(
                **target.key,
                uploadId=upload,
                partFirstByte=sent,
                partLastByte=sent + len(part) - 1,
                layerPartBlob=part,
            )
            sent += len(part)
    _check(seen, digest, "layer")
    try:
        target.client.complete_layer_upload(**target.key, uploadId=upload, layerDigests=[digest])
    except ClientError as error:
        if _code(error) != "LayerAlreadyExistsException":
            raise
    return sent


def _check(seen: Any, digest: str, what: str) -> None:
    found = f"sha256:{seen.hexdigest()}"
    if found != digest:
        raise ImageNotCopied(f"the {what} {digest} arrived as {found}: it was changed or cut short")


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
