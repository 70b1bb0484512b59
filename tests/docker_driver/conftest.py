"""A cloud whose instances are containers. Without a Docker engine nothing here is run, and the report says why."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from config.settings import of_stack
from docker_world import Engine, built_images, mark
from localcloud.docker.client import Client
from localcloud.images.oci import Image
from scripts.build_image import ROOT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark(items, Path(__file__).parent)


@pytest.fixture(scope="session")
def engine(docker_client: Client) -> Engine:
    """A Docker engine that answers."""
    return Engine(docker_client)


@pytest.fixture(scope="session")
def images(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Image]:
    """See built_images."""
    return built_images(engine.client, tmp_path_factory.mktemp("images"), of_stack(ROOT, "dev").version)


@pytest.fixture
def stranger(engine: Engine, images: Mapping[str, Image]) -> Iterator[str]:
    """Another cloud's container and somebody's own, as one is enough of a difference: its id."""
    made = engine.run("create", "--label", "teal.cloud=another", "teal-test:app")
    yield made
    engine.run("rm", "--force", made)
