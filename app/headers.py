"""Headers that every response carries: those that browsers protect visitors by, the request's id, who answers."""

import re
import uuid

from flask import Flask, Response, request

REQUEST_ID = "teal.request_id"
"""Key of the request's id in the WSGI environ, where the access log finds it."""
COLOUR = "X-Teal-Colour"
"""So that a failed answer, too, says which of the twin fleets it came from; /version says it of a good one."""
ACCEPTED_ID = re.compile(r"[A-Za-z0-9._=;:-]{1,128}")
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def add_headers(app: Flask, colour: str) -> None:
    """Makes app give every request an id and every response its headers; an empty colour is not told."""

    @app.before_request
    def name_request() -> None:
        request.environ[REQUEST_ID] = request_id(
            request.headers.get("X-Request-Id", ""), request.headers.get("X-Amzn-Trace-Id", "")
        )

    @app.after_request
    def put(response: Response) -> Response:
        response.headers.update(SECURITY_HEADERS)
        if request.is_secure:  # by X-Forwarded-Proto: the load balancer ends TLS
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        response.headers["X-Request-Id"] = request.environ[REQUEST_ID]
        if colour:
            response.headers[COLOUR] = colour
        return response


def request_id(given: str, trace: str) -> str:
    """The id a proxy gave, else the load balancer's trace id, else a new one. Ill-formed ones are not taken over."""
    for candidate in (given, trace):
        if ACCEPTED_ID.fullmatch(candidate):
            return candidate
    return uuid.uuid4().hex
