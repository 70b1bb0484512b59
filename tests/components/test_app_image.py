from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.app_image import AppImage, digest_of, fingerprint
from deployed import Deployment, Recorder, deploy

DIGEST = "sha256:" + "b" * 64
URL = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop"


@pytest.fixture(autouse=True)
def pushed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider answers with the digest in the registry; the mocks with inputs only."""
    plain = Recorder.new_resource

    def with_digest(self: Recorder, args: Any) -> tuple[str, dict[str, Any]]:
        known, state = plain(self, args)
        return known, {**state, "repoDigest": f"{URL}@{DIGEST}"} if args.typ.startswith("docker:") else state

    monkeypatch.setattr(Recorder, "new_resource", with_digest)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "page.html").write_text("hello")
    return tmp_path


def built(source: Path, **changes: Any) -> Deployment:
    args: Any = {"repository_url": URL, "context": str(source), **changes}

    def program() -> None:
        image = AppImage("shop", args)
        pulumi.export("digest", image.digest)
        pulumi.export("image", image.image)

    return deploy(program)


def mark(source: Path, **changes: Any) -> str:
    inputs = {"context": str(source), "dockerfile": str(source / "Dockerfile"), "platform": "linux/arm64"}
    return fingerprint(**{**inputs, "build_args": {}, **changes})


def test_the_digest_is_that_of_the_registry(source: Path) -> None:
    assert built(source).exports == {"digest": DIGEST, "image": f"{URL}@{DIGEST}"}


def test_it_is_built_for_the_instances_processor_from_its_own_folder(source: Path) -> None:
    build = built(source, build_args={"VERSION": "7"}).resources["shop-build"].inputs["build"]
    assert build["platform"] == "linux/arm64"
    assert (build["context"], build["dockerfile"]) == (str(source), f"{source}/Dockerfile")
    assert build["args"] == {"VERSION": "7"}
    assert build["builderVersion"] == "BuilderBuildKit"


def test_the_tag_is_one_that_the_registrys_lifecycle_knows(source: Path) -> None:
    inputs = built(source, version="1.2").resources["shop-build"].inputs
    assert inputs["imageName"] == f"{URL}:build-1.2-{mark(source, build_args={'VERSION': '1.2'})}"


def test_the_build_is_told_its_version(source: Path) -> None:
    assert built(source, version="1.2").resources["shop-build"].inputs["build"]["args"] == {"VERSION": "1.2"}


def test_the_registrys_password_is_a_secret(source: Path) -> None:
    secrets: list[Any] = []

    class Seen(Recorder):
        def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # gRPC's name
            if request.type.startswith("docker:"):
                secrets.append(request.object["registry"]["password"])
            return super().RegisterResource(request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deployed.Recorder", Seen)
        built(source)
    [password] = secrets
    assert password["value"] == "one-time"
    assert (
        password["4dabf18193072939515e22adb298388d"] == "1b47061264138c4ac30d75fd1eb44270"
    )  # Pulumi's mark of a secret


def test_children_belong_to_the_component(source: Path) -> None:
    assert built(source).resources["shop-build"].parent == "shop"


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda root: (root / "static" / "page.html").write_text("good bye"),
    "a new file": lambda root: (root / "new.py").write_text(""),
    "a name": lambda root: (root / "static" / "page.html").rename(root / "static" / "other.html"),
    "a mode": lambda root: (root / "static" / "page.html").chmod(0o755),
    "a link": lambda root: (root / "link").symlink_to("nowhere"),
    "the recipe": lambda root: (root / "Dockerfile").write_text("FROM other\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_another_source_has_another_fingerprint(source: Path, change: Callable[[Path], object]) -> None:
    before = mark(source)
    change(source)
    assert mark(source) != before


def test_another_platform_or_argument_has_another_fingerprint(source: Path) -> None:
    marks = {mark(source), mark(source, platform="linux/amd64"), mark(source, build_args={"A": "1"})}
    assert len(marks) == 3


def test_what_python_and_git_leave_behind_is_no_source(source: Path) -> None:
    before = mark(source)
    (source / "__pycache__").mkdir()
    (source / "__pycache__" / "app.cpython-311.pyc").write_bytes(b"1")
    assert mark(source) == before


def test_a_reference_without_a_digest_is_refused() -> None:
    with pytest.raises(ValueError, match="the image has no digest in its registry, only 'shop:1'"):
        digest_of("shop:1")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"platform": "arm64"}, "platform must be one of linux/amd64, linux/arm64, got 'arm64'"),
        ({"version": "1/2"}, "version must be 1 to 80 letters, digits, dots, dashes or underscores, got '1/2'"),
        ({"version": "v" * 81}, "version must be 1 to 80 letters"),
        ({"context": "no/such/folder"}, "context must be a folder with the source, found no file in 'no/such/folder'"),
        ({"dockerfile": "no/Dockerfile"}, "dockerfile must be a file, found none at 'no/Dockerfile'"),
    ],
)
def test_a_wrong_input_is_refused_by_name(source: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        built(source, **changes)
