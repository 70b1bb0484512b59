import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from localcloud.api.server import ApiServer, WsgiApp, one_at_a_time


def named(name: str) -> Callable[[WsgiApp], WsgiApp]:
    """Around an API: adds a name to the answer's body, and answers /only itself."""

    def around(api: WsgiApp) -> WsgiApp:
        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            if environ["PATH_INFO"] == f"/{name}":
                start_response("200 OK", [("Content-Length", str(len(name)))])
                return [name.encode()]
            return api(environ, start_response)

        return application

    return around


def test_it_answers_on_loopback_on_a_free_port_until_it_is_stopped() -> None:
    with ApiServer([named("inner"), named("outer")]) as server, httpx.Client(trust_env=False) as client:
        assert urlsplit(server.url).hostname == "127.0.0.1"
        assert client.get(f"{server.url}/inner").text == "inner"
        assert client.get(f"{server.url}/outer").text == "outer"
        assert client.get(f"{server.url}/moto-api/").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, trust_env=False)


def test_a_port_that_is_taken_ends_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises((OSError, SystemExit)):
        ApiServer(port=taken.getsockname()[1])
    assert "Traceback" not in capsys.readouterr().err


def test_moto_deals_with_one_call_after_the_other() -> None:
    under_way: list[int] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        under_way.append(1)
        assert len(under_way) == 1
        time.sleep(0.01)
        under_way.pop()
        return [environ["wsgi.input"].read()]

    alone = one_at_a_time(application)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(alone, {"wsgi.input": BytesIO(b"body"), "CONTENT_LENGTH": "4"}, print) for _ in range(20)]
        assert [list(call.result(10)) for call in calls] == [[b"body"]] * 20
