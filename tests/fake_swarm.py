"""A Docker engine in swarm mode of our own making, over a Unix socket: enough of its API for services."""

import json
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from docker_answers import DockerAnswers


class FakeDocker(socketserver.ThreadingUnixStreamServer):
    """Services and networks by id; tasks and containers are what a test says."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.is_manager = True
        self.services: dict[str, dict[str, Any]] = {}
        self.networks: dict[str, dict[str, Any]] = {}
        self.tasks: list[dict[str, Any]] = []
        self.containers: list[dict[str, Any]] = []
        self.bridge: dict[str, Any] = {}
        self.stale_updates = 0
        self.network_is_held = 0
        super().__init__(str(path), Answers)

    @property
    def host(self) -> str:
        """As DOCKER_HOST has it."""
        return f"unix://{self.server_address}"


class Answers(DockerAnswers, BaseHTTPRequestHandler):
    server: FakeDocker

    def asked(self) -> tuple[str, dict[str, Any], dict[str, list[str]]]:
        address = urlsplit(self.path)
        query = parse_qs(address.query)
        path = unquote(re.sub(r"^/v1\.[0-9]+", "", address.path))
        return path, json.loads(query.get("filters", ["{}"])[0]), query

    def do_GET(self) -> None:
        path, filters, _ = self.asked()
        kind, _, name = path.removeprefix("/").partition("/")
        if path == "/version":
            self.tell({"ApiVersion": "1.41"})
        elif path == "/info":
            state = "active" if self.server.is_manager else "inactive"
            swarm = {"LocalNodeState": state, "ControlAvailable": self.server.is_manager}
            self.tell({"NCPU": 2, "Swarm": swarm})
        elif kind in ("services", "tasks") and not self.server.is_manager:
            self.tell({"message": "This node is not a swarm manager."}, 503)
        elif path == "/containers/json":
            self.tell([each for each in self.server.containers if matches(each["Labels"], filters)])
        elif path == "/images/json":
            self.tell([])
        elif path == "/tasks":
            self.tell([each for each in self.server.tasks if each["ServiceID"] in filters["service"]])
        elif path == "/networks/docker_gwbridge":
            self.tell({"Containers": self.server.bridge})
        elif not name:
            known = {"services": self.server.services, "networks": self.server.networks}[kind]
            labels = {each: (found.get("Spec") or found)["Labels"] for each, found in known.items()}
            self.tell([found for each, found in known.items() if matches(labels[each], filters)])
        else:
            found = {"services": self.server.services, "networks": self.server.networks}[kind].get(name)
            self.tell(found or {"message": f"{kind} {name} not found"}, 200 if found else 404)

    def do_POST(self) -> None:
        path, _, query = self.asked()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if path == "/services/create":
            self.server.services["s1"] = {"ID": "s1", "Version": {"Index": 1}, "Spec": body}
            self.tell({"ID": "s1"}, 201)
        elif path == "/networks/create":
            self.server.networks["n1"] = {"Id": "n1", **body}
            self.tell({"Id": "n1"}, 201)
        else:
            service = self.server.services[path.split("/")[2]]
            if self.server.stale_updates or int(query["version"][0]) != service["Version"]["Index"]:
                self.server.stale_updates -= 1
                self.tell({"message": "rpc error: code = Unknown desc = update out of sequence"}, 500)
                return
            service.update({"Version": {"Index": service["Version"]["Index"] + 1}, "Spec": body})
            self.tell({})

    def do_DELETE(self) -> None:
        path, _, _ = self.asked()
        kind, name = path.removeprefix("/").split("/")
        if kind == "networks" and self.server.network_is_held:
            self.server.network_is_held -= 1
            self.tell({"message": f"network {name} is in use by task t1"}, 400)
            return
        known = {"services": self.server.services, "networks": self.server.networks}[kind]
        self.tell({} if known.pop(name, None) else {"message": f"{kind} {name} not found"}, 200)


def matches(labels: dict[str, str], filters: dict[str, list[str]]) -> bool:
    wanted = (each.partition("=") for each in filters.get("label", []))
    return all(name in labels and (not value or labels[name] == value) for name, _, value in wanted)


@contextmanager
def fake_docker(folder: Path) -> Iterator[FakeDocker]:
    """An engine that answers as long as the block lasts."""
    with FakeDocker(folder / "d.sock") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
