"""A real API on loopback, and the life of a resource as the engine would lead it, without the engine."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from localcloud.api.server import ApiServer
from localcloud.provider.aws import package
from localcloud.provider.lifecycle import Difference
from localcloud.provider.package import Package
from localcloud.provider.values import Properties, from_struct, to_struct


@pytest.fixture(scope="session")
def api_url() -> Iterator[str]:
    with ApiServer() as server:
        yield server.url


@dataclass
class Engine:
    """Calls a package's types in the engine's order; everything crosses the wire's encoding once."""

    package: Package
    api: Any

    def check(self, token: str, inputs: Properties, olds: Properties | None = None, name: str = "thing") -> Properties:
        urn = f"urn:pulumi:test::teal::{token}::{name}"
        checked = self.package.type_of(urn).check(urn, wired(inputs), olds or {}, uuid.uuid4().bytes)
        assert not checked.failures, checked.failures
        return wired(checked.inputs)

    def refusals(self, token: str, inputs: Properties) -> dict[str, str]:
        urn = f"urn:pulumi:test::teal::{token}::thing"
        return dict(self.package.type_of(urn).check(urn, wired(inputs), {}, b"seed").failures)

    def create(self, token: str, inputs: Properties, name: str = "thing") -> "Living":
        checked = self.check(token, inputs, name=name)
        kind = self.package.types[token]
        resource_id, outputs = kind.create(self.api, checked)
        living = Living(self, token, resource_id, checked, wired(outputs))
        living.assert_unchanged()
        return living

    def lookup(self, token: str, **arguments: Any) -> Properties:
        return wired(self.package.lookup(token).answer(self.api, wired(arguments)))


@dataclass
class Living:
    """A resource that was made; every method asserts that what is read agrees with what was declared."""

    engine: Engine
    token: str
    id: str
    inputs: Properties
    outputs: Properties

    def refresh(self) -> Properties | None:
        """The inputs as the API tells them now; None when it is gone."""
        found = self.engine.package.types[self.token].read(self.engine.api, self.id, self.inputs, self.outputs)
        return None if found is None else wired(found.inputs)

    def diff(self, **changes: Any) -> Difference:
        """What the engine would be told, had the program these inputs (None drops one)."""
        return self.engine.package.types[self.token].diff(self.inputs, self._changed(changes), frozenset())

    def update(self, **changes: Any) -> None:
        """Changes in place; fails if that would need a new resource."""
        news, found = self._changed(changes), self.diff(**changes)
        assert found.changed
        assert not found.replaces, found
        kind = self.engine.package.types[self.token]
        self.outputs = wired(kind.update(self.engine.api, self.id, self.inputs, news, self.outputs))
        self.inputs = news
        self.assert_unchanged()

    def assert_unchanged(self) -> None:
        """A refresh finds the inputs just as declared, and outputs that a refresh would not change."""
        found = self.engine.package.types[self.token].read(self.engine.api, self.id, self.inputs, self.outputs)
        assert found is not None
        assert wired(found.inputs) == self.inputs
        assert wired(found.outputs) == self.outputs

    def delete(self) -> None:
        """Removes it, twice: the second time finds nothing and does not mind."""
        kind = self.engine.package.types[self.token]
        kind.delete(self.engine.api, self.id, self.inputs, self.outputs)
        assert self.refresh() is None
        kind.delete(self.engine.api, self.id, self.inputs, self.outputs)

    def imported(self) -> Properties:
        """The inputs that `pulumi import` would write, given the id alone."""
        found = self.engine.package.types[self.token].read(self.engine.api, self.id, {}, {})
        assert found is not None
        return wired(found.inputs)

    def _changed(self, changes: dict[str, Any]) -> Properties:
        merged = {key: value for key, value in {**self.inputs, **changes}.items() if value is not None}
        merged.pop("__defaults", None)
        return self.engine.check(self.token, merged, self.inputs)


def wired(properties: Properties) -> Properties:
    """The properties after a trip through protobuf."""
    return from_struct(to_struct(properties))


@pytest.fixture(scope="session")
def engine(api_url: str) -> Engine:
    """The aws package at one API for all tests, since clients take long to make: a test makes what it looks at."""
    found = package(api_url)
    return Engine(found, found.configure({"region": "eu-west-1"}))
