import base64
import json
from typing import Any

import pytest

from localcloud.provider.errors import ProviderError

ZONE, REPOSITORY = "aws:route53/zone:Zone", "aws:ecr/repository:Repository"
GET_ZONE, GET_IMAGE = "aws:route53/getZone:getZone", "aws:ecr/getImage:getImage"
GET_TOKEN = "aws:ecr/getAuthorizationToken:getAuthorizationToken"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "layers": [], "config": {"digest": "sha256:2"}})


def test_a_zone_is_found_by_name(engine: Any) -> None:
    zone = engine.create(ZONE, {"name": "looked.example.com", "comment": "seen", "tags": {"Team": "shop"}})
    found = engine.lookup(GET_ZONE, name="looked.example.com.", privateZone=False)
    assert (found["zoneId"], found["comment"], found["tags"]) == (zone.id, "seen", {"Team": "shop"})
    assert engine.lookup(GET_ZONE, zoneId=zone.id)["name"] == "looked.example.com"
    zone.delete()
    with pytest.raises(ProviderError, match=r"one public hosted zone looked\.example\.com, and there are none"):
        engine.lookup(GET_ZONE, name="looked.example.com")


def test_the_registry_gives_a_password(engine: Any) -> None:
    found = engine.lookup(GET_TOKEN)
    assert found["userName"] == "AWS"
    assert base64.b64decode(found["authorizationToken"]).decode() == f"AWS:{found['password']}"
    assert found["proxyEndpoint"].startswith("https://")


def test_an_image_is_found_by_tag_and_by_digest(engine: Any, call: Any) -> None:
    repository = engine.create(REPOSITORY, {"forceDelete": True})
    call("ecr", "put_image", repositoryName=repository.id, imageManifest=MANIFEST, imageTag="build-1")
    found = engine.lookup(GET_IMAGE, repositoryName=repository.id, imageTag="build-1")
    assert found["imageUri"] == f"{repository.outputs['repositoryUrl']}@{found['imageDigest']}"
    assert engine.lookup(GET_IMAGE, repositoryName=repository.id, imageDigest=found["imageDigest"])["imageTags"] == [
        "build-1"
    ]
    assert engine.lookup(GET_IMAGE, repositoryName=repository.id, mostRecent=True)["id"] == found["id"]
    with pytest.raises(ProviderError, match="either imageTag or imageDigest, or mostRecent"):
        engine.lookup(GET_IMAGE, repositoryName=repository.id)
    repository.delete()
