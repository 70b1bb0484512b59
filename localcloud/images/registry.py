"""Moves images to and from ECR, through its API alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.images.errors import ImageError
from localcloud.images.oci import MANIFEST_TYPE, Image, digest_of
from localcloud.images.reference import ImageReference

PART_BYTES = 5 * 1024 * 1024  # ECR's smallest part; base64 of it still fits into a request
LARGEST_BLOB_BYTES = 512 * 1024 * 1024
DOWNLOAD_SECONDS = 30.0
# boto3's client is made at run time from a service model, so its operations have no types.
EcrClient = Any
MANIFEST_TYPES = [MANIFEST_TYPE, "application/vnd.docker.distribution.manifest.v2+json"]


def push(client_ecr: EcrClient, repository_name: str, image: Image, tag: str) -> str:
    """Puts image into the repository under tag and returns its digest; what is there already is not sent again.

    Raises ImageError where the repository is missing or its tag, being immutable, already means another image.
    """
    with _explained(repository_name):
        have = client_ecr.batch_check_layer_availability(
            repositoryName=repository_name, layerDigests=list(image.blobs)
        )["layers"]
        available = {layer["layerDigest"] for layer in have if layer["layerAvailability"] == "AVAILABLE"}
        for digest, blob in image.blobs.items():
            if digest not in available:
                _upload(client_ecr, repository_name, digest, blob)
        try:
            client_ecr.put_image(
                repositoryName=repository_name,
                imageManifest=image.manifest.decode(),
                imageManifestMediaType=MANIFEST_TYPE,
                imageDigest=image.digest,
                imageTag=tag,
            )
        except ClientError as error:
            if _code(error) != "ImageAlreadyExistsException":
                raise
            _check_tag(client_ecr, repository_name, tag, image.digest)
    return image.digest


def fetch_manifest(client_ecr: EcrClient, reference: ImageReference) -> bytes:
    """The manifest that reference names, checked against the digest. Raises ImageError."""
    with _explained(reference.repository):
        answer = client_ecr.batch_get_image(
            repositoryName=reference.repository,
            imageIds=[{"imageDigest": reference.digest}],
            acceptedMediaTypes=MANIFEST_TYPES,
            **_registry(reference),
        )
    if not answer["images"]:
        raise ImageError(f"{reference.repository} has no image {reference.digest}")
    manifest = str(answer["images"][0]["imageManifest"]).encode()
    return _checked(manifest, reference.digest, "manifest")


def fetch_blob(client_ecr: EcrClient, reference: ImageReference, digest: str) -> bytes:
    """The config or layer with digest, checked against it. Raises ImageError, also for a URL that is not loopback."""
    with _explained(reference.repository):
        answer = client_ecr.get_download_url_for_layer(
            repositoryName=reference.repository, layerDigest=digest, **_registry(reference)
        )
    return _checked(_download(str(answer["downloadUrl"])), digest, "layer")


def _upload(client_ecr: EcrClient, repository_name: str, digest: str, blob: bytes) -> None:
    upload_id = client_ecr.initiate_layer_upload(repositoryName=repository_name)["uploadId"]
    for first in range(0, len(blob), PART_BYTES):
        part = blob[first : first + PART_BYTES]
        client_ecr.upload_layer_part(
            repositoryName=repository_name,
            uploadId=upload_id,
            partFirstByte=first,
            partLastByte=first + len(part) - 1,
            layerPartBlob=part,
        )
    try:
        client_ecr.complete_layer_upload(repositoryName=repository_name, uploadId=upload_id, layerDigests=[digest])
    except ClientError as error:
        if _code(error) != "LayerAlreadyExistsException":  # someone else was quicker
            raise


def _check_tag(client_ecr: EcrClient, repository_name: str, tag: str, digest: str) -> None:
    images = client_ecr.batch_get_image(repositoryName=repository_name, imageIds=[{"imageTag": tag}])["images"]
    tagged = {image["imageId"]["imageDigest"] for image in images}
    if tagged != {digest}:
        raise ImageError(
            f"the tag {tag!r} of {repository_name} is immutable and already means {', '.join(sorted(tagged))}, "
            f"not {digest}"
        )


def _registry(reference: ImageReference) -> dict[str, str]:
    return {"registryId": reference.account} if reference.account else {}


def _download(url: str) -> bytes:
    """The bytes at url, at most 512 MiB. The embedded cloud never leaves this machine, whatever ECR's answer says."""
    if not (urlsplit(url).hostname or "").startswith("127."):
        raise ImageError(f"a layer's address must be on loopback, got {url}")
    content = bytearray()
    try:
        with httpx.stream("GET", url, timeout=DOWNLOAD_SECONDS, trust_env=False) as response:
            response.raise_for_status()
            for part in response.iter_bytes():
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
        if _code(error) == "RepositoryNotFoundException":
            raise ImageError(f"there is no repository {repository_name!r}; bring the environment up first") from error
        raise ImageError(f"ECR refused: {error}") from error
    except BotoCoreError as error:
        raise ImageError(f"ECR cannot be reached: {error}") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
