"""What the embedded cloud adds around moto's API: a status route, and a signal when something may have changed."""

import io
import re
from collections.abc import Callable, Iterable
from typing import Any

from localcloud.api.server import WsgiApp

SERVICES = re.compile(r"/(autoscaling|ec2|elasticloadbalancing|acm)/aws4_request")
"""Services whose state the load balancer and the instances follow, as they stand in a request's signature."""


ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
READS = ("Describe", "Get", "List")
"""How AWS begins the names of operations that change nothing."""


def answering(path: str, body: Callable[[], bytes]) -> Callable[[WsgiApp], WsgiApp]:
    """Around an API: GET `path` answers with JSON of its own."""

    def around(api: WsgiApp) -> WsgiApp:
        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            if environ.get("PATH_INFO") != path:
                return api(environ, start_response)
            content = body()
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
            start_response("200 OK", headers)
            return [content]

        return application

    return around


def signalling(changed: Callable[[], None], own_agent: str) -> Callable[[WsgiApp], WsgiApp]:
    """Around an API: calls `changed` after each request that may change something in SERVICES.

    Not after reads, of which a refresh makes hundreds, and not after what the data plane itself does.
    """

    def around(api: WsgiApp) -> WsgiApp:
        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            is_ours = own_agent in environ.get("HTTP_USER_AGENT", "")
            is_followed = SERVICES.search(environ.get("HTTP_AUTHORIZATION", "")) is not None
            may_change = is_followed and not is_ours and not _operation(environ).startswith(READS)
            answer = api(environ, start_response)
            if may_change:
                changed()
            return answer

        return application

    return around


def _operation(environ: dict[str, Any]) -> str:
    """The operation that a request asks for, by the JSON protocols' header or the query protocols' form."""
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    if target:
        return target.rpartition(".")[2]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    found = ACTION.search(body)
    return found[1].decode() if found else ""
