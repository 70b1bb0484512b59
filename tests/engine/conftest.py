"""One cloud for all tests here; each of our stacks is brought up in it once, by whoever needs it first."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import toolchain
from engine.world import BringUp, World, project_files, running_world
from localcloud.stacks import LocalStack

TEST_SECONDS = 600  # the first may have to build the engine
THE_CLOUD_OUTLIVES_WHO_STARTED_IT = "ignore:subprocess [0-9]+ is still running:ResourceWarning"
UP_ARGUMENTS = {"dev": (), "qa": (), "stage": (), "prod": ("--build",)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.engine)
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))
            item.add_marker(pytest.mark.filterwarnings(THE_CLOUD_OUTLIVES_WHO_STARTED_IT))


@pytest.fixture(scope="session")
def engine() -> toolchain.Toolchain:
    """Our own build of the engine, whatever else is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEAL_TOOLCHAIN", "build")
        return toolchain.ensure()


@pytest.fixture(scope="session")
def world(engine: toolchain.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The cloud that all stacks share."""
    with running_world(tmp_path_factory.mktemp("cloud") / "home", engine) as running:
        yield running


@pytest.fixture(scope="session")
def untouched(world: World) -> frozenset[str]:
    """What the account held before anything of ours."""
    return world.inventory()


@pytest.fixture(scope="session")
def original_files() -> dict[str, bytes]:
    """The project's Pulumi files before any stack came up."""
    return project_files()


@pytest.fixture(scope="session")
def up_seconds() -> dict[str, float]:
    """Seconds that each first `teal local up` took, by stack."""
    return {}


@pytest.fixture(scope="session")
def bring_up(
    world: World, untouched: frozenset[str], original_files: dict[str, bytes], up_seconds: dict[str, float]
) -> BringUp:
    """One of our stacks, brought up as a user does it unless it is up already."""

    def bring(name: str) -> LocalStack:
        if name not in up_seconds:
            started = time.monotonic()
            world.teal("local", "up", name, *UP_ARGUMENTS[name])
            up_seconds[name] = time.monotonic() - started
        return world.stack(name)

    return bring


@pytest.fixture
def dev(bring_up: BringUp) -> LocalStack:
    return bring_up("dev")


@pytest.fixture(scope="session")
def strangers(engine: toolchain.Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A cloud for other people's projects: stacks are told apart by name, and theirs are called dev, too."""
    with running_world(tmp_path_factory.mktemp("strangers") / "home", engine) as running:
        yield running
