"""`teal image`."""

import click

from cli.image.build import build


@click.group()
def group() -> None:
    """Images of the app, without Docker."""


group.add_command(build)
