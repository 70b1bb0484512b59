"""The API's side: an AWS on loopback that looks at every change of traffic and servers, and misbehaves if asked to."""

import io
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qsl

from localcloud.api.server import WsgiApp

ELBV2_FORM = "application/x-www-form-urlencoded"
KINDS = {"elbv2": "text/xml", "dynamodb": "application/x-amz-json-1.0"}
_XML = (
    '<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"><Error><Type>Sender</Type>'
    "<Code>{}</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>"
)


def _json(code: str, **more: object) -> bytes:
    return json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **more}).encode()


THROTTLED = {"elbv2": _XML.format("Throttling").encode(), "dynamodb": _json("ThrottlingException")}
LOST = {"elbv2": _XML.format("InternalFailure").encode(), "dynamodb": _json("InternalServerError")}
REASONS = [{"Code": code} for code in ("None", "None", "TransactionConflict")]
CONFLICT_OF = {
    "UpdateItem": _json("TransactionConflictException"),
    "TransactWriteItems": _json("TransactionCanceledException", CancellationReasons=REASONS),
}
"""What DynamoDB says of a call that met a transaction at its item; neither is tried again by botocore."""
Answer = tuple[str, list[Any], bytes]
"""Status, headers, body."""


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
    conflicts: dict[tuple[str, str], int] = field(default_factory=dict)
    """Which call meets a transaction at its item, from 1, by engine and action."""
    lost_answers: dict[tuple[str, str], int] = field(default_factory=dict)
    """Which call is done, and then answered with 500, from 1, by engine and action."""
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
        self._stale: dict[str, tuple[float, Answer | None]] = {}
        self._given: dict[str, dict[str, int]] = {}
        self._alone, self._one_at_a_time = threading.Lock(), threading.Lock()
        self._transactions: dict[str, Answer] = {}

    def around(self, inner: WsgiApp) -> WsgiApp:
        """The application with eyes."""

        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            status, headers, text = self._answer(inner, environ, body)
            start_response(status, headers)
            return [text]

        return application

    def _answer(self, inner: WsgiApp, environ: dict[str, Any], body: bytes) -> Answer:
        call = _call(environ, body)
        self.calls.setdefault(call.engine, []).append(call.action)
        refusal = self._refusal(call)
        if refusal:
            return refusal
        shows_until, stale = self._stale.get(call.fields.get("ListenerArns.member.1", ""), (0.0, None))
        if stale and call.action == "DescribeListeners" and time.monotonic() < shows_until:
            return stale
        self._look(call, inner, environ)
        answer = self._done(inner, environ, body)
        if self._is_due(self.manners.lost_answers, call):
            return _failure(call.service, "500 Internal Server Error", LOST[call.service])
        return answer

    def _done(self, inner: WsgiApp, environ: dict[str, Any], body: bytes) -> Answer:
        """What moto answers. One call at a time: what one changes, another one may be going through.

        A transaction with a token that was done before is not done again, as on AWS.
        """
        heard: list[Any] = []

        def hear(status: str, headers: list[Any], *_: Any) -> Callable[[bytes], None]:
            heard[:] = [status, headers]
            return lambda _: None

        token = json.loads(body).get("ClientRequestToken") if environ.get("HTTP_X_AMZ_TARGET") else None
        with self._one_at_a_time:
            if token in self._transactions:
                return self._transactions[token]
            text = b"".join(inner({**environ, **_input(body)}, hear))
            answer = heard[0], heard[1], text
            if token and heard[0].startswith("200"):
                self._transactions[token] = answer
            return answer

    def _refusal(self, call: Call) -> Answer | None:
        manners, refused = self.manners, "400 Bad Request"
        if time.monotonic() < manners.throttled_until.get(call.engine, 0.0):
            manners.refused[call.engine] = manners.refused.get(call.engine, 0) + 1
            return _failure(call.service, refused, THROTTLED[call.service])
        if self._is_due(manners.conflicts, call):
            return _failure(call.service, refused, CONFLICT_OF[call.action])
        return None

    def _look(self, call: Call, inner: WsgiApp, environ: dict[str, Any]) -> None:
        """Before a change: its guard looks at it, and what a slow listener goes on showing is put by."""
        arn = call.fields.get("ListenerArn") or call.fields.get("TargetGroupArn") or ""
        guard = self.guards.get(arn)
        if guard is None or not call.action.startswith(("Modify", "Deregister")):
            return
        if call.action == "ModifyListener":
            self._keep_stale(arn, weights_of(call), inner, environ)
        with self._alone:
            guard.before(call)

    def _keep_stale(self, arn: str, weights: dict[str, int], inner: WsgiApp, environ: dict[str, Any]) -> None:
        lag, before = self.manners.lag_seconds.get(arn), self._given.get(arn)
        self._given[arn] = weights
        if lag and weights != before:
            asked = f"Action=DescribeListeners&Version=2015-12-01&ListenerArns.member.1={arn}".encode()
            self._stale[arn] = (time.monotonic() + lag, self._done(inner, environ, asked))

    def forget_lags(self) -> None:
        """Every listener shows what it has."""
        self.manners.lag_seconds.clear()
        self._stale.clear()

    def shown_stale_until(self, arn: str) -> float:
        """Monotonic time until which a listener shows weights that it no longer has."""
        return self._stale.get(arn, (0.0, None))[0]

    @staticmethod
    def _is_due(left: dict[tuple[str, str], int], call: Call) -> bool:
        number = left.get((call.engine, call.action), 0)
        left[call.engine, call.action] = number - 1
        return number == 1


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


def _input(body: bytes) -> dict[str, Any]:
    return {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _failure(service: str, status: str, text: bytes) -> Answer:
    return status, [("Content-Type", KINDS[service]), ("Content-Length", str(len(text)))], text
