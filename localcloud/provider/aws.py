"""Package `aws`: the whole table, and what of the provider's configuration is honoured."""

import json
from typing import Any

from localcloud.provider.api import Api, require_loopback
from localcloud.provider.errors import UnknownProperty
from localcloud.provider.kind import AwsType
from localcloud.provider.kinds import data, delivery, ec2
from localcloud.provider.lookups import Lookup
from localcloud.provider.package import Package, TableType
from localcloud.provider.values import Properties

VERSION = "7.51.1"
"""The pulumi-aws release whose tokens and property names the table follows."""

AREAS = (data, delivery, ec2)
TYPES: tuple[AwsType, ...] = tuple(kind for area in AREAS for kind in area.TYPES)
LOOKUPS: tuple[Lookup, ...] = tuple(lookup for area in AREAS for lookup in area.LOOKUPS)
CREDENTIALS = frozenset({"accessKey", "secretKey", "token", "profile", "version", "pluginDownloadURL"})
"""Settings that say who asks, or which plugin: the embedded cloud has one account and no password."""


def package(endpoint: str) -> Package:
    """The package for an API on this machine. Raises NotLoopback for any other endpoint."""
    require_loopback(endpoint)
    apis: dict[str, Api] = {}

    def configure(settings: Properties) -> Api:
        for name in settings.keys() - CREDENTIALS - {"region", "endpoints"}:
            raise UnknownProperty("provider aws", name)
        for override in _endpoints(settings.get("endpoints")):
            require_loopback(override)
        region = str(settings.get("region", "us-east-1"))
        return apis.setdefault(region, Api(endpoint, region))

    return Package(
        name="aws",
        version=VERSION,
        types={kind.token: TableType(kind) for kind in TYPES},
        lookups={lookup.token: lookup for lookup in LOOKUPS},
        configure=configure,
        settings=CREDENTIALS | {"region", "endpoints"},
    )


def _endpoints(setting: Any) -> list[str]:
    """Every endpoint in the setting, which the engine passes as JSON text."""
    blocks = json.loads(setting) if isinstance(setting, str) else setting or []
    return [str(url) for block in blocks for url in block.values()]
