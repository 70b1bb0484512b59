"""Resources as the engine sends them, made into what rules look at."""

from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from pulumi_policy import deserialize, proxy

from policy.model import UNKNOWN, Resource
from policy.types import canonical

UNKNOWN_TEXTS = frozenset(value for name, value in vars(proxy).items() if name.startswith("UNKNOWN_"))


def properties(struct: Any) -> dict[str, Any]:
    """Properties as plain values, secrets as what they are; what is not known yet as UNKNOWN."""
    plain = deserialize.deserialize_properties(json_format.MessageToDict(struct))
    return {name: _marked(value) for name, value in plain.items()}


def resource(message: Any) -> Resource:
    """A resource of a request; of a whole stack's, with the resources that its properties come from."""
    links = getattr(message, "propertyDependencies", {})
    return Resource(
        values=properties(message.properties),
        urn=message.urn,
        type=canonical(message.type),
        name=message.name,
        links={name: frozenset(sources.urns) for name, sources in links.items()},
    )


def _marked(value: Any) -> Any:
    if isinstance(value, str):
        return UNKNOWN if value in UNKNOWN_TEXTS else value
    if isinstance(value, list):
        return [_marked(each) for each in value]
    if isinstance(value, Mapping):
        return {name: _marked(each) for name, each in value.items()}
    return value
