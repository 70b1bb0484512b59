"""A cloud whose instances are containers. Without a Docker engine nothing here is run, and the report says why."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from docker_world import Engine, built_images
from localcloud.docker.client import Client
from localcloud.images.oci import Image
from scripts.build_image import ROOT
from settings import of_stack

TEST_SECONDS = 1200  # the first may have to build image and engine
THE_CLOUD_OUTLIVES_WHO_STARTED_IT = "ignore:subprocess [0-9]+ is still running:ResourceWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.docker)
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))
            item.add_marker(pytest.mark.filterwarnings(THE_CLOUD_OUTLIVES_WHO_STARTED_IT))


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
