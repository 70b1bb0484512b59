"""Between two repositories of moto's ECR, by its API on loopback."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from ecr import transfer
from ecr.transfer import INDEX_TYPES, SINGLE_TYPES, Repository
from ecr_world import new_repository, running_ecr
from release.adapters.ecr_copy import Reference, copy_image
from release.errors import ImageNotCopied

ACCOUNT = "123456789012"
(OCI, DOCKER), INDEX = SINGLE_TYPES, INDEX_TYPES[0]


@pytest.fixture(scope="module")
def ecr() -> Iterator[Any]:
    with running_ecr() as client:
        yield client


@pytest.fixture
def source(ecr: Any) -> Repository:
    return repository(ecr)


@pytest.fixture
def target(ecr: Any) -> Repository:
    return repository(ecr)


def repository(ecr: Any) -> Repository:
    return Repository(ecr, new_repository(ecr), ACCOUNT)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def push_blob(where: Repository, content: bytes) -> dict[str, Any]:
    upload = where.client.initiate_layer_upload(repositoryName=where.name)["uploadId"]
    where.client.upload_layer_part(
        repositoryName=where.name, uploadId=upload, partFirstByte=0, partLastByte=len(content) - 1,
        layerPartBlob=content,
    )  # fmt: skip
    digest = digest_of(content)
    where.client.complete_layer_upload(repositoryName=where.name, uploadId=upload, layerDigests=[digest])
    return {"digest": digest, "size": len(content)}


def push(where: Repository, kind: str = OCI, layers: tuple[bytes, ...] = (b"one", b"two")) -> str:
    """An image of several layers, written with spaces that another JSON would not have."""
    config = push_blob(where, b'{"architecture": "arm64"}')
    named = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [push_blob(where, x) for x in layers]}
    return put(where, json.dumps(named, indent=3), kind)


def put(where: Repository, manifest: str, kind: str) -> str:
    answer = where.client.put_image(repositoryName=where.name, imageManifest=manifest, imageManifestMediaType=kind)
    return str(answer["image"]["imageId"]["imageDigest"])


def layer(where: Repository, content: bytes) -> bytes:
    url = where.client.get_download_url_for_layer(repositoryName=where.name, layerDigest=digest_of(content))
    return httpx.get(url["downloadUrl"], trust_env=False).content


@pytest.mark.parametrize("kind", [OCI, DOCKER])
def test_an_image_keeps_its_digest_its_layers_and_gets_a_tag(source: Repository, target: Repository, kind: str) -> None:
    digest = push(source, kind)
    assert copy_image(source, target, digest) == len(b'{"architecture": "arm64"}') + 6
    [image] = target.client.describe_images(repositoryName=target.name)["imageDetails"]
    assert (image["imageDigest"], image["imageTags"]) == (digest, [f"build-{digest[7:23]}"])
    assert (layer(target, b"one"), layer(target, b"two")) == (b"one", b"two")


def test_what_is_there_is_not_sent_again(source: Repository, target: Repository) -> None:
    first = push(source)
    copy_image(source, target, first)
    assert copy_image(source, target, first) == 0
    second = push(source, layers=(b"one", b"three"))
    assert copy_image(source, target, second) == len(b"three")


def test_a_large_layer_goes_in_parts(source: Repository, target: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "PART_BYTES", 1000)
    large = bytes(range(256)) * 12
    copy_image(source, target, push(source, layers=(large,)))
    assert layer(target, large) == large


def test_an_image_for_two_processors_is_copied_with_both(source: Repository, target: Repository) -> None:
    named = [{"mediaType": OCI, "digest": push(source, layers=(text,)), "size": 1} for text in (b"arm", b"amd")]
    digest = put(source, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": named}), INDEX)
    copy_image(source, target, digest)
    there = {each["imageDigest"] for each in target.client.describe_images(repositoryName=target.name)["imageDetails"]}
    assert there == {digest, *(str(each["digest"]) for each in named)}
    assert layer(target, b"amd") == b"amd"


def test_a_missing_image_is_told(source: Repository, target: Repository) -> None:
    with pytest.raises(ImageNotCopied, match=f"{source.name} has no image sha256:000"):
        copy_image(source, target, "sha256:" + "0" * 64)


def test_a_missing_repository_is_told(source: Repository, ecr: Any) -> None:
    with pytest.raises(ImageNotCopied, match=r"did not get from .* to nowhere: RepositoryNotFoundException"):
        copy_image(source, Repository(ecr, "nowhere", ACCOUNT), push(source))


def test_a_layer_that_arrives_changed_is_refused(
    source: Repository, target: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = push(source)
    real = source.client.get_download_url_for_layer

    def another(**arguments: Any) -> Any:
        return real(**{**arguments, "layerDigest": digest_of(b"two")})

    monkeypatch.setattr(source.client, "get_download_url_for_layer", another)
    with pytest.raises(ImageNotCopied, match=r"arrived as sha256:.* changed or cut short"):
        copy_image(source, target, digest)
    assert target.client.describe_images(repositoryName=target.name)["imageDetails"] == []


def test_a_layer_comes_by_https_or_not_at_all(
    source: Repository, target: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = push(source)
    monkeypatch.setattr(
        source.client, "get_download_url_for_layer", lambda **_: {"downloadUrl": "http://layers.example/1"}
    )
    with pytest.raises(ImageNotCopied, match="would come by http, not by https"):
        copy_image(source, target, digest)


def test_a_reference_tells_account_region_and_repository() -> None:
    text = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/app-images-1a2b@sha256:{'0a' * 32}"
    found = Reference.parse(text)
    assert (found.account, found.region, found.repository_name) == (ACCOUNT, "eu-west-1", "app-images-1a2b")
    assert str(found) == text


@pytest.mark.parametrize("text", ["app:latest", "docker.io/app@sha256:" + "0a" * 32, f"{ACCOUNT}.dkr.ecr.x/app:1", ""])
def test_a_tag_or_another_registry_is_no_reference(text: str) -> None:
    with pytest.raises(ValueError, match="is no image of ECR by its digest"):
        Reference.parse(text)
