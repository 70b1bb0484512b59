"""The engine's client with an engine of our own making, over a Unix socket: it must never touch what is another's."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from docker_answers import DockerAnswers
from localcloud.docker.engine import Engine, clear
from localcloud.docker.errors import DockerError, NoDocker

MARK, REGISTRY = "0a0b", "127.0.0.1:4000"


class FakeDocker(socketserver.ThreadingUnixStreamServer):
    """Enough of Docker's HTTP API to list and remove things."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.containers = {"own": MARK, "another": "ffff"}
        self.networks = {"net": MARK, "another-net": "ffff"}
        self.images = [f"{REGISTRY}/1/r/web@sha256:1", "debian@sha256:2", "127.0.0.1:40001/1/r/web@sha256:3"]
        self.status = 0
        super().__init__(str(path), Answers)


class Answers(DockerAnswers, BaseHTTPRequestHandler):
    server: FakeDocker

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        path = address.path.partition("/v1.41")[2] or address.path
        wanted = json.loads(parse_qs(address.query).get("filters", ['{"label": []}'])[0])["label"]
        marks = [label.partition("=")[2] for label in wanted]

        def ids(known: dict[str, str]) -> list[dict[str, Any]]:
            return [{"Id": name} for name, mark in known.items() if mark in marks]

        if path == "/version":
            self.tell({"ApiVersion": "1.41"})
        elif path == "/info":
            self.tell({"NCPU": 3})
        elif path == "/services":
            self.tell({"message": "This node is not a swarm manager."}, 503)
        elif path == "/containers/json":
            self.tell(ids(self.server.containers))
        elif path == "/networks":
            self.tell(ids(self.server.networks))
        elif path == "/images/json":
            self.tell([{"Id": name, "RepoDigests": [name]} for name in self.server.images] + [{"RepoDigests": None}])
        else:
            self.tell({"message": f"no such thing: {path}"}, 404)

    def do_DELETE(self) -> None:
        kind, name = unquote(urlsplit(self.path).path).partition("/v1.41/")[2].split("/", 1)
        if self.server.status:
            self.tell({"message": "is held by somebody"}, self.server.status)
            return
        if kind == "images":
            self.server.images.remove(name)
        else:
            {"containers": self.server.containers, "networks": self.server.networks}[kind].pop(name)
        self.tell({})


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeDocker]:
    with FakeDocker(tmp_path / "d.sock") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def host(fake: FakeDocker) -> str:
    return f"unix://{fake.server_address}"


def test_only_what_carries_the_clouds_mark_is_removed(fake: FakeDocker, host: str) -> None:
    clear(MARK, REGISTRY, host)
    assert fake.containers == {"another": "ffff"}
    assert fake.networks == {"another-net": "ffff"}
    assert fake.images == ["debian@sha256:2", "127.0.0.1:40001/1/r/web@sha256:3"]
    clear(MARK, REGISTRY, host)


def test_what_cannot_be_removed_is_told_with_how_to_do_it_by_hand(fake: FakeDocker, host: str) -> None:
    fake.status = 500
    with pytest.raises(DockerError, match=f"is held by somebody.*docker rm --force .*label=teal.cloud={MARK}"):
        clear(MARK, REGISTRY, host)


def test_an_image_that_is_not_there_is_none(host: str) -> None:
    with closing(Engine(MARK, host)) as engine:
        assert engine.processors == 3
        assert engine.image(f"{REGISTRY}/web@sha256:1") is None


def test_no_engine_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoDocker, match=f"no Docker engine answers at unix://{tmp_path}/none.sock .*set DOCKER_HOST"):
        Engine(MARK, f"unix://{tmp_path}/none.sock")


def test_an_engine_elsewhere_is_refused() -> None:
    with pytest.raises(
        NoDocker, match=r"a Docker engine of this machine, unix://..., and DOCKER_HOST is tcp://10.0.0.1"
    ):
        Engine(MARK, "tcp://10.0.0.1:2375")
