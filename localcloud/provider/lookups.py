"""Lookups (Pulumi functions) that a program may ask the embedded cloud."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from localcloud.provider.api import Api
from localcloud.provider.errors import UnknownProperty
from localcloud.provider.values import Properties


@dataclass(frozen=True)
class Lookup:
    """One function: the arguments that it honours, the names of what it answers, and how it finds that."""

    token: str
    arguments: frozenset[str]
    results: frozenset[str]
    run: Callable[[Api, Properties], Properties]

    def answer(self, api: Api, arguments: Properties) -> Properties:
        """The results, the arguments repeated among them as Pulumi's provider does. Raises UnknownProperty."""
        for name in sorted(arguments.keys() - self.arguments):
            raise UnknownProperty(self.token, name)
        return {**arguments, **self.run(api, arguments)}


def table(*lookups: Lookup) -> Mapping[str, Lookup]:
    """Lookups by token."""
    return {lookup.token: lookup for lookup in lookups}
