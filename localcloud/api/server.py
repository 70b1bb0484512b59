"""Serves moto's API on a loopback port, with room for what the embedded cloud adds around it."""

import threading
from collections.abc import Callable, Iterable
from io import BytesIO
from types import TracebackType
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from localcloud.api.guard import WsgiApp as WsgiApp
from localcloud.api.guard import own_only


class QuietHandler(WSGIRequestHandler):
    """Keeps connections alive (boto3 pools them) and leaves the access log to whoever wants one."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  # werkzeug's signature
        """Says nothing."""


def one_at_a_time(application: WsgiApp) -> WsgiApp:
    """Lets moto deal with one call after the other: its services walk through each other's dictionaries.

    Two at once made it answer 500 now and then (a dictionary that changed while another thread went through it), and a
    destroy left behind what it could not delete. A call computes and never waits, so nobody waits long.
    """
    alone = threading.Lock()

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH")
        if length:  # a body that comes slowly holds up nobody else
            environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(int(length)))
        with alone:
            return list(application(environ, start_response))

    return call


class ApiServer:
    """moto behind one loopback port and its own names. `around` wraps its WSGI application, outermost last.

    A context manager.
    """

    def __init__(self, around: Iterable[Callable[[WsgiApp], WsgiApp]] = (), port: int = 0) -> None:
        application: WsgiApp = one_at_a_time(DomainDispatcherApplication(create_backend_app))
        for wrap in around:
            application = wrap(application)
        self._server = make_server(
            "127.0.0.1", port, own_only(application), threaded=True, request_handler=QuietHandler
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name="api", daemon=True)

    @property
    def url(self) -> str:
        """Endpoint for boto3, such as http://127.0.0.1:41234."""
        return f"http://127.0.0.1:{self._server.port}"

    def start(self) -> None:
        """Answers from now on, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the server; waits for its thread for at most five seconds."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def __enter__(self) -> "ApiServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
