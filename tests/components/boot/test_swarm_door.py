"""A worker's door to ECR, with a played ECR behind it and a played AWS command line."""

import base64
import http.client
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from components.boot import swarm_door
from components.boot.swarm_door import Door, Passwords

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
DIGEST = "sha256:" + "a" * 64
MANIFEST = f"/v2/{ECR}/shop/web/manifests/{DIGEST}"
ELSEWHERE = "https://layers.example/secret-address"


class Played:
    """ECR: what it was asked, and the password that it takes."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.password = "one"
        self.handed_out: list[str] = []


def handler(played: Played) -> type[BaseHTTPRequestHandler]:
    class Ecr(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            played.asked.append((self.command, self.path, self.headers.get("Accept", "")))
            wanted = "Basic " + base64.b64encode(f"AWS:{played.password}".encode()).decode()
            if self.headers["Authorization"] != wanted:
                self._say(401, b"", **{"WWW-Authenticate": "Basic"})
            elif "/blobs/" in self.path:
                self._say(307, b"", Location=ELSEWHERE)
            elif self.path.endswith("/chunked"):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"no length")
            else:
                kind = "application/vnd.docker.distribution.manifest.v2+json"
                self._say(200, b"{}", **{"Docker-Content-Digest": DIGEST, "Content-Type": kind, "X-Other": "x"})

        do_HEAD = do_GET  # noqa: N815

        def _say(self, status: int, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Ecr


@pytest.fixture
def ecr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    played = Played()

    def run(command: list[str], **_: Any) -> "subprocess.CompletedProcess[bytes]":
        assert command == ["aws", "ecr", "get-login-password", "--region", "eu-west-1"]
        played.handed_out.append(played.password)
        return subprocess.CompletedProcess(command, 0, f"{played.password}\n".encode())

    monkeypatch.setattr("subprocess.run", run)
    monkeypatch.setattr(swarm_door, "PASSWORDS", Passwords())
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(played)) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        port, plain = server.server_port, http.client.HTTPConnection

        def reached(host: str, timeout: float) -> http.client.HTTPConnection:
            assert host == ECR
            return plain("127.0.0.1", port, timeout=timeout)

        monkeypatch.setattr("http.client.HTTPSConnection", reached)
        yield played
        server.shutdown()


@pytest.fixture
def door(ecr: Played) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_port
        server.shutdown()


def ask(door: int, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", door, timeout=10)
    try:
        connection.request(method, path, headers={"Connection": "close", **headers})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_manifest_comes_through_with_what_docker_needs_of_its_headers(door: int, ecr: Played, method: str) -> None:
    answer, body = ask(door, MANIFEST, method, Accept="application/json")
    assert (answer.status, body) == (200, b"{}" if method == "GET" else b"")
    assert answer.headers["Docker-Content-Digest"] == DIGEST
    assert answer.headers["X-Other"] is None
    assert ecr.asked == [(method, f"/v2/shop/web/manifests/{DIGEST}", "application/json")]


def test_where_a_layer_is_kept_is_handed_through_and_not_gone_to(door: int) -> None:
    answer, _ = ask(door, f"/v2/{ECR}/shop/blobs/{DIGEST}")
    assert (answer.status, answer.headers["Location"]) == (307, ELSEWHERE)


def test_an_answer_without_a_length_ends_with_the_connection(door: int) -> None:
    answer, body = ask(door, f"/v2/{ECR}/shop/manifests/chunked")
    assert (body, answer.headers["Connection"]) == (b"no length", "close")


def test_docker_is_told_that_this_is_a_registry(door: int, ecr: Played) -> None:
    answer, body = ask(door, "/v2/")
    assert (answer.status, body, ecr.asked) == (200, b"{}", [])


def test_one_password_is_for_many_requests_and_another_one_is_asked_for_where_it_has_ended(
    door: int, ecr: Played
) -> None:
    assert [ask(door, MANIFEST)[0].status for _ in range(3)] == [200] * 3
    assert ecr.handed_out == ["one"]
    ecr.password = "two"
    assert ask(door, MANIFEST)[0].status == 200
    assert ecr.handed_out == ["one", "two"]


def test_a_password_is_renewed_long_before_its_end(ecr: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    passwords, now = Passwords(), [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    for passed in (0, 3600, 6 * 3600):
        now[0] += passed
        passwords.header("eu-west-1", anew=False)
    assert len(ecr.handed_out) == 2


@pytest.mark.parametrize(
    "path",
    [
        "/", "/v2", f"/v2/{ECR}/shop/tags/list", f"/v2/{ECR}/_catalog", f"/v2/evil.example/shop/manifests/{DIGEST}",
        f"/v2/x{ECR}/shop/manifests/{DIGEST}", f"/v2/{ECR}.evil.example/shop/manifests/{DIGEST}",
        f"/v2/{ECR}/../shop/manifests/{DIGEST}", f"/v2/{ECR}/shop/manifests/{DIGEST}?a=b",
        f"/v2/{ECR}/shop/manifests/a/b", f"/v2/{ECR}:444/shop/manifests/{DIGEST}",
    ],
)  # fmt: skip
def test_nothing_else_is_passed_on(door: int, ecr: Played, path: str) -> None:
    assert ask(door, path)[0].status == 404
    assert ecr.asked == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_writes_through_it(door: int, ecr: Played, method: str) -> None:
    assert ask(door, MANIFEST, method)[0].status == 501
    assert ecr.asked == []


def test_where_ecr_is_away_docker_is_told_and_the_journal_says_what(
    door: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def away(*_: object, **__: object) -> http.client.HTTPConnection:
        raise OSError("no way")

    monkeypatch.setattr("http.client.HTTPSConnection", away)
    assert ask(door, MANIFEST)[0].status == 502
    assert f"{ECR}/shop/web/manifests/{DIGEST}: no way" in capfd.readouterr().err


def test_it_listens_on_loopback_only() -> None:
    assert swarm_door.ADDRESS == ("127.0.0.1", 5000)
