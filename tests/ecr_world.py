"""ECR on a loopback port: moto with its gaps filled."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from localcloud.api.server import ApiServer
from localcloud.images.moto_gap import blobs, install


@contextmanager
def running_ecr() -> Iterator[Any]:
    """A client of it, until the block ends."""
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


def new_repository(ecr: Any) -> str:
    """The name of a repository with immutable tags."""
    name = f"teal/{uuid.uuid4().hex[:8]}"
    ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")
    return name
