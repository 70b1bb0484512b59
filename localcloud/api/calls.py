"""What was asked of the API, read off its requests: service, operation, and which resources where that can be told."""

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from botocore.loaders import Loader

CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d+/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")
REST = {"s3": "s3", "route53": "route53"}
"""Services, by the name that their requests are signed for, that tell the operation by method and path."""
TAGS = re.compile(r"(?i)tags?(specification)?s?([.]|$)")


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    who: str
    """Access key id that signed it."""
    agent: str
    """First word of the client's name for itself, such as Boto3/1.40.0."""
    region: str
    service: str
    """The name that requests are signed for: monitoring for CloudWatch."""
    operation: str
    parameters: Mapping[str, Any]
    """By name; of forms and paths flat, as they were sent."""

    @property
    def has_tags(self) -> bool:
        """Whether it gives tags along."""
        return any(TAGS.match(name) and value for name, value in self.parameters.items())


def call_of(environ: dict[str, Any]) -> Call | None:
    """The call in a WSGI request, whose body can be read again afterwards; None where nobody signed it."""
    signed = CREDENTIAL.search(str(environ.get("HTTP_AUTHORIZATION", "")))
    if signed is None:
        return None
    who, region, service = signed.groups()
    agent = str(environ.get("HTTP_USER_AGENT", "")).split(" ")[0]
    operation, parameters = _asked(environ, service)
    return Call(who, agent, region, service, operation, parameters)


def _asked(environ: dict[str, Any], service: str) -> tuple[str, dict[str, Any]]:
    if service in REST:
        return _by_path(environ, REST[service])
    body = _body(environ)
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    if target:
        return target.rpartition(".")[2], _object(body)
    form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    return form.pop("Action", ""), form


def _body(environ: dict[str, Any]) -> bytes:
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class _Route:
    operation: str
    method: str
    path: re.Pattern[str]
    query: frozenset[str]
    weight: tuple[int, int]
    """Fixed query keys and fixed characters of the path: of two that fit, the one with more is meant."""


@cache
def _routes(service: str) -> tuple[_Route, ...]:
    model = Loader().load_service_model(service, "service-2")
    found = [_route(name, about["http"]) for name, about in model["operations"].items()]
    return tuple(sorted(found, key=lambda route: route.weight, reverse=True))


def _route(operation: str, http: Mapping[str, str]) -> _Route:
    path, _, query = http["requestUri"].partition("?")
    keys = frozenset(key for key, _ in parse_qsl(query, keep_blank_values=True)) - {"x-id"}
    pattern = re.sub(r"\\{(\w+)(\\\+)?\\}", lambda found: _group(found[1], bool(found[2])), re.escape(path.rstrip("/")))
    fixed = len(re.sub(r"\{[^}]*\}", "", path))
    return _Route(operation, http["method"], re.compile(pattern + "/?"), keys, (len(keys), fixed))


def _group(name: str, is_greedy: bool) -> str:
    return f"(?P<{name}>{'.+' if is_greedy else '[^/]+'})"


def _by_path(environ: dict[str, Any], service: str) -> tuple[str, dict[str, Any]]:
    path, method = unquote(str(environ.get("PATH_INFO", ""))), environ.get("REQUEST_METHOD")
    query = dict(parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True))
    for route in _routes(service):
        fits = route.path.fullmatch(path)
        if fits and route.method == method and route.query <= query.keys():
            return route.operation, {**query, **fits.groupdict()}
    return "", query


def flat(parameters: Mapping[str, Any], name: str) -> Iterator[str]:
    """The texts under a name: one, a list, or a form's Name.member.1, Name.member.2 and so on."""
    for key, value in parameters.items():
        if key == name or key.startswith((f"{name}.member.", f"{name}.entry.")):
            yield from (str(each) for each in (value if isinstance(value, list) else [value]))
