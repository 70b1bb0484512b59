"""A repository of ECR: what is in it, and images into it and out of it by digest, each checked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

import httpx
from botocore.exceptions import ClientError

from containers.errors import BadImage, NoSuchImage, RegistryRefused
from containers.oci_files import MOST_MANIFEST_BYTES, Blob, Layout, Manifest, read_manifest
from ecr import transfer
from ecr.transfer import PART_BYTES, SINGLE_TYPES, UnsafeAddress

LEAST_CHARACTERS = 6
"""Of a digest, for its beginning to stand for it."""
BUILD_TAG_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredImage:
    """An image in a repository."""

    digest: str
    tags: tuple[str, ...]
    size_bytes: int
    """Compressed: config and layers."""
    pushed_at: datetime


class Repository:
    """One repository of the registry that a client of ECR reaches."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self.name = client, name
        self._there = transfer.Repository(client, name)

    def images(self) -> list[StoredImage]:
        """Every image, the newest first."""
        with self._explained():
            pages = self._client.get_paginator("describe_images").paginate(repositoryName=self.name)
            found = [_stored(each) for page in pages for each in page["imageDetails"]]
        return sorted(found, key=lambda image: (image.pushed_at, image.digest), reverse=True)

    def manifest(self, digest: str) -> Manifest:
        """The manifest of an image, checked. Raises NoSuchImage, BadImage."""
        with self._explained():
            found = transfer.manifest_of(self._there, digest, SINGLE_TYPES)
        if found is None:
            raise NoSuchImage(f"{self.name} has no image {digest}")
        return read_manifest(found[0], digest)

    def small_blob(self, blob: Blob) -> bytes:
        """A blob such as a config, in memory. It is for the caller to compare it with its digest. Raises BadImage."""
        if blob.size > MOST_MANIFEST_BYTES:
            raise BadImage(f"{blob.digest} has {blob.size} bytes, which no config has")
        return b"".join(self._parts(blob))

    def fetch(self, blob: Blob, into: IO[bytes]) -> None:
        """Writes a blob into a file. It is for the caller to compare it with its digest."""
        for part in self._parts(blob):
            into.write(part)

    def push(self, layout: Layout, manifest: Manifest) -> str:
        """Puts an image in that was checked before, under a tag made of its digest; the tag. What is there is not sent.

        Raises RegistryRefused.
        """
        tag = f"build-{manifest.digest.partition(':')[2][:BUILD_TAG_DIGITS]}"
        with self._explained():
            for digest in transfer.missing(self._there, (blob.digest for blob in manifest.blobs)):
                with layout.blob(digest) as file:
                    transfer.upload(self._there, digest, _parts_of(file))
            transfer.put_manifest(self._there, manifest.content, manifest.media_type, manifest.digest, tag)
        return tag

    def remove(self, digests: Sequence[str]) -> None:
        """Takes images out, with all their tags. Raises RegistryRefused."""
        with self._explained():
            answer = self._client.batch_delete_image(
                repositoryName=self.name, imageIds=[{"imageDigest": digest} for digest in digests]
            )
        for failure in answer["failures"]:
            if failure["failureCode"] != "ImageNotFound":
                raise RegistryRefused(f"{self.name}: {failure['failureReason']}")

    def _parts(self, blob: Blob) -> Iterator[bytes]:
        with self._explained():
            url = transfer.address_of(self._there, blob.digest)
        try:
            yield from transfer.parts_at(url)
        except UnsafeAddress as error:
            raise BadImage(f"{blob.digest}: {error}") from error
        except httpx.HTTPError as error:
            raise BadImage(f"{blob.digest} could not be downloaded: {type(error).__name__}") from error

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            told = error.response["Error"]
            raise RegistryRefused(f"{self.name}: {told.get('Message') or told.get('Code')}") from error


def chosen(images: Sequence[StoredImage], wanted: str) -> StoredImage:
    """The image that a digest, the beginning of one (with or without sha256:) or a tag names. Raises NoSuchImage."""
    bare = wanted.removeprefix("sha256:")
    found = [image for image in images if wanted in (image.digest, *image.tags)]
    if not found and len(bare) >= LEAST_CHARACTERS:
        found = [image for image in images if image.digest.startswith(f"sha256:{bare}")]
    if len(found) == 1:
        return found[0]
    known = ", ".join(image.digest[:19] for image in found or images) or "none"
    what = f"{wanted!r} is the beginning of several" if found else f"there is no image {wanted!r}"
    raise NoSuchImage(f"{what}: there are {known}")


def _parts_of(file: IO[bytes]) -> Iterator[bytes]:
    while part := file.read(PART_BYTES):
        yield part


def _stored(told: Any) -> StoredImage:
    return StoredImage(
        digest=told["imageDigest"],
        tags=tuple(sorted(told.get("imageTags", ()))),
        size_bytes=int(told.get("imageSizeInBytes") or 0),
        pushed_at=told["imagePushedAt"],
    )
