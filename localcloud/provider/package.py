"""One Pulumi package as a provider serves it: its name, its resource types and its lookups."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from localcloud.provider import lifecycle
from localcloud.provider.api import Api
from localcloud.provider.errors import UnknownType
from localcloud.provider.kind import AwsType
from localcloud.provider.lifecycle import Checked, Difference, Found
from localcloud.provider.lookups import Lookup
from localcloud.provider.values import Properties


class ResourceType(Protocol):
    """What the servicer asks of a resource type; rows of the table answer through TableType."""

    @property
    def input_names(self) -> frozenset[str]: ...  # noqa: D102
    @property
    def required_names(self) -> frozenset[str]: ...  # noqa: D102
    @property
    def output_names(self) -> frozenset[str]: ...  # noqa: D102
    def check(self, urn: str, news: Properties, olds: Properties, seed: bytes) -> Checked: ...  # noqa: D102
    def diff(self, olds: Properties, news: Properties, ignored: frozenset[str]) -> Difference: ...  # noqa: D102
    def planned(self, inputs: Properties, state: Properties | None = None) -> Properties: ...  # noqa: D102
    def create(self, api: Api, inputs: Properties) -> tuple[str, Properties]: ...  # noqa: D102
    def read(self, api: Api, resource_id: str, inputs: Properties, state: Properties) -> Found | None: ...  # noqa: D102
    def update(  # noqa: D102
        self, api: Api, resource_id: str, olds: Properties, news: Properties, state: Properties
    ) -> Properties: ...
    def delete(self, api: Api, resource_id: str, inputs: Properties, state: Properties) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class TableType:
    """A row of the table as a ResourceType."""

    kind: AwsType

    @property
    def input_names(self) -> frozenset[str]:
        """Properties that it applies."""
        return frozenset(self.kind.properties)

    @property
    def required_names(self) -> frozenset[str]:
        """Properties that it must be given."""
        return frozenset(name for name, prop in self.kind.properties.items() if prop.required)

    @property
    def output_names(self) -> frozenset[str]:
        """Everything that it tells."""
        tags = {"tagsAll"} if self.kind.tags else set()
        return frozenset(self.kind.properties.keys() | self.kind.outputs.keys() | tags)

    def check(self, urn: str, news: Properties, olds: Properties, seed: bytes) -> Checked:
        """See lifecycle.check."""
        return lifecycle.check(self.kind, urn, news, olds, seed)

    def diff(self, olds: Properties, news: Properties, ignored: frozenset[str]) -> Difference:
        """See lifecycle.diff."""
        return lifecycle.diff(self.kind, olds, news, ignored)

    def planned(self, inputs: Properties, state: Properties | None = None) -> Properties:
        """See lifecycle.planned."""
        return lifecycle.planned(self.kind, inputs, state)

    def create(self, api: Api, inputs: Properties) -> tuple[str, Properties]:
        """See lifecycle.create."""
        return lifecycle.create(api, self.kind, inputs)

    def read(self, api: Api, resource_id: str, inputs: Properties, state: Properties) -> Found | None:
        """See lifecycle.read."""
        return lifecycle.read(api, self.kind, resource_id, inputs, state)

    def update(self, api: Api, resource_id: str, olds: Properties, news: Properties, state: Properties) -> Properties:
        """See lifecycle.update."""
        return lifecycle.update(api, self.kind, resource_id, olds, news, state)

    def delete(self, api: Api, resource_id: str, inputs: Properties, state: Properties) -> None:
        """See lifecycle.delete."""
        lifecycle.delete(api, self.kind, resource_id, inputs, state)


@dataclass(frozen=True)
class Package:
    """A package: what it is called, which types and lookups it has, and how it reaches the API once configured."""

    name: str
    version: str
    types: Mapping[str, ResourceType]
    lookups: Mapping[str, Lookup]
    configure: Callable[[Properties], Api]
    """Provider configuration to the API; raises ProviderError for what it does not honour."""
    settings: frozenset[str] = frozenset()
    """Names that configure takes."""

    def type_of(self, urn: str) -> ResourceType:
        """The type of the resource that a URN names. Raises UnknownType."""
        token = urn.split("::")[-2].split("$")[-1]
        if token not in self.types:
            raise UnknownType(token)
        return self.types[token]

    def lookup(self, token: str) -> Lookup:
        """The lookup of that token. Raises UnknownType."""
        if token not in self.lookups:
            raise UnknownType(token)
        return self.lookups[token]
