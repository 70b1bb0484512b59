"""`teal image`."""

import click

from cli.image.build import build


@click.group()
def group() -> None:
    """Images of the app, without Docker.

    \b
    Example:
      teal image build dev
    """


group.add_command(build)
