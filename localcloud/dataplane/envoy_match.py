"""Conditions of ELBv2 rules as Envoy's request matchers. Pure.

ELBv2's wildcards are * (any run of characters) and ? (exactly one). Path patterns and methods are case-sensitive; host
names, header values and query strings are not.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from typing import Any

from localcloud.dataplane.snapshot import Condition, ConditionField

Json = dict[str, Any]

LOOPBACK = ipaddress.ip_address("127.0.0.1")


class NeverMet(Exception):
    """The conditions can't be met by a client on this machine, so the rule needs no route."""


def route_match(conditions: Iterable[Condition]) -> Json:
    """A RouteMatch that demands all conditions. Raises NeverMet where no local client could meet them."""
    match: Json = {"prefix": "/"}
    headers: list[Json] = []
    for condition in conditions:
        if condition.field is ConditionField.PATH:
            match = {"safe_regex": {"regex": _any_of(condition.values)}}
        elif condition.field is ConditionField.SOURCE:
            _check_source(condition.values)
        else:
            headers.append(HEADER_MATCHERS[condition.field](condition))
    return {**match, "headers": headers} if headers else match


def wildcard(pattern: str, any_character: str = ".") -> str:
    r"""An RE2 expression for an ELBv2 pattern.

    >>> wildcard("/img/*.p?g")
    '/img/.*\\.p.g'
    """
    special = {"*": f"{any_character}*", "?": any_character}
    return "".join(special.get(character, re.escape(character)) for character in pattern)


def header_regex(name: str, regex: str) -> Json:
    """A matcher for a header whose whole value fits regex."""
    return {"name": name, "string_match": {"safe_regex": {"regex": regex}}}


def _any_of(patterns: Iterable[str], any_character: str = ".") -> str:
    return "(" + "|".join(wildcard(pattern, any_character) for pattern in patterns) + ")"


def _host(condition: Condition) -> Json:
    return header_regex(":authority", f"(?i){_any_of(condition.values)}(:[0-9]+)?")


def _header(condition: Condition) -> Json:
    return header_regex(condition.header, f"(?i){_any_of(condition.values)}")


def _method(condition: Condition) -> Json:
    return header_regex(":method", "(" + "|".join(re.escape(method) for method in condition.values) + ")")


def _query(condition: Condition) -> Json:
    pairs = "|".join(_query_pair(value) for value in condition.values)
    return header_regex(":path", rf"(?i)[^?]*\?(.*&)?({pairs})(&.*)?")


def _query_pair(value: str) -> str:
    key, _, expected = value.partition("=")
    return f"{wildcard(key, '[^&=]') if key else '[^&=]*'}={wildcard(expected, '[^&]')}"


def _check_source(networks: Iterable[str]) -> None:
    """Every listener is on 127.0.0.1 and so are its clients: whether they fit is known beforehand."""
    if not any(LOOPBACK in ipaddress.ip_network(network) for network in networks):
        raise NeverMet


HEADER_MATCHERS: dict[ConditionField, Callable[[Condition], Json]] = {
    ConditionField.HOST: _host,
    ConditionField.HEADER: _header,
    ConditionField.METHOD: _method,
    ConditionField.QUERY: _query,
}
