"""By which way a command reaches its environment: what its options said, for whoever is not handed them."""

from dataclasses import dataclass

import click

_KEY = "teal.access"


@dataclass(frozen=True, slots=True)
class Access:
    """Where the environment is."""

    is_on_aws: bool = False
    """Whether it is reached as it would be at AWS; else it is in the embedded cloud."""
    url: str | None = None
    """Where its service answers; None for where its program says."""

    @property
    def api(self) -> str:
        """What its API is called."""
        return "AWS" if self.is_on_aws else "the embedded cloud's API"


def access() -> Access:
    """That of the command under way; the embedded cloud where there is none, or it has no such options."""
    context = click.get_current_context(silent=True)
    found = context.meta.get(_KEY) if context else None
    return found if isinstance(found, Access) else Access()


def note(context: click.Context, way: Access) -> None:
    """From now on that of the command under way."""
    context.meta[_KEY] = way
