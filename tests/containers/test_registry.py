"""Images into ECR and out of it: moto with its gaps filled, on a loopback port."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from containers import registry
from containers.errors import BadImage, NoSuchImage, RegistryRefused
from containers.oci_files import Blob, Manifest, opened, read_manifest, write
from containers.registry import Repository, StoredImage, chosen
from containers_world import BLOBS, NOON, blob_of, fetch, manifest_of
from ecr_world import new_repository, running_ecr


@pytest.fixture(scope="module")
def ecr() -> Iterator[Any]:
    with running_ecr() as client:
        yield client


@pytest.fixture
def repository(ecr: Any) -> Repository:
    return Repository(ecr, new_repository(ecr))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    write(tmp_path / "image.tar", manifest_of(), fetch)
    return tmp_path / "image.tar"


def pushed(repository: Repository, archive: Path) -> Manifest:
    with opened(archive) as layout:
        manifest = layout.manifest(None)
        repository.push(layout, manifest)
    return manifest


def test_an_image_keeps_its_digest_on_the_way_in_and_out(repository: Repository, archive: Path, tmp_path: Path) -> None:
    manifest = pushed(repository, archive)
    [stored] = repository.images()
    assert stored.digest == manifest.digest
    assert stored.tags == (f"build-{manifest.digest.removeprefix('sha256:')[:16]}",)
    assert stored.size_bytes == manifest.size
    write(tmp_path / "back.tar", repository.manifest(manifest.digest), repository.fetch)
    assert (tmp_path / "back.tar").read_bytes() == archive.read_bytes()
    assert repository.small_blob(manifest.config) == BLOBS[manifest.config.digest]


def test_a_large_layer_goes_in_parts(
    repository: Repository, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "PART_BYTES", 7)
    manifest = pushed(repository, archive)
    write(tmp_path / "back.tar", repository.manifest(manifest.digest), repository.fetch)


def test_what_is_there_is_not_sent_again(ecr: Any, repository: Repository, archive: Path) -> None:
    pushed(repository, archive)
    sent: list[str] = []
    ecr.meta.events.register("before-call.ecr", lambda model, **_: sent.append(model.name), unique_id="sent")
    try:
        pushed(repository, archive)
    finally:
        ecr.meta.events.unregister("before-call.ecr", unique_id="sent")
    assert "InitiateLayerUpload" not in sent
    assert len(repository.images()) == 1


def test_removed_is_removed_with_all_tags(repository: Repository, archive: Path) -> None:
    manifest = pushed(repository, archive)
    repository.remove([manifest.digest])
    assert repository.images() == []
    repository.remove([manifest.digest])  # by somebody else before us: just what was wanted
    with pytest.raises((NoSuchImage, RegistryRefused)):
        repository.manifest(manifest.digest)


def test_a_repository_that_is_not_there_says_so(ecr: Any) -> None:
    with pytest.raises(RegistryRefused, match="no-such: The repository with name 'no-such' does not exist"):
        Repository(ecr, "no-such").images()


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://127.0.0.1/x"])
def test_a_layer_comes_by_tls_or_from_this_machine(url: str) -> None:
    class Ecr:
        def get_download_url_for_layer(self, **_: Any) -> dict[str, str]:
            return {"downloadUrl": url}

    with pytest.raises(BadImage):
        Repository(Ecr(), "app").small_blob(blob_of(b"{}"))


def test_a_config_of_many_megabytes_is_none() -> None:
    with pytest.raises(BadImage, match="which no config has"):
        Repository(None, "app").small_blob(Blob(digest="sha256:" + "0" * 64, size=2**30))


def stored(digest: str, *tags: str) -> StoredImage:
    return StoredImage(digest=f"sha256:{digest * 32}", tags=tags, size_bytes=1, pushed_at=NOON)


def test_an_image_is_named_by_digest_its_beginning_or_a_tag() -> None:
    images = [stored("0a", "build-1", "keep-1"), stored("0b")]
    for wanted in (images[0].digest, "sha256:0a0a0a", "0a0a0a", "build-1", "keep-1"):
        assert chosen(images, wanted) is images[0]
    for wanted in ("0a0a0", "build", "ffffff", ""):
        with pytest.raises(NoSuchImage, match="there is no image"):
            chosen(images, wanted)
    twins = [images[0], StoredImage(digest="sha256:0a0a0a" + "1" * 58, tags=(), size_bytes=1, pushed_at=NOON)]
    with pytest.raises(NoSuchImage, match="is the beginning of several"):
        chosen(twins, "0a0a0a")


def test_manifests_of_docker_keep_their_type() -> None:
    document = json.loads(manifest_of().content)
    document["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json"
    content = json.dumps(document).encode()
    assert read_manifest(content, blob_of(content).digest).media_type == document["mediaType"]
