"""A folder to pack, and ECR to push to: moto with its gaps filled, on a loopback port."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from localcloud.api.server import ApiServer
from localcloud.images.moto_gap import blobs, install
from localcloud.images.oci import Image
from localcloud.images.packing import pack
from localcloud.images.registry import EcrClient


@pytest.fixture(scope="session")
def ecr() -> Iterator[EcrClient]:
    install()
    with ApiServer(around=[blobs]) as server:
        client = boto3.client(
            "ecr",
            region_name="eu-west-1",
            endpoint_url=server.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        yield client
        client.close()


@pytest.fixture
def repository(ecr: EcrClient) -> str:
    """A repository with immutable tags."""
    name = f"teal/{uuid.uuid4().hex[:8]}"
    ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
    return name


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
