"""Moves images to and from ECR, through its API alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from ecr import transfer
from ecr.transfer import MANIFEST_TYPE, PART_BYTES, SINGLE_TYPES, code_of
from localcloud.images.errors import ImageError
from localcloud.images.oci import Image, digest_of
from localcloud.images.reference import ImageReference

LARGEST_BLOB_BYTES = 512 * 1024 * 1024
# boto3's client is made at run time from a service model, so its operations have no types.
EcrClient = Any


def push(client_ecr: EcrClient, repository_name: str, image: Image, tag: str) -> str:
    """Puts image into the repository under tag and returns its digest; what is there already is not sent again.

    Raises ImageError where the repository is missing or its tag, being immutable, already means another image.
    """
    target = transfer.Repository(client_ecr, repository_name)
    with _explained(repository_name):
        for digest in transfer.missing(target, image.blobs):
            transfer.upload(target, digest, _parts(image.blobs[digest]))
        if not transfer.put_manifest(target, image.manifest, MANIFEST_TYPE, image.digest, tag):
            _check_tag(client_ecr, repository_name, tag, image.digest)
    return image.digest


def fetch_manifest(client_ecr: EcrClient, reference: ImageReference) -> bytes:
    """The manifest that reference names, checked against the digest. Raises ImageError."""
    with _explained(reference.repository):
        found = transfer.manifest_of(_source(client_ecr, reference), reference.digest, SINGLE_TYPES)
    if found is None:
        raise ImageError(f"{reference.repository} has no image {reference.digest}")
    return _checked(found[0], reference.digest, "manifest")


def fetch_blob(client_ecr: EcrClient, reference: ImageReference, digest: str) -> bytes:
    """The config or layer with digest, checked against it. Raises ImageError, also for a URL that is not loopback."""
    with _explained(reference.repository):
        url = transfer.address_of(_source(client_ecr, reference), digest)
    return _checked(_download(url), digest, "layer")


def _source(client_ecr: EcrClient, reference: ImageReference) -> transfer.Repository:
    return transfer.Repository(client_ecr, reference.repository, reference.account or "")


def _parts(blob: bytes) -> Iterator[bytes]:
    return (blob[first : first + PART_BYTES] for first in range(0, len(blob), PART_BYTES))


def _check_tag(client_ecr: EcrClient, repository_name: str, tag: str, digest: str) -> None:
    images = client_ecr.batch_get_image(repositoryName=repository_name, imageIds=[{"imageTag": tag}])["images"]
    tagged = {image["imageId"]["imageDigest"] for image in images}
    if tagged != {digest}:
        raise ImageError(
            f"the tag {tag!r} of {repository_name} is immutable and already means {', '.join(sorted(tagged))}, "
            f"not {digest}"
        )


def _download(url: str) -> bytes:
    """The bytes at url, at most 512 MiB. The embedded cloud never leaves this machine, whatever ECR's answer says."""
    if not transfer.is_on_loopback(url):
        raise ImageError(f"a layer's address must be on loopback, got {url}")
    content = bytearray()
    try:
        for part in transfer.parts_at(url):
            content += part
            if len(content) > LARGEST_BLOB_BYTES:
                raise ImageError(f"a layer of more than {LARGEST_BLOB_BYTES} bytes is not taken")
    except httpx.HTTPError as error:
        raise ImageError(f"a layer could not be downloaded from {url}: {error}") from error
    return bytes(content)


def _checked(content: bytes, digest: str, what: str) -> bytes:
    found = digest_of(content)
    if found != digest:
        raise ImageError(f"the {what} {digest} arrived as {found}: it was changed or cut short")
    return content


@contextmanager
def _explained(repository_name: str) -> Iterator[None]:
    """Turns what ECR or the way to it answers into an ImageError."""
    try:
        yield
    except ClientError as error:
        if code_of(error) == "RepositoryNotFoundException":
            raise ImageError(f"there is no repository {repository_name!r}; bring the environment up first") from error
        raise ImageError(f"ECR refused: {error}") from error
    except BotoCoreError as error:
        raise ImageError(f"ECR cannot be reached: {error}") from error
