"""The example's own image, built by Docker as a stranger builds it, and run as an instance runs it."""

import socket
import time
from collections.abc import Iterator

import pytest

from image_world import LOCKED_DOWN, Built, Running, wait_until_ready
from localcloud.docker.builder import with_base
from localcloud.docker.client import Client, Recipe
from scripts.build_image import ROOT

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]
TAG = "teal-test:example"
STOP_SECONDS = 5.0


@pytest.fixture(scope="module")
def example(docker_client: Client, tmp_path_factory: pytest.TempPathFactory) -> Built:
    with (tmp_path_factory.mktemp("example") / "log").open("wb") as log:
        made = docker_client.build(
            Recipe(context=ROOT / "examples" / "app", args=with_base({"VERSION": "3.2.1"})), TAG, log
        )
        docker_client.load(made, TAG, log)
    return Built(docker_client.path, TAG, {"digest": made.packed().digest})


@pytest.fixture
def serving(example: Built) -> Iterator[Running]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    name = f"teal-test-{port}"
    told = (f"TEAL_BIND=127.0.0.1:{port}", "TEAL_COLOUR=blue", "GREETING=Hello from Docker")
    variables = [word for each in told for word in ("--env", each)]
    example.run("run", "--detach", "--name", name, "--network", "host", *LOCKED_DOWN, *variables, example.tag)
    container = Running(example, name, port)
    try:
        wait_until_ready(container)
        yield container
    finally:
        example.run("rm", "--force", name)


def test_it_builds_and_says_its_version_and_its_user(example: Built) -> None:
    config = example.inspect()["Config"]
    assert config["Labels"]["org.opencontainers.image.version"] == "3.2.1"
    assert config["User"] == "10001:10001"


def test_locked_down_it_serves_and_ends_at_once_when_told(serving: Running) -> None:
    assert serving.get("/readyz")[::2] == (200, b"ready\n")
    assert serving.get("/")[2] == b"Hello from Docker (blue)\n"
    began = time.monotonic()
    serving.built.run("stop", "--time", "30", serving.name)
    assert time.monotonic() - began < STOP_SECONDS
    assert serving.state()["ExitCode"] == 0
