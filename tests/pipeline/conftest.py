from collections.abc import Iterator

import pytest

from github_world import REPOSITORY, TOKEN, FakeGitHub, github_on_loopback
from pipeline.github import GitHub


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github_on_loopback() as served:
        yield served


@pytest.fixture
def github(fake: FakeGitHub) -> Iterator[GitHub]:
    """Its client, which waits as good as nothing between two attempts."""
    with GitHub(fake.url, TOKEN, REPOSITORY, wait_seconds=0.001, least_wait_seconds=0.001) as client:
        yield client
