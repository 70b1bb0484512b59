"""Backends that end with their test, and one Envoy for a module."""

from collections.abc import Callable, Iterator

import pytest

from localcloud.dataplane.balancer import Balancer
from traffic_world import Backend


@pytest.fixture
def backends() -> Iterator[Callable[[str], Backend]]:
    made: list[Backend] = []

    def make(name: str) -> Backend:
        made.append(Backend(name))
        return made[-1]

    yield make
    for backend in made:
        backend.shutdown()
        backend.server_close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Balancer]:
    """One Envoy for a module's tests; each publishes what it needs."""
    balancer = Balancer(tmp_path_factory.mktemp("envoy"), ())
    balancer.start()
    yield balancer
    balancer.stop()
