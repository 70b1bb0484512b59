"""`teal local down`."""

import click

from cli.failures import one_line
from cli.project import find_project
from localcloud.launch import stop


@click.command()
@one_line
def down() -> None:
    """Stop the embedded cloud and forget its stacks. Pulled images and logs stay.

    \b
    Example:
      teal local down
    """
    was_running = stop(find_project().home)
    click.echo("The embedded cloud is down." if was_running else "No embedded cloud was running.", err=True)
