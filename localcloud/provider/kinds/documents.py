"""JSON documents among the properties: policies above all. They are compared by content, wherever they are compared."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.provider.kind import Failures
from localcloud.provider.kinds.bounds import Rule
from localcloud.provider.values import Properties


def as_text(key: str) -> Callable[[Any], str | None]:
    """Reads a document that boto3 has parsed back into JSON text."""

    def read(found: Mapping[str, Any]) -> str | None:
        return json.dumps(found[key]) if found.get(key) else None

    return read


def literal(value: Any) -> str:
    """The value as a JMESPath literal."""
    return "`" + json.dumps(value).replace("`", "\\`") + "`"


def json_object(name: str) -> Rule:
    """Text that holds one JSON object. What is wrong is told by its place, for documents are long."""

    def rule(inputs: Properties) -> Failures:
        if name in inputs:
            _, failures = _parsed(name, inputs[name])
            yield from failures

    return rule


def trust_policy(name: str) -> Rule:
    """A policy that says who may take a role: it names principals and no resource."""
    return _policy(name, needs=(("Principal", "NotPrincipal"),), lacks=("Resource", "NotResource"), most=2048)


def identity_policy(name: str, most: int) -> Rule:
    """A policy that says what its holder may do: it names resources, and no principal."""
    return _policy(name, needs=(("Resource", "NotResource"),), lacks=("Principal", "NotPrincipal"), most=most)


def resource_policy(name: str, most: int) -> Rule:
    """A policy of a resource: it names both. At most `most` characters without blanks."""
    return _policy(name, needs=(("Principal", "NotPrincipal"), ("Resource", "NotResource")), lacks=(), most=most)


def _policy(name: str, needs: tuple[tuple[str, str], ...], lacks: tuple[str, ...], most: int) -> Rule:
    def rule(inputs: Properties) -> Failures:
        if name not in inputs:
            return
        document, failures = _parsed(name, inputs[name])
        yield from failures
        if document is None:
            return
        size = len(json.dumps(document, separators=(",", ":")))
        if size > most:
            yield name, f"{name} may have {most} characters without blanks, got {size}"
        for number, statement in enumerate(_statements(document), start=1):
            complaints = _complaints(statement, needs, lacks)
            if complaints:
                yield name, f"statement {number} of {name} {' and '.join(complaints)}"
        if not _statements(document):
            yield name, f"{name} must have a Statement, got none"

    return rule


def _parsed(name: str, text: Any) -> tuple[dict[str, Any] | None, list[tuple[str, str]]]:
    try:
        document = json.loads(text)
    except (TypeError, ValueError) as error:
        return None, [(name, f"{name} must be a JSON object, got text that is no JSON: {error}")]
    if not isinstance(document, dict):
        return None, [(name, f"{name} must be a JSON object, got a {type(document).__name__}")]
    return document, []


def _statements(document: Mapping[str, Any]) -> list[Any]:
    found = document.get("Statement", [])
    return found if isinstance(found, list) else [found]


def _complaints(statement: Any, needs: tuple[tuple[str, str], ...], lacks: tuple[str, ...]) -> list[str]:
    if not isinstance(statement, dict):
        return [f"must be an object, got a {type(statement).__name__}"]
    found = []
    if statement.get("Effect") not in ("Allow", "Deny"):
        found.append(f"must have Effect Allow or Deny, got {statement.get('Effect')!r}")
    needed = (("Action", "NotAction"), *needs)
    found += [f"must have {' or '.join(either)}" for either in needed if not any(key in statement for key in either)]
    found += [f"may not have {key} in this kind of policy" for key in lacks if key in statement]
    return found
