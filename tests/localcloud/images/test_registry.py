import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from ecr.transfer import MANIFEST_TYPE
from localcloud.images import registry
from localcloud.images.errors import ImageError
from localcloud.images.oci import Image, digest_of
from localcloud.images.packing import pack
from localcloud.images.reference import ImageReference
from localcloud.images.registry import EcrClient, fetch_blob, fetch_manifest, push

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def test_what_was_pushed_comes_back_byte_for_byte(ecr: EcrClient, repository: str, image: Image) -> None:
    assert push(ecr, repository, image, "1.0") == image.digest
    reference = ImageReference(REGISTRY, repository, image.digest)
    assert fetch_manifest(ecr, reference) == image.manifest
    for digest, blob in image.blobs.items():
        assert fetch_blob(ecr, reference, digest) == blob


def test_a_layer_of_several_parts_arrives_whole(
    ecr: EcrClient, repository: str, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "PART_BYTES", 1000)
    push(ecr, repository, image, "1.0")
    reference = ImageReference(REGISTRY, repository, image.digest)
    assert fetch_blob(ecr, reference, digest_of(image.layers[0])) == image.layers[0]


def test_pushing_again_sends_no_layer(ecr: EcrClient, repository: str, image: Image) -> None:
    sent: list[str] = []
    push(ecr, repository, image, "1.0")
    ecr.meta.events.register("before-call.ecr", lambda model, **_: sent.append(model.name), unique_id="sent")
    try:
        assert push(ecr, repository, image, "1.0") == image.digest
        assert push(ecr, repository, image, "1.0-again") == image.digest
    finally:
        ecr.meta.events.unregister("before-call.ecr", unique_id="sent")
    assert "InitiateLayerUpload" not in sent
    [described] = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert sorted(described["imageTags"]) == ["1.0", "1.0-again"]
    assert described["imageDigest"] == image.digest


def test_an_immutable_tag_keeps_its_image(ecr: EcrClient, repository: str, image: Image, source: Path) -> None:
    push(ecr, repository, image, "1.0")
    (source / "wsgi.py").write_text("changed")
    other = pack(source, {})
    with pytest.raises(ImageError, match=f"'1.0' of {repository} is immutable and already means {image.digest}"):
        push(ecr, repository, other, "1.0")


def test_a_missing_repository_is_named(ecr: EcrClient, image: Image) -> None:
    with pytest.raises(ImageError, match="there is no repository 'nowhere'"):
        push(ecr, "nowhere", image, "1.0")


def test_a_missing_image_or_layer_is_named(ecr: EcrClient, repository: str) -> None:
    reference = ImageReference(REGISTRY, repository, "sha256:" + "0" * 64)
    with pytest.raises(ImageError, match=f"{repository} has no image sha256:0000"):
        fetch_manifest(ecr, reference)
    with pytest.raises(ImageError, match=r"ECR refused.*LayersNotFound"):
        fetch_blob(ecr, reference, reference.digest)


def test_moto_refuses_a_layer_that_is_not_what_its_digest_says(ecr: EcrClient, repository: str) -> None:
    upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    ecr.upload_layer_part(
        repositoryName=repository, uploadId=upload, partFirstByte=0, partLastByte=2, layerPartBlob=b"abc"
    )
    with pytest.raises(ClientError, match="InvalidLayerException"):
        ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=["sha256:" + "0" * 64])


def test_moto_gives_an_image_the_digest_of_its_manifest(ecr: EcrClient, repository: str, image: Image) -> None:
    """As the AWS command line puts it, without saying the digest."""
    put = ecr.put_image(
        repositoryName=repository,
        imageManifest=image.manifest.decode(),
        imageManifestMediaType=MANIFEST_TYPE,
        imageTag="1.0",
    )
    assert put["image"]["imageId"]["imageDigest"] == image.digest


def test_layers_of_a_deleted_repository_are_gone(ecr: EcrClient, repository: str, image: Image) -> None:
    push(ecr, repository, image, "1.0")
    layer = digest_of(image.layers[0])
    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=layer)["downloadUrl"]
    assert url.startswith(f"{ecr.meta.endpoint_url}/_teal/blobs/123456789012/eu-west-1/")
    assert httpx.get(url, trust_env=False).status_code == 200
    ecr.delete_repository(repositoryName=repository, force=True)
    assert httpx.get(url, trust_env=False).status_code == 404
    assert httpx.get(f"{ecr.meta.endpoint_url}/_teal/blobs/x", trust_env=False).status_code == 404


class FakeEcr:
    """Answers with one manifest and one address, whatever is asked."""

    def __init__(self, manifest: str, url: str) -> None:
        self.manifest, self.url = manifest, url

    def batch_get_image(self, **_: Any) -> dict[str, Any]:
        return {"images": [{"imageManifest": self.manifest}]}

    def get_download_url_for_layer(self, **_: Any) -> dict[str, Any]:
        return {"downloadUrl": self.url}


def test_a_changed_manifest_is_refused(image: Image) -> None:
    forged = json.dumps({**json.loads(image.manifest), "annotations": {"x": base64.b64encode(b"y").decode()}})
    with pytest.raises(ImageError, match="it was changed or cut short"):
        fetch_manifest(FakeEcr(forged, ""), ImageReference(REGISTRY, "r", image.digest))


@pytest.mark.parametrize("url", ["https://bucket.example/layer", "http://10.0.0.1/x", "file:///etc/passwd"])
def test_a_layer_is_never_fetched_from_elsewhere(url: str) -> None:
    with pytest.raises(ImageError, match="must be on loopback"):
        fetch_blob(FakeEcr("", url), ImageReference(REGISTRY, "r", "sha256:"), "sha256:")
