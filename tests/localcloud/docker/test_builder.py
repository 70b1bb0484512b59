"""The builder without a build: what it goes by, and what it says when Docker fails."""

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cli.app_image import push_app
from cli_world import record_of
from localcloud.docker.builder import EngineBuilder
from localcloud.docker.errors import DockerError, NoDocker
from localcloud.home import DriverName
from localcloud.images.errors import ImageError

BUILD = {"context": "app", "dockerfile": "app/Dockerfile", "args": {"VERSION": "1"}}


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TEAL_BASE_IMAGE", raising=False)
    app = tmp_path / "app"
    app.mkdir()
    (app / "Dockerfile").write_text("FROM scratch\n")
    (app / "serve.py").write_text("one\n")
    (app / ".dockerignore").write_text("**/*.pyc\n")
    return app


@pytest.fixture
def builder(source: Path) -> EngineBuilder:
    return EngineBuilder(source.parent, source.parent / "build.log")


def test_another_source_is_another_fingerprint(
    builder: EngineBuilder, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [builder.fingerprint(BUILD)]
    (source / "serve.pyc").write_text("left out")
    assert builder.fingerprint(BUILD) == seen[0]
    (source / "serve.py").write_text("two\n")
    seen.append(builder.fingerprint(BUILD))
    (source / "serve.py").chmod(0o755)
    seen.append(builder.fingerprint(BUILD))
    (source / "link").symlink_to("serve.py")
    seen.append(builder.fingerprint(BUILD))
    (source / "Dockerfile").write_text("FROM another\n")
    seen.append(builder.fingerprint(BUILD))
    seen.append(builder.fingerprint({**BUILD, "args": {"VERSION": "2"}}))
    monkeypatch.setenv("TEAL_BASE_IMAGE", "base:1")
    seen.append(builder.fingerprint(BUILD))
    assert len(set(seen)) == len(seen) == 7
    assert builder.known_digest(seen[0]) is None


def test_a_context_that_is_missing_is_named(builder: EngineBuilder) -> None:
    with pytest.raises(ImageError, match="nowhere is not a folder to build an image from"):
        builder.fingerprint({"context": "nowhere", "dockerfile": "app/Dockerfile"})


def client_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_build: str) -> None:
    """Puts a Docker client in place that can do everything but build."""
    client = tmp_path / "docker"
    client.write_text(
        f'#!/bin/sh\ncase "$*" in\n*--help*) echo --secret;;\n*version*) echo 20.10;;\n*build*) {on_build};;\nesac\n'
    )
    client.chmod(0o755)
    monkeypatch.setenv("DOCKER", str(client))


def test_a_build_that_fails_says_why_in_one_line(
    builder: EngineBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_that(tmp_path, monkeypatch, "echo '#5 apt-get'; echo; echo 'ERROR: no route to host' >&2; exit 1")
    with pytest.raises(
        DockerError, match=r"docker build failed: #5 apt-get / ERROR: no route to host \(all of it: .*build.log\)"
    ):
        builder.make(BUILD)


def test_without_a_client_it_says_so(builder: EngineBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER", str(tmp_path / "nobody"))
    with pytest.raises(NoDocker, match="no Docker client is installed"):
        builder.make(BUILD)


def test_it_builds_in_the_engine_of_its_cloud_whatever_is_chosen_here(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_that(tmp_path, monkeypatch, "exit 1")
    text = (tmp_path / "docker").read_text()
    (tmp_path / "docker").write_text(text.replace("case", f'echo "$*" >> {tmp_path}/asked\ncase'))
    monkeypatch.setenv("DOCKER_HOST", "unix:///another.sock")
    record = replace(record_of(psutil.Process()), driver=DriverName.DOCKER, docker_host="unix:///the-clouds.sock")
    monkeypatch.setenv("TEAL_HOME", str(tmp_path / "home"))
    with pytest.raises(DockerError):
        push_app(source.parent, None, "shop", {}, record)
    asked = [line for line in (tmp_path / "asked").read_text().splitlines() if "--help" not in line]
    assert [line for line in asked if not line.startswith("--host unix:///the-clouds.sock ")] == []
    assert any(" build --network host " in line for line in asked)
