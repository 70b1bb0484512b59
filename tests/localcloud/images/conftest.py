"""A folder to pack, and ECR to push to: moto with its gaps filled, on a loopback port."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecr_world import new_repository, running_ecr
from localcloud.images.oci import Image
from localcloud.images.packing import pack
from localcloud.images.registry import EcrClient


@pytest.fixture(scope="session")
def ecr() -> Iterator[EcrClient]:
    with running_ecr() as client:
        yield client


@pytest.fixture
def repository(ecr: EcrClient) -> str:
    """A repository with immutable tags."""
    return new_repository(ecr)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "static").mkdir(parents=True)
    (folder / "Procfile").write_text("web: gunicorn --config 'a b.py'\n")
    (folder / "wsgi.py").write_text("application = None\n")
    (folder / "static" / "page.css").write_text("body{}\n")
    return folder


@pytest.fixture
def image(source: Path) -> Image:
    return pack(source, {"org.opencontainers.image.version": "1.0"})
