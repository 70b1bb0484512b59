"""Keeps web pages away from the API: a browser on this machine reaches loopback, and a page can make it.

A page whose name suddenly leads to 127.0.0.1 (DNS rebinding) sends its own name as Host; any other page sends an Origin
or says by Sec-Fetch-Site that it is not ours. moto itself allows every origin, and its calls need no secret.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

OWN_HOST = re.compile(r"(127(\.[0-9]{1,3}){3}|\[::1\]|([a-z0-9_-]+\.)*localhost)(:[0-9]{1,5})?", re.IGNORECASE)
"""What no DNS answer can make of another name: addresses of loopback, and localhost with what is below it."""
OWN_SITES = ("same-origin", "none")
"""Sec-Fetch-Site of a page of ours, and of somebody who typed the address."""
NOT_OUR_NAME = (
    "this embedded cloud answers to 127.0.0.1 and localhost only: take the address that `teal local env` prints"
)
NOT_OUR_PAGE = "this embedded cloud answers to no web page but its own"

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def own_only(api: WsgiApp) -> WsgiApp:
    """Around an API: 421 for a request by another name than ours, 403 for one that another web page has made."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        host = str(environ.get("HTTP_HOST", ""))
        if not OWN_HOST.fullmatch(host):
            return _refusal(start_response, "421 Misdirected Request", NOT_OUR_NAME)
        if _is_foreign(environ, host):
            return _refusal(start_response, "403 Forbidden", NOT_OUR_PAGE)
        return api(environ, start_response)

    return application


def _is_foreign(environ: dict[str, Any], host: str) -> bool:
    """Whether a browser says that a page made the request which is not of this very host and port."""
    origin = environ.get("HTTP_ORIGIN")
    site = environ.get("HTTP_SEC_FETCH_SITE", "none")
    return site not in OWN_SITES or (origin is not None and origin != f"http://{host}")


def _refusal(start_response: Callable[..., Any], status: str, line: str) -> Iterable[bytes]:
    body = f"{line}\n".encode()
    # The request's body is left unread, so its connection can't serve another one.
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), ("Connection", "close")]
    start_response(status, headers)
    return [body]
