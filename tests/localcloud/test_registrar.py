from collections.abc import Iterator
from typing import Any, cast

import pytest

from localcloud.provider.api import Api
from localcloud.registrar import own_zone


class FakeApi:
    """An account's hosted zones."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.references: list[str] = []

    def pages(self, service: str, method: str, key: str) -> Iterator[dict[str, str]]:
        assert (service, method, key) == ("route53", "list_hosted_zones", "HostedZones")
        return ({"Name": name} for name in self.names)

    def call(self, service: str, method: str, **parameters: Any) -> None:
        assert (service, method) == ("route53", "create_hosted_zone")
        self.names.append(parameters["Name"])
        self.references.append(parameters["CallerReference"])


@pytest.mark.parametrize("name", ["teal.example", "teal.example."])
def test_a_zone_is_made_once(name: str) -> None:
    api = FakeApi("sub.teal.example.")
    for _ in range(2):
        own_zone(cast(Api, api), name)
    assert api.names == ["sub.teal.example.", "teal.example."]


def test_each_zone_has_a_reference_of_its_own() -> None:
    api = FakeApi()
    for name in ("a.example", "b.example"):
        own_zone(cast(Api, api), name)
    assert len(set(api.references)) == 2
