"""For tests of the data plane: small real HTTP servers, clients that keep asking, and snapshots to serve."""

import base64
import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from localcloud.dataplane.runner import Birth, CannotStart
from localcloud.dataplane.snapshot import (
    Action,
    Forward,
    HealthCheck,
    Listener,
    LoadBalancer,
    Rule,
    Snapshot,
    Target,
    TargetGroup,
    TargetState,
)

ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:"
SETTLE_SECONDS = 5.0


class Backend(ThreadingHTTPServer):
    """Answers with its name: late on /slow, never on /hangup; /readyz tells whether it is well."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.name = name
        self.is_well = True
        self.check_takes = 0.0
        self.is_at_slow = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away before the answer are nothing to print."""

    @property
    def target(self) -> Target:
        return Target(f"t-{self.name}", "127.0.0.1", self.server_address[1], TargetState.READY)


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Backend

    def do_GET(self) -> None:
        if self.path.startswith("/slow"):
            self.server.is_at_slow.set()
            time.sleep(1.0)
        if self.path == "/readyz":
            time.sleep(self.server.check_takes)
        if self.path == "/hangup":
            self.close_connection = True
            return
        status = 200 if self.server.is_well or self.path != "/readyz" else 500
        body = json.dumps(
            {"name": self.server.name, "headers": {k.lower(): v for k, v in self.headers.items()}}
        ).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


CHECK = HealthCheck("/readyz", timedelta(seconds=0.2), timedelta(seconds=0.2), 2, 2, ((200, 200),))


def group(name: str, *targets: Target, **settings: Any) -> TargetGroup:
    return TargetGroup(
        f"{ARN}targetgroup/{name}/1", "HTTP", 8080, **{"health_check": CHECK, "targets": targets, **settings}
    )


def snapshot(*groups: TargetGroup, default: Action, rules: tuple[Rule, ...] = (), is_https: bool = False) -> Snapshot:
    listeners = [Listener(f"{ARN}listener/app/web/1/80", 80, "HTTP", default, rules)]
    if is_https:
        listeners.append(Listener(f"{ARN}listener/app/web/1/443", 443, "HTTPS", default, domains=("web.example",)))
    balancer = LoadBalancer(f"{ARN}loadbalancer/app/web/1", "web", "web.elb.example", tuple(listeners))
    return Snapshot((balancer,), {one.arn: one for one in groups})


def split(*shares: tuple[TargetGroup, int], sticky: timedelta | None = None) -> Forward:
    return Forward(tuple((one.arn, weight) for one, weight in shares), sticky)


def eventually(check: Callable[[], Any], seconds: float = SETTLE_SECONDS) -> Any:
    """What check returns once that is true. Fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not true within {seconds} s")


@dataclass
class Load:
    """What clients saw that asked without a pause."""

    names: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    recent: list[tuple[float, str]] = field(default_factory=list)


@contextmanager
def load_on(url: str, clients: int = 4) -> Iterator[Load]:
    """Clients that keep asking url until the block ends."""
    load, stopping = Load(), threading.Event()

    def ask() -> None:
        with httpx.Client(timeout=10, trust_env=False) as client:
            while not stopping.is_set():
                try:
                    answer = client.get(url)
                    if answer.status_code == 200:
                        name = answer.json()["name"]
                        load.names[name] += 1
                        load.recent.append((time.monotonic(), name))
                    else:
                        load.failures.append(f"{answer.status_code} {answer.text}")
                except httpx.HTTPError as error:
                    load.failures.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stopping.set()
        for thread in threads:
            thread.join(15)


@dataclass
class FakePrepared:
    port: int
    colour: str
    digest: str
    start: Callable[[], "FakeLife"]


@dataclass
class FakeLife:
    address: str
    process: subprocess.Popen[bytes]
    container: str = ""

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def stop(self, grace: timedelta) -> None:
        self.process.terminate()
        try:
            self.process.wait(grace.total_seconds())
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def last_words(self) -> str:
        return "its last words"


SERVER = """
import http.server, json, os, sys, threading, time, signal
address, port, colour, name = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(1)
        body = json.dumps({"name": name, "colour": colour}).encode()
        self.send_response(500 if self.path == "/broken" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer((address, port), Answer)
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
server.serve_forever()
"""


class FakeRunner:
    """Runs a small HTTP server for user data that names a colour; addresses count up."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.lives: dict[str, FakeLife] = {}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]

    def prepare(self, birth: Birth) -> FakePrepared | None:
        text = base64.b64decode(birth.user_data).decode()
        if text == "none":
            return None
        if text == "bad":
            raise CannotStart("the image is missing")
        return FakePrepared(self.port, text, "sha256:0", lambda: self.start(birth, text))

    def start(self, birth: Birth, colour: str) -> FakeLife:
        address = f"127.77.{len(self.started) // 250}.{len(self.started) % 250 + 1}"
        self.started.append(birth.instance_id)
        arguments = [address, str(self.port), colour, birth.instance_id]
        life = FakeLife(address, subprocess.Popen([sys.executable, "-S", "-c", SERVER, *arguments]))
        self.lives[birth.instance_id] = life
        return life

    def forget(self, instance_id: str) -> None:
        self.lives.pop(instance_id, None)
