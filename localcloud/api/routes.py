"""What the embedded cloud adds around moto's API: a status route, and a signal when something may have changed."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from localcloud.api.server import WsgiApp

SERVICES = re.compile(r"/(autoscaling|ec2|elasticloadbalancing|acm)/aws4_request")
"""Services whose state the load balancer and the instances follow, as they stand in a request's signature."""


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
    """Around an API: calls `changed` after each request to SERVICES, but for those of the data plane itself."""

    def around(api: WsgiApp) -> WsgiApp:
        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            answer = api(environ, start_response)
            is_ours = own_agent in environ.get("HTTP_USER_AGENT", "")
            if not is_ours and SERVICES.search(environ.get("HTTP_AUTHORIZATION", "")):
                changed()
            return answer

        return application

    return around
