"""`teal toolchain`."""

import click

from cli.toolchain.export import export
from cli.toolchain.show import show


@click.group()
def group() -> None:
    """The Pulumi engine that Teal runs on.

    \b
    Examples:
      teal toolchain show
      teal toolchain export /mnt/engines
    """


group.add_command(export)
group.add_command(show)
