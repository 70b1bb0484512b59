"""A pull by digest, as a container engine does it."""

from collections.abc import Iterator

import boto3
import httpx
import pytest

from ecr.transfer import MANIFEST_TYPE
from localcloud.api.server import ApiServer
from localcloud.images.moto_gap import blobs, install
from localcloud.images.oci import Image, digest_of
from localcloud.images.pull_front import pulls
from localcloud.images.registry import push

NAME = "123456789012/eu-west-1/team/web"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    install()
    with ApiServer(around=[blobs, pulls]) as server:
        yield server.url


@pytest.fixture
def pushed(url: str, image: Image) -> Iterator[Image]:
    ecr = boto3.client(
        "ecr", region_name="eu-west-1", endpoint_url=url, aws_access_key_id="x", aws_secret_access_key="x"
    )
    ecr.create_repository(repositoryName="team/web")
    push(ecr, "team/web", image, "one")
    yield image
    ecr.delete_repository(repositoryName="team/web", force=True)
    ecr.close()


def asked(url: str, path: str, method: str = "GET") -> httpx.Response:
    return httpx.request(method, url + path, trust_env=False)


def test_an_engine_finds_a_registry(url: str) -> None:
    answer = asked(url, "/v2/")
    assert answer.status_code == 200
    assert answer.headers["Docker-Distribution-API-Version"] == "registry/2.0"


def test_manifest_and_blobs_come_as_they_were_pushed(url: str, pushed: Image) -> None:
    manifest = asked(url, f"/v2/{NAME}/manifests/{pushed.digest}")
    assert manifest.content == pushed.manifest
    assert manifest.headers["Content-Type"] == MANIFEST_TYPE
    assert manifest.headers["Docker-Content-Digest"] == pushed.digest
    for digest, blob in pushed.blobs.items():
        assert asked(url, f"/v2/{NAME}/blobs/{digest}").content == blob


def test_a_head_tells_the_size_alone(url: str, pushed: Image) -> None:
    answer = asked(url, f"/v2/{NAME}/manifests/{pushed.digest}", "HEAD")
    assert (answer.content, int(answer.headers["Content-Length"])) == (b"", len(pushed.manifest))


@pytest.mark.parametrize(
    "path",
    [
        f"/v2/{NAME}/manifests/one",
        f"/v2/{NAME}/manifests/{digest_of(b'another')}",
        f"/v2/{NAME}/blobs/{digest_of(b'another')}",
        f"/v2/123456789012/eu-west-1/team/other/manifests/{digest_of(b'another')}",
        f"/v2/123456789012/nowhere/team/web/manifests/{digest_of(b'another')}",
    ],
)
@pytest.mark.usefixtures("pushed")
def test_what_is_not_there_is_not_found(url: str, path: str) -> None:
    assert asked(url, path).status_code == 404


def test_nothing_is_pushed_this_way(url: str, pushed: Image) -> None:
    assert asked(url, f"/v2/{NAME}/manifests/{pushed.digest}", "DELETE").status_code != 202
    assert asked(url, f"/v2/{NAME}/manifests/{pushed.digest}").status_code == 200
