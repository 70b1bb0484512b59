"""The calls by which manifests, layers and configs get into a repository of ECR and out of it.

What ECR refuses is botocore's ClientError, what goes wrong on the way to a layer httpx's HTTPError: whoever calls says
what that means to his user.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from botocore.exceptions import ClientError

PART_BYTES = 5 * 1024 * 1024
"""ECR's smallest part; its base64 still fits into a request."""
QUESTION = 100
"""Layers that ECR takes in one question."""
SILENCE_SECONDS = 60.0
"""Of a download, without a byte."""
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
SINGLE_TYPES = (MANIFEST_TYPE, "application/vnd.docker.distribution.manifest.v2+json")
"""Manifests of one image each."""
INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""Lists of manifests, one a platform."""


class UnsafeAddress(Exception):
    """A layer is offered where anybody on the way could change or read it; one line that says how."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, and a client of the region that it is in."""

    client: Any
    """boto3's, which is made at run time from a service model: its operations have no types."""
    name: str
    account: str = ""
    """AWS account of the registry, 12 digits; empty for the client's own."""

    @property
    def key(self) -> dict[str, str]:
        """What names it in a call."""
        return {"repositoryName": self.name, **({"registryId": self.account} if self.account else {})}


def manifest_of(source: Repository, digest: str, kinds: Sequence[str]) -> tuple[bytes, str] | None:
    """A manifest and its media type, empty where ECR tells none; None where there is no such image.

    It is for the caller to compare it with its digest.
    """
    answer = source.client.batch_get_image(
        **source.key, imageIds=[{"imageDigest": digest}], acceptedMediaTypes=list(kinds)
    )
    if not answer["images"]:
        return None
    [found] = answer["images"]
    return str(found["imageManifest"]).encode(), str(found.get("imageManifestMediaType") or "")


def address_of(source: Repository, digest: str) -> str:
    """Where a layer or config can be fetched for a while."""
    return str(source.client.get_download_url_for_layer(**source.key, layerDigest=digest)["downloadUrl"])


def is_on_loopback(url: str) -> bool:
    """Whether an address is of this machine alone."""
    return (urlsplit(url).hostname or "").startswith("127.")


def parts_at(url: str) -> Iterator[bytes]:
    """What is at such an address, in parts of PART_BYTES, the last one shorter.

    Raises UnsafeAddress for one that is neither of this machine nor behind TLS, HTTPError.
    """
    is_here = is_on_loopback(url)
    if urlsplit(url).scheme != "https" and not is_here:
        raise UnsafeAddress(f"it would come by {urlsplit(url).scheme}, not by https")
    # No proxy sees what is on loopback; from AWS, the user's own is wanted.
    with httpx.stream("GET", url, timeout=SILENCE_SECONDS, trust_env=not is_here) as answer:
        answer.raise_for_status()
        yield from answer.iter_bytes(PART_BYTES)


def missing(target: Repository, digests: Iterable[str]) -> list[str]:
    """Of these layers and configs, those that a repository lacks, each once."""
    wanted = list(dict.fromkeys(digests))
    found: list[str] = []
    for first in range(0, len(wanted), QUESTION):
        asked = wanted[first : first + QUESTION]
        answer = target.client.batch_check_layer_availability(**target.key, layerDigests=asked)
        there = {each["layerDigest"] for each in answer["layers"] if each["layerAvailability"] == "AVAILABLE"}
        found += [digest for digest in asked if digest not in there]
    return found


def upload(target: Repository, digest: str, parts: Iterable[bytes]) -> int:
    """Sends a layer or config; its bytes. Where `parts` raises at its end, the repository takes nothing."""
    sent, started = 0, target.client.initiate_layer_upload(**target.key)["uploadId"]
    for part in parts:
        target.client.upload_layer_part(
            **target.key,
            uploadId=started,
            partFirstByte=sent,
            partLastByte=sent + len(part) - 1,
            layerPartBlob=part,
        )
        sent += len(part)
    try:
        target.client.complete_layer_upload(**target.key, uploadId=started, layerDigests=[digest])
    except ClientError as error:
        if code_of(error) != "LayerAlreadyExistsException":  # somebody else was quicker
            raise
    return sent


def put_manifest(target: Repository, manifest: bytes, kind: str, digest: str, tag: str | None) -> bool:
    """Makes an image of what was sent; False where the tag, or without one the digest, was there already."""
    tagged = {"imageTag": tag} if tag else {}
    try:
        target.client.put_image(
            **target.key,
            imageManifest=manifest.decode(),
            imageManifestMediaType=kind,
            imageDigest=digest,
            **tagged,
        )
    except ClientError as error:
        if code_of(error) != "ImageAlreadyExistsException":
            raise
        return False
    return True


def code_of(error: ClientError) -> str:
    """AWS's name for what it has against a call."""
    return str(error.response.get("Error", {}).get("Code", ""))
