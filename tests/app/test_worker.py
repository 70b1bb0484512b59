"""Real Gunicorn processes: they start, log, and stop without losing a request."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Protocol

import pytest

pytestmark = pytest.mark.engine  # no engine, but seconds of real processes

APP = Path(__file__).parents[2] / "app"


class Served:
    """One Gunicorn with its workers, and what it logged."""

    def __init__(self, folder: Path, environment: Mapping[str, str], host: str = "127.0.0.1") -> None:
        with socket.create_server((host, 0)) as free:
            self.host, self.port = free.getsockname()
        self.stdout, self.stderr = folder / "stdout", folder / "stderr"
        bin_folder = Path(sys.executable).parent
        with self.stdout.open("wb") as out, self.stderr.open("wb") as err:
            self.process = subprocess.Popen(
                [bin_folder / "gunicorn", "--config", "gunicorn_conf.py"],
                cwd=APP,
                stdout=out,
                stderr=err,
                start_new_session=True,
                env={
                    "PATH": f"{bin_folder}:/usr/bin:/bin",
                    "TEAL_BIND": f"{self.host}:{self.port}",
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "TEAL_COLOUR": "green",
                    **environment,
                },
            )

    def connect(self, timeout: float = 10) -> HTTPConnection:
        return HTTPConnection(self.host, self.port, timeout=timeout)

    def get(self, path: str) -> int:
        connection = self.connect()
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
            return response.status
        finally:
            connection.close()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with suppress(OSError):
                if self.get("/readyz") == 200:
                    return
            assert self.process.poll() is None, self.stderr.read_text()
            time.sleep(0.02)
        raise AssertionError(self.stderr.read_text())

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)


class Serve(Protocol):
    def __call__(self, **environment: str) -> Served: ...


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts Gunicorn with the given TEAL_ variables and waits until it answers."""
    running: list[Served] = []

    def start(**environment: str) -> Served:
        served = Served(tmp_path, environment)
        running.append(served)
        served.wait_until_ready()
        return served

    yield start
    for served in running:
        with suppress(ProcessLookupError):
            os.killpg(served.process.pid, signal.SIGKILL)
        served.process.wait(10)


def ask(connection: HTTPConnection, path: str) -> HTTPResponse:
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    return response


@dataclass
class Visitors:
    """Threads that send requests as a load balancer does: until told that the target drains."""

    served: Served
    stop: threading.Event = field(default_factory=threading.Event)
    statuses: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    closes_announced: int = 0

    def keep_alive(self) -> None:
        connection = self.served.connect()
        while not self.stop.is_set():
            try:
                response = ask(connection, "/version")
            except OSError as error:
                self.failures.append(f"kept-alive: {error!r}")
                return
            self.statuses.append(response.status)
            if response.getheader("Connection") == "close":
                self.closes_announced += 1
                connection = self.served.connect()
        connection.close()

    def anew(self) -> None:
        while not self.stop.is_set():
            try:
                self.statuses.append(self.served.get("/"))
            except OSError as error:
                self.failures.append(f"new: {error!r}")
                return

    def slow(self, seconds: float) -> None:
        try:
            self.statuses.append(self.served.get(f"/slow?seconds={seconds}"))
        except OSError as error:
            self.failures.append(f"slow: {error!r}")


def in_threads(*targets: Callable[[], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    return threads


def stop_under_load(served: Served, slow_seconds: float) -> Visitors:
    """SIGTERM amid load; the load ends once /readyz says 503, requests in flight do not."""
    visitors = Visitors(served)
    threads = in_threads(*[visitors.keep_alive] * 3, *[visitors.anew] * 2, *[lambda: visitors.slow(slow_seconds)] * 3)
    time.sleep(0.4)
    served.terminate()
    deadline = time.monotonic() + 5
    while served.get("/readyz") != 503:
        assert time.monotonic() < deadline
    assert served.get("/livez") == 200
    time.sleep(0.3)  # the load balancer has not noticed yet: everything must still be served
    visitors.stop.set()
    for thread in threads:
        thread.join(slow_seconds + 10)
    assert served.process.wait(slow_seconds + 10) == 0
    return visitors


def test_no_request_is_lost_on_sigterm(serve: Serve) -> None:
    visitors = stop_under_load(serve(TEAL_DEMO="1", TEAL_STOP_GRACE_SECONDS="1"), slow_seconds=2)
    assert visitors.failures == []
    assert set(visitors.statuses) == {200}
    assert len(visitors.statuses) > 50
    assert visitors.closes_announced > 0


@pytest.mark.engine
def test_a_request_of_five_seconds_outlives_the_stop(serve: Serve) -> None:
    visitors = stop_under_load(serve(TEAL_DEMO="1"), slow_seconds=5)
    assert visitors.failures == []
    assert set(visitors.statuses) == {200}


def test_without_grace_a_request_in_flight_finishes_and_newcomers_are_refused(serve: Serve) -> None:
    served = serve(TEAL_DEMO="1", TEAL_STOP_GRACE_SECONDS="0")
    visitors = Visitors(served)
    threads = in_threads(lambda: visitors.slow(0.9))
    time.sleep(0.3)
    served.terminate()
    time.sleep(0.4)
    with pytest.raises(ConnectionRefusedError):
        served.get("/")
    threads[0].join(10)
    assert (visitors.statuses, visitors.failures) == ([200], [])
    assert served.process.wait(10) == 0


@pytest.mark.engine
def test_an_idle_connection_is_served_once_more_or_ends_in_order(serve: Serve) -> None:
    """Two idle connections when the stop begins: one asks again a second later, one just waits and reads the end."""
    served = serve(TEAL_STOP_GRACE_SECONDS="0")
    asking, waiting = served.connect(), served.connect()
    for connection in (asking, waiting):
        assert ask(connection, "/livez").getheader("Connection") != "close"
    served.terminate()
    time.sleep(1)
    response = ask(asking, "/livez")
    assert (response.status, response.getheader("Connection")) == (200, "close")
    assert isinstance(waiting.sock, socket.socket)
    waiting.sock.settimeout(5)
    assert waiting.sock.recv(1) == b""  # FIN, not a reset
    waiting.close()
    assert served.process.wait(10) == 0


@pytest.mark.engine
def test_a_connection_that_never_sent_anything_does_not_hold_up_the_stop(serve: Serve) -> None:
    served = serve(TEAL_STOP_GRACE_SECONDS="0")
    with socket.create_connection((served.host, served.port)):
        time.sleep(6)  # Gunicorn sets it aside after five seconds
        served.terminate()
        assert served.process.wait(5) == 0


@pytest.mark.engine
def test_a_stop_amid_the_start_is_followed(serve: Serve) -> None:
    """The first worker answers while the second is still starting."""
    for _ in range(3):
        served = serve(TEAL_STOP_GRACE_SECONDS="0", TEAL_WORKERS="4")
        served.terminate()
        assert served.process.wait(10) == 0


def test_each_request_is_one_line_of_json(serve: Serve) -> None:
    served = serve(TEAL_STOP_GRACE_SECONDS="0")
    connection = served.connect()
    connection.request(
        "GET", "/version?token=hush", headers={"X-Request-Id": "abc-1", "X-Forwarded-For": "203.0.113.7"}
    )
    body = connection.getresponse().read()
    connection.close()
    served.terminate()
    served.process.wait(10)
    lines = [json.loads(line) for line in served.stdout.read_text().splitlines()]
    [line] = [line for line in lines if line["path"] == "/version"]
    assert (line["method"], line["status"], line["remote"]) == ("GET", 200, "203.0.113.7")
    assert (line["request_id"], line["colour"], line["bytes"]) == ("abc-1", "green", len(body))
    assert "hush" not in served.stdout.read_text() + served.stderr.read_text()
    assert all(json.loads(line)["level"] == "info" for line in served.stderr.read_text().splitlines())
