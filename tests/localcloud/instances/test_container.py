import base64
import json
from typing import Any

import pytest
import yaml

from localcloud.instances.container import ContainerSpec, from_user_data
from localcloud.instances.errors import InstanceError

IMAGE = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/teal-dev@sha256:{'0a' * 32}"
CONTAINER = {"image": IMAGE, "port": 8080, "colour": "blue", "environment": {"TEAL_DEMO": "1"}}


def user_data(content: Any = None, **entry: Any) -> str:
    text = json.dumps(CONTAINER) if content is None else content
    files = [
        {"path": "/etc/other", "content": "x"},
        {"path": "/etc/teal/container.json", "content": text, "permissions": "0644", **entry},
    ]
    return "#cloud-config\n" + yaml.safe_dump({"package_update": True, "write_files": files})


def test_the_container_is_found_among_the_files() -> None:
    spec = from_user_data(user_data())
    assert spec is not None
    assert (str(spec.image), spec.port, spec.colour, spec.environment) == (IMAGE, 8080, "blue", {"TEAL_DEMO": "1"})


def test_a_data_volume_is_named_by_its_id() -> None:
    spec, plain = (
        from_user_data(user_data(json.dumps({**CONTAINER, "volume": {"id": "vol-01"}}))),
        from_user_data(user_data()),
    )
    assert spec is not None
    assert plain is not None
    assert (spec.volume_id, plain.volume_id) == ("vol-01", "")


def test_base64_is_understood_too() -> None:
    encoded = base64.b64encode(user_data().encode()).decode()
    assert from_user_data(encoded) == from_user_data(user_data())
    assert isinstance(from_user_data(encoded), ContainerSpec)


@pytest.mark.parametrize(
    "text",
    ["", "#!/bin/sh\ntrue\n", "#cloud-config\n", "#cloud-config\nwrite_files: []\n", "#cloud-config\n- a\n"],
)
def test_user_data_without_a_container_has_none(text: str) -> None:
    assert from_user_data(text) is None


def test_an_empty_image_means_that_nothing_is_released() -> None:
    assert from_user_data(user_data(json.dumps({**CONTAINER, "image": ""}))) is None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"image": "teal:latest"}, "image in /etc/teal/container.json: an image is named"),
        ({"image": None}, "an image is named"),
        ({"port": 0}, "port in .* must be a number from 1 to 65535, got 0"),
        ({"port": "8080"}, "port in .* got '8080'"),
        ({"port": True}, "port in .* got True"),
        ({"colour": "red"}, "colour in .* must be blue or green, got 'red'"),
        ({"colour": ["blue"]}, "colour in"),
        ({"volume": "vol-01"}, "volume in .* must be an object with the id of a volume, got 'vol-01'"),
        ({"volume": {"id": "../vol-01"}}, "volume in .* must be an object with the id of a volume"),
        ({"volume": {}}, "volume in .* must be an object with the id of a volume"),
        ({"secrets": {}}, "secrets in .* must be pairs"),
        ({"secrets": [["A"]]}, "secrets in .* must be pairs"),
        ({"secrets": [["A", 1]]}, "secrets in .* must be pairs"),
        ({"secrets": [["A B", "/a"]]}, "secrets in .* must be pairs"),
        ({"secrets": [["A", "a"]]}, "secrets in .* must be pairs"),
        ({"environment": []}, "environment in .* must be an object"),
        ({"environment": {"A B": "x"}}, "'A B' must be a variable's name"),
        ({"environment": {"A": 1}}, "'A' must be a variable's name with a text"),
    ],
)
def test_a_wrong_container_is_named(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(InstanceError, match=problem):
        from_user_data(user_data(json.dumps({**CONTAINER, **change})))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("#cloud-config\n: : :\n\t-", "the user data is not YAML"),
        (user_data("{"), "container.json is not JSON"),
        (user_data("[]"), "container.json is not a JSON object"),
        (user_data(encoding="gz+b64"), "is encoded as gz"),
        (user_data(content=7), "no text as its content"),
        ("%%%%", "neither text"),
        (base64.b64encode(b"\x1f\x8b\x08\xff\xfe").decode(), "neither text"),
    ],
)
def test_unreadable_user_data_is_one_line(text: str, problem: str) -> None:
    with pytest.raises(InstanceError, match=problem) as caught:
        from_user_data(text)
    assert "\n" not in str(caught.value)


def test_a_secret_stays_out_of_the_message() -> None:
    with pytest.raises(InstanceError) as caught:
        from_user_data(user_data(json.dumps({**CONTAINER, "environment": {"A B": "hush"}})))
    assert "hush" not in str(caught.value)
