"""Which image a release is about."""

import click

from cli.release.place import Place


def wanted_digest(place: Place, given: str | None) -> str:
    """The digest that was given, or the one that the environment's program built. Raises UsageError."""
    digest = given or place.exports.get("candidate")
    if not digest:
        raise click.UsageError(f"{place.name} builds no image: say which one with --image")
    return str(digest)
