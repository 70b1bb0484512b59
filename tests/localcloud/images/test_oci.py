import json

import pytest

from localcloud.images.errors import ImageError
from localcloud.images.oci import Image, is_packed, read_config, read_manifest

BLOB = {"digest": "sha256:" + "0" * 64}


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        ({"manifests": []}, "an index of images"),
        ({"config": BLOB}, "does not name a config and layers"),
        ({"config": {"digest": "sha256:../../x"}, "layers": [BLOB]}, "a digest that is none"),
        ([], "not a JSON object"),
    ],
)
def test_a_manifest_of_another_kind_is_refused(manifest: object, problem: str) -> None:
    with pytest.raises(ImageError, match=problem):
        read_manifest(json.dumps(manifest).encode())


@pytest.mark.parametrize("layers", [[], [BLOB, BLOB]])
def test_without_docker_an_image_has_one_layer(layers: list[object]) -> None:
    manifest = read_manifest(json.dumps({"config": BLOB, "layers": layers}).encode())
    with pytest.raises(ImageError, match=f"has {len(layers)} layers, and without Docker an image has just one"):
        _ = manifest.layer_digest


def test_an_image_tells_whether_it_was_packed(image: Image) -> None:
    assert is_packed(image.config)
    assert not is_packed(b'{"history": [{"created_by": "RUN make"}]}')
    assert not is_packed(b"{}")


@pytest.mark.parametrize(
    ("config", "problem"),
    [({}, "does not say how"), ({"config": {}}, "no command"), ({"config": {"Cmd": [1]}}, "no command")],
)
def test_an_image_without_a_command_is_refused(config: object, problem: str) -> None:
    with pytest.raises(ImageError, match=problem):
        read_config(json.dumps(config).encode())


def test_what_is_not_json_is_said_to_be_so() -> None:
    with pytest.raises(ImageError, match="config is not JSON"):
        read_config(b"{")
