"""A listener's rules and actions as an Envoy route table. Pure.

Stickiness to a target group is a cookie AWSALBTG that names the group; a route before the weighted one honours it. A
group of weight 0 does not keep its clients, so that a rollback moves them, too. Stickiness to one target is Envoy's own
stateful session, under ELBv2's cookie name AWSALB.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from localcloud.dataplane.envoy_match import Json, NeverMet, header_regex, route_match
from localcloud.dataplane.envoy_names import NOT_OUR_NAME, stranger
from localcloud.dataplane.snapshot import (
    Action,
    FixedResponse,
    Forward,
    Listener,
    LoadBalancer,
    Redirect,
    Snapshot,
    TargetGroup,
    Unsupported,
    suffix,
)

GROUP_COOKIE = "AWSALBTG"
TARGET_COOKIE = "AWSALB"
STATEFUL_SESSION = "envoy.filters.http.stateful_session"
TYPES = "type.googleapis.com/envoy.extensions"

REDIRECT_CODES = {301: "MOVED_PERMANENTLY", 302: "FOUND"}
KEPT_PATH = "/#{path}"


def resource_name(arn: str) -> str:
    """A name for Envoy and for a file, from an ARN: its last part with its slashes turned into dots."""
    return suffix(arn).removeprefix("targetgroup/").replace("/", ".")


def route_table(listener: Listener, balancer: LoadBalancer, snapshot: Snapshot, port_of: Callable[[str], int]) -> Json:
    """The RouteConfiguration of a listener; port_of gives the local port of a listener's ARN."""
    local_ports = {other.port: port_of(other.arn) for other in balancer.listeners}
    routes: list[Json] = [_direct(stranger(balancer), FixedResponse(421, body=NOT_OUR_NAME))]
    for rule in listener.rules:
        try:
            match = route_match(rule.conditions)
        except NeverMet:
            continue
        routes += _routes(match, rule.action, snapshot.groups, local_ports)
    routes += _routes(route_match(()), listener.default, snapshot.groups, local_ports)
    client = {"key": "x-forwarded-for", "value": "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"}
    return {
        "name": resource_name(listener.arn),
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}],
        "request_headers_to_add": [{"header": client, "append_action": "APPEND_IF_EXISTS_OR_ADD"}],
        "request_headers_to_remove": ["x-envoy-external-address"],
    }


def group_cookie_value(arn: str) -> str:
    """What the cookie AWSALBTG holds for a target group: it tells two groups apart and says nothing else."""
    return hashlib.sha256(arn.encode()).hexdigest()[:16]


def _routes(
    match: Json, action: Action, groups: Mapping[str, TargetGroup], local_ports: Mapping[int, int]
) -> list[Json]:
    if isinstance(action, Forward):
        return _forward(match, action, groups)
    if isinstance(action, Redirect):
        return [_redirect(match, action, local_ports)]
    if isinstance(action, Unsupported):
        return [_direct(match, FixedResponse(501, body=f"not supported by this load balancer: {action.text}\n"))]
    return [_direct(match, action)]


def _forward(match: Json, action: Forward, groups: Mapping[str, TargetGroup]) -> list[Json]:
    weighted = [(groups[arn], weight) for arn, weight in action.groups if arn in groups]
    if not sum(weight for _, weight in weighted):
        return [_direct(match, FixedResponse(503, body="no target group has any weight\n"))]
    routes = []
    if action.sticky:
        routes = [_sticky(match, group, action.sticky) for group, weight in weighted if weight]
    shares = [{"weight": weight, **_destination(group, action.sticky)} for group, weight in weighted]
    # Timeout 0: as in ELBv2 only idleness ends a request.
    return [*routes, {"match": match, "route": {"weighted_clusters": {"clusters": shares}, "timeout": "0s"}}]


def _sticky(match: Json, group: TargetGroup, lasting: timedelta) -> Json:
    cookie = header_regex("cookie", f"(.*; *)?{GROUP_COOKIE}={group_cookie_value(group.arn)}(;.*)?")
    shares = [{"weight": 1, **_destination(group, lasting)}]
    return {
        "match": {**match, "headers": [*match.get("headers", []), cookie]},
        "route": {"weighted_clusters": {"clusters": shares}, "timeout": "0s"},
    }


def _destination(group: TargetGroup, group_sticky: timedelta | None) -> Json:
    destination: Json = {"name": resource_name(group.arn)}
    if group_sticky:
        seconds = int(group_sticky.total_seconds())
        value = f"{GROUP_COOKIE}={group_cookie_value(group.arn)}; Max-Age={seconds}; Path=/"
        destination["response_headers_to_add"] = [_added("set-cookie", value, "APPEND_IF_EXISTS_OR_ADD")]
    if group.sticky:
        destination["typed_per_filter_config"] = {STATEFUL_SESSION: _stateful_session(group.sticky)}
    return destination


def _stateful_session(lasting: timedelta) -> Json:
    cookie = {"name": TARGET_COOKIE, "path": "/", "ttl": f"{int(lasting.total_seconds())}s"}
    state = {
        "name": "envoy.http.stateful_session.cookie",
        "typed_config": {"@type": f"{TYPES}.http.stateful_session.cookie.v3.CookieBasedSessionState", "cookie": cookie},
    }
    kind = f"{TYPES}.filters.http.stateful_session.v3.StatefulSessionPerRoute"
    return {"@type": kind, "stateful_session": {"session_state": state}}


def _direct(match: Json, answer: FixedResponse) -> Json:
    response: dict[str, Any] = {"status": answer.status}
    if answer.body:
        response["body"] = {"inline_string": answer.body}
    content_type = _added("content-type", answer.content_type, "OVERWRITE_IF_EXISTS_OR_ADD")
    return {"match": match, "direct_response": response, "response_headers_to_add": [content_type]}


def _added(name: str, value: str, how: str) -> Json:
    # Envoy expands %...% in header values.
    return {"header": {"key": name, "value": value.replace("%", "%%")}, "append_action": how}


def _redirect(match: Json, action: Redirect, local_ports: Mapping[int, int]) -> Json:
    redirect: Json = {"response_code": REDIRECT_CODES[action.status]}
    if action.protocol != "#{protocol}":
        redirect["scheme_redirect"] = action.protocol.lower()
    if action.host != "#{host}":
        redirect["host_redirect"] = action.host
    if action.port != "#{port}":
        redirect["port_redirect"] = local_ports.get(int(action.port), int(action.port))
    redirect |= _redirected_path(action)
    return {"match": match, "redirect": redirect}


def _redirected_path(action: Redirect) -> Json:
    keeps_query = action.query == "#{query}"
    if "#{path}" not in action.path:
        # Without a query of its own, Envoy would keep the client's.
        query = "" if keeps_query or not action.query else f"?{action.query}"
        return {"path_redirect": action.path + query, "strip_query": not (keeps_query or query)}
    changed: Json = {} if keeps_query else {"strip_query": True}
    if action.path != KEPT_PATH:
        before, _, after = action.path.replace("\\", "\\\\").partition("#{path}")
        changed["regex_rewrite"] = {"pattern": {"regex": "^/(.*)$"}, "substitution": rf"{before}\1{after}"}
    return changed


def redirect_problem(action: Redirect) -> str | None:
    """What of a redirect can't be done here, or None."""
    if action.status not in REDIRECT_CODES:
        return f"redirect with status {action.status}"
    for name, value in (("host", action.host), ("port", action.port), ("protocol", action.protocol)):
        if "#{" in value and value != f"#{{{name}}}":
            return f"redirect with {name} {value!r}"
    if "#{" in action.query.replace("#{query}", "") or (
        action.query not in ("", "#{query}") and "#{path}" in action.path
    ):
        return f"redirect with query {action.query!r}"
    if re.search(r"#\{(?!path\})", action.path) or action.path.count("#{path}") > 1:
        return f"redirect with path {action.path!r}"
    return None
