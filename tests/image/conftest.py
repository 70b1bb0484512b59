"""The image, built for real. Without a Docker engine nothing here is run, and the report says why."""

import socket
from collections.abc import Iterator, Sequence

import pytest

from image_world import BASE, LOCKED_DOWN, Built, Running, wait_until_ready
from localcloud.docker.client import Client
from scripts.build_image import build


@pytest.fixture(scope="session")
def built(docker_client: Client) -> Built:
    docker = docker_client.path
    return Built(docker, "teal-test:one", build(docker, "teal-test:one", "1.2.3", BASE))


@pytest.fixture
def running(built: Built) -> Iterator[Running]:
    """The image as production runs it, but with the machine's network, so that no proxy is between."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    environment = {
        "TEAL_HOST": "127.0.0.1",
        "TEAL_PORT": port,
        "TEAL_COLOUR": "blue",
        "TEAL_DEMO": "1",
        "TEAL_STOP_GRACE_SECONDS": "2",
    }
    variables = [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
    name = f"teal-test-{port}"
    limits: Sequence[str] = ("--pids-limit", "128", "--memory", "256m")
    built.run("run", "--detach", "--name", name, "--network", "host", *LOCKED_DOWN, *limits, *variables, built.tag)
    container = Running(built, name, port)
    try:
        wait_until_ready(container)
        yield container
    finally:
        built.run("rm", "--force", name)
