"""The API answers to its own names and to no foreign page: the guard alone, and in front of a real server."""

import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from localcloud.api.guard import own_only
from localcloud.api.server import ApiServer

OWN = ("127.0.0.1", "127.0.0.1:4566", "127.8.9.10:1", "localhost", "LOCALHOST:80", "bucket.localhost:80", "[::1]:80")
FOREIGN = (
    *(
        "evil.example",
        "evil.example:4566",
        "",
        "127.0.0.1.evil.example",
        "127.0.0.1.nip.io:80",
        "localhost.evil.example",
    ),
    *(
        "evillocalhost",
        "127.evil.example",
        "127.0.0.1:80@evil.example",
        "127.0.0.1 evil.example",
        "10.0.0.1",
    ),
    *("[::1].evil.example", "[::ffff:10.0.0.1]", "2130706433", "localhost.", "s3.amazonaws.com"),
)


def ask(**environ: str) -> str:
    told: list[str] = []
    list(own_only(lambda _, start: start("200 OK", []) or [b""])(environ, lambda status, _: told.append(status)))
    [status] = told
    return status


@pytest.mark.parametrize("host", OWN)
def test_names_of_this_machine_are_answered(host: str) -> None:
    assert ask(HTTP_HOST=host) == "200 OK"


@pytest.mark.parametrize("host", FOREIGN)
def test_every_other_name_is_refused(host: str) -> None:
    assert ask(HTTP_HOST=host) == "421 Misdirected Request"


def test_a_request_without_a_name_is_refused() -> None:
    assert ask() == "421 Misdirected Request"


@pytest.mark.parametrize(
    "said",
    [
        {"HTTP_ORIGIN": "https://evil.example"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": "http://127.0.0.1:5000"},
        {"HTTP_ORIGIN": "https://127.0.0.1:80"},
        {"HTTP_ORIGIN": ""},
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
        {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ORIGIN": "http://evil.example"},
    ],
)
def test_a_page_of_another_site_or_port_is_refused(said: dict[str, str]) -> None:
    assert ask(HTTP_HOST="127.0.0.1:80", **said) == "403 Forbidden"


@pytest.mark.parametrize(
    "said",
    [{"HTTP_ORIGIN": "http://127.0.0.1:80"}, {"HTTP_SEC_FETCH_SITE": "same-origin"}, {"HTTP_SEC_FETCH_SITE": "none"}],
)
def test_a_page_of_its_own_is_answered(said: dict[str, str]) -> None:
    assert ask(HTTP_HOST="127.0.0.1:80", **said) == "200 OK"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ApiServer() as running:
        yield running.url


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.nip.io"])
def test_a_rebound_page_gets_one_line_that_says_what_to_do(server: str, host: str) -> None:
    call: dict[str, Any] = {"data": {"Action": "DescribeVpcs"}, "headers": {"Host": host}}
    answer = httpx.post(server, **call, trust_env=False)
    assert (answer.status_code, answer.text.count("\n")) == (421, 1)
    assert "`teal local env`" in answer.text
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_page_elsewhere_may_neither_call_nor_ask_whether_it_may(server: str) -> None:
    for method in ("POST", "OPTIONS"):
        headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        answer = httpx.request(method, f"{server}/moto-api/reset", headers=headers, trust_env=False)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("head", ["GET / HTTP/1.1", "GET / HTTP/1.0", "GET http://evil.example/ HTTP/1.1"])
def test_a_request_that_names_no_host_is_refused(server: str, head: str) -> None:
    where = urlsplit(server)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=10) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode())
        assert b" 421 " in connection.recv(200)
