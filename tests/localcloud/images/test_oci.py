import json

import pytest

from localcloud.images.errors import ImageError
from localcloud.images.oci import read_config, read_manifest

BLOB = {"digest": "sha256:" + "0" * 64}


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        ({"manifests": []}, "an index of images"),
        ({"config": BLOB, "layers": [BLOB, BLOB]}, "has 2 layers"),
        ({"config": BLOB, "layers": []}, "has 0 layers"),
        ({"config": BLOB}, "does not name a config and layers"),
        ({"config": {"digest": "sha256:../../x"}, "layers": [BLOB]}, "a digest that is none"),
        ([], "not a JSON object"),
    ],
)
def test_a_manifest_of_another_kind_is_refused(manifest: object, problem: str) -> None:
    with pytest.raises(ImageError, match=problem):
        read_manifest(json.dumps(manifest).encode())


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
