import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from localcloud.images.packing import pack
from localcloud.provider import docker
from localcloud.provider.errors import NotLoopback, ProviderError, UnknownProperty
from localcloud.provider.values import UNKNOWN

IMAGE, REPOSITORY = docker.TOKEN, "aws:ecr/repository:Repository"
HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    app = tmp_path / "app"
    app.mkdir()
    (app / "Procfile").write_text("web: python serve.py\n")
    (app / "Dockerfile").write_text("FROM scratch\n")
    (app / "serve.py").write_text("print('one')\n")
    return app


@pytest.fixture
def repository(engine: Any) -> Iterator[Any]:
    made = engine.create(REPOSITORY, {"imageTagMutability": "IMMUTABLE", "forceDelete": True}, name="web-images")
    yield made
    made.delete()


@pytest.fixture
def docked(engine: Any, source: Path) -> Any:
    """The docker package, for a program in the folder above the source."""
    found = docker.package(engine.api.endpoint, source.parent)
    return replace(engine, package=found, api=found.configure({}))


@pytest.fixture
def inputs(repository: Any) -> dict[str, Any]:
    url = repository.outputs["repositoryUrl"]
    return {
        "imageName": f"{url}:build-1",
        "build": {"context": "app", "dockerfile": "app/Dockerfile", "platform": "linux/arm64", "args": {}},
        "registry": {"server": url, "username": "AWS", "password": "now"},
        "skipPush": False,
        "buildOnPreview": False,
    }


def test_an_image_lives(docked: Any, inputs: dict[str, Any], source: Path, repository: Any, call: Any) -> None:
    image = docked.create(IMAGE, inputs)
    digest = pack(source, {"org.opencontainers.image.version": "0"}).digest
    assert image.outputs["repoDigest"] == f"{repository.outputs['repositoryUrl']}@{digest}"
    assert image.outputs["baseImageName"] == inputs["imageName"]
    assert "registry" not in image.outputs
    told = call("ecr", "batch_get_image", repositoryName=repository.id, imageIds=[{"imageTag": "build-1"}])
    assert [each["imageId"]["imageDigest"] for each in told["images"]] == [digest]
    assert not image.diff().changed
    (source / "serve.py").write_text("print('two')\n")
    assert image.diff().changed == ("build",)
    image.update(imageName=inputs["imageName"].replace("build-1", "build-2"))
    assert image.outputs["repoDigest"] != f"{repository.outputs['repositoryUrl']}@{digest}"


def test_a_new_password_is_no_change(docked: Any, inputs: dict[str, Any]) -> None:
    image = docked.create(IMAGE, inputs)
    assert not image.diff(registry={**inputs["registry"], "password": "later"}).changed


def test_an_image_that_left_the_registry_is_gone(
    docked: Any, inputs: dict[str, Any], repository: Any, call: Any
) -> None:
    image = docked.create(IMAGE, inputs)
    call("ecr", "batch_delete_image", repositoryName=repository.id, imageIds=[{"imageTag": "build-1"}])
    call(
        "ecr",
        "batch_delete_image",
        repositoryName=repository.id,
        imageIds=[{"imageDigest": image.outputs["repoDigest"].partition("@")[2]}],
    )
    assert image.refresh() is None


def test_a_preview_tells_the_digest_before_it_is_pushed(docked: Any, inputs: dict[str, Any]) -> None:
    kind = docked.package.types[IMAGE]
    checked = docked.check(IMAGE, inputs)
    assert kind.planned(checked)["repoDigest"].endswith(checked["build"]["contextDigest"])
    unknown = docked.check(IMAGE, {**inputs, "imageName": UNKNOWN, "registry": {"server": UNKNOWN}})
    assert kind.planned(unknown)["repoDigest"] == UNKNOWN
    assert kind.diff(checked, unknown, frozenset()).changed == ("imageName", "registry")


def test_the_version_argument_becomes_the_label(docked: Any, inputs: dict[str, Any], source: Path) -> None:
    image = docked.create(IMAGE, {**inputs, "build": {**inputs["build"], "args": {"VERSION": "7"}}})
    packed = pack(source, {"org.opencontainers.image.version": "7"})
    assert image.outputs["repoDigest"].endswith(packed.digest)
    assert json.loads(packed.config)["config"]["Labels"] == {"org.opencontainers.image.version": "7"}


def test_a_tag_that_means_another_image_is_refused(docked: Any, inputs: dict[str, Any], source: Path) -> None:
    docked.create(IMAGE, inputs)
    (source / "serve.py").write_text("print('two')\n")
    with pytest.raises(ProviderError, match="immutable and already means"):
        docked.create(IMAGE, inputs)


def test_a_source_that_changes_meanwhile_is_refused(docked: Any, inputs: dict[str, Any], source: Path) -> None:
    checked = docked.check(IMAGE, inputs)
    (source / "serve.py").write_text("print('two')\n")
    with pytest.raises(ProviderError, match="changed while the program ran"):
        docked.package.types[IMAGE].create(docked.api, checked)


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        ("imageName", {"imageName": "docker.io/me/web:1"}, "dkr.ecr.<region>"),
        ("registry.server", {"registry": {"server": "docker.io"}}, f"registry of imageName ({HOST}), got 'docker.io'"),
        ("skipPush", {"skipPush": True}, "from the registry only"),
        ("buildOnPreview", {"buildOnPreview": True}, "does not apply property buildOnPreview"),
        ("build.target", {"build": {"target": "base"}}, "does not apply property build.target"),
        ("build.args.BASE_IMAGE", {"build": {"args": {"BASE_IMAGE": "x"}}}, "no Dockerfile reads it"),
        ("build.platform", {"build": {"platform": "windows/amd64"}}, "linux/amd64, linux/arm64, got 'windows/amd64'"),
        ("build.dockerfile", {"build": {"dockerfile": "none"}}, "found none at 'none'"),
        ("build.context", {"build": {"context": "."}}, "Procfile"),
        ("build.context", {"build": {"context": "nowhere"}}, "not a folder"),
        ("tags", {"tags": {}}, "does not apply property tags"),
    ],
)
def test_what_cannot_be_honoured_is_refused(docked: Any, path: str, change: dict[str, Any], reason: str) -> None:
    inputs = {"imageName": f"{HOST}/web:1", "build": {"context": "app"}}
    assert reason in docked.refusals(IMAGE, {**inputs, **change})[path]


@pytest.mark.parametrize("setting", ["certPath", "context"])
def test_provider_settings_that_say_another_engine_are_refused(engine: Any, setting: str) -> None:
    with pytest.raises(UnknownProperty, match=f"property {setting} of provider docker"):
        docker.package(engine.api.endpoint).configure({setting: "x"})


def test_an_endpoint_elsewhere_is_refused() -> None:
    with pytest.raises(NotLoopback):
        docker.package("https://ecr.eu-west-1.amazonaws.com")
