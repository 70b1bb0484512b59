"""The API's side: an AWS on loopback that looks at every change of traffic and servers, and can be made to misbehave."""

import io
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from localcloud.api.server import WsgiApp

ELBV2_FORM = "application/x-www-form-urlencoded"
THROTTLED = {
    "elbv2": (
        "text/xml",
        b'<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><Error><Type>Sender</Type>'
        b"<Code>Throttling</Code><Message>Rate exceeded</Message></Error><RequestId>1</RequestId></ErrorResponse>",
    ),
    "dynamodb": (
        "application/x-amz-json-1.0",
        b'{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"Rate exceeded"}',
    ),
}
CONFLICT = (
    b'{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","message":"Transaction cancelled",'
    b'"CancellationReasons":[{"Code":"None"},{"Code":"None"},{"Code":"TransactionConflict"}]}'
)


@dataclass(frozen=True)
class Call:
    """One call, as far as anybody here wants to know."""

    service: str
    action: str
    fields: Mapping[str, str]
    """Of ELBv2's form."""
    engine: str
    """Who makes it; empty for the tests themselves."""


class Guard(Protocol):
    """Looks at the changes of one environment."""

    def before(self, call: Call) -> None:
        """A call is about to be done."""


@dataclass
class Manners:
    """How the API behaves, by the engine's name; nobody else is touched."""

    throttled_until: dict[str, float] = field(default_factory=dict)
    """Monotonic time until which an engine hears that it asks too often."""
    conflicts: dict[str, int] = field(default_factory=dict)
    """Transactions of an engine that are still to meet another one at the same item."""
    lag_seconds: dict[str, float] = field(default_factory=dict)
    """How long a listener's weights show as they were, by its ARN."""
    refused: dict[str, int] = field(default_factory=dict)
    """Calls that were throttled, by engine."""


class Api:
    """Around moto's WSGI application."""

    def __init__(self) -> None:
        self.manners, self.guards = Manners(), dict[str, Guard]()
        self.calls: dict[str, list[str]] = {}
        """Names of each engine's calls."""
        self._stale: dict[str, tuple[float, bytes]] = {}
        self._alone = threading.Lock()

    def around(self, inner: WsgiApp) -> WsgiApp:
        """The application with eyes."""

        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            call = _call(environ, body)
            self.calls.setdefault(call.engine, []).append(call.action)
            refusal = self._refusal(call)
            if refusal:
                kind, text = refusal
                return _answer(start_response, "400 Bad Request", kind, text)
            arn = call.fields.get("ListenerArns.member.1", "")
            shows_until, text = self._stale.get(arn, (0.0, b""))
            if call.action == "DescribeListeners" and time.monotonic() < shows_until:
                return _answer(start_response, "200 OK", "text/xml", text)
            self._look(call, inner, environ)
            return inner(environ, start_response)

        return application

    def _refusal(self, call: Call) -> tuple[str, bytes] | None:
        manners = self.manners
        if time.monotonic() < manners.throttled_until.get(call.engine, 0.0):
            manners.refused[call.engine] = manners.refused.get(call.engine, 0) + 1
            return THROTTLED[call.service]
        if call.action == "TransactWriteItems" and manners.conflicts.get(call.engine):
            manners.conflicts[call.engine] -= 1
            return THROTTLED["dynamodb"][0], CONFLICT
        return None

    def _look(self, call: Call, inner: WsgiApp, environ: dict[str, Any]) -> None:
        """Before a change: its guard looks at it, and what a slow listener goes on showing is put by."""
        arn = call.fields.get("ListenerArn") or call.fields.get("TargetGroupArn") or ""
        guard = self.guards.get(arn)
        if guard is None or not call.action.startswith(("Modify", "Deregister")):
            return
        lag = self.manners.lag_seconds.get(arn)
        if lag and call.action == "ModifyListener":
            asked = f"Action=DescribeListeners&Version=2015-12-01&ListenerArns.member.1={arn}".encode()
            text = b"".join(inner({**environ, **_body(asked)}, lambda *_: lambda _: None))
            self._stale[arn] = (time.monotonic() + lag, text)
        with self._alone:
            guard.before(call)

    def shown_stale_until(self, arn: str) -> float:
        """Monotonic time until which a listener shows weights that it no longer has."""
        return self._stale.get(arn, (0.0, b""))[0]


def weights_of(call: Call) -> dict[str, int]:
    """Weights by target group that a ModifyListener gives."""
    found = {}
    for name, value in call.fields.items():
        place = re.fullmatch(r"(.*TargetGroups\.member\.\d+\.)TargetGroupArn", name)
        if place:
            found[value] = int(call.fields[f"{place[1]}Weight"])
    return found


def _call(environ: Mapping[str, Any], body: bytes) -> Call:
    engine, target = environ.get("HTTP_X_ENGINE", ""), environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return Call("dynamodb", target.partition(".")[2], {}, engine)
    fields = dict(parse_qsl(body.decode())) if environ.get("CONTENT_TYPE", "").startswith(ELBV2_FORM) else {}
    return Call("elbv2", fields.get("Action", ""), fields, engine)


def _body(text: bytes) -> dict[str, Any]:
    return {"wsgi.input": io.BytesIO(text), "CONTENT_LENGTH": str(len(text))}


def _answer(start_response: Callable[..., Any], status: str, kind: str, text: bytes) -> Iterable[bytes]:
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(text)))])
    return [text]
