"""`teal toolchain show`."""

import json

import click

from cli.engine import get_engine
from cli.failures import one_line
from cli.project import find_project


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@one_line
def show(as_json: bool) -> None:
    """Show which engine Teal uses here, and get it if there is none yet.

    \b
    Examples:
      teal toolchain show
      teal toolchain show --json
    """
    with find_project().steps() as steps:
        found = get_engine(steps)
    about = {"path": str(found.pulumi), "version": found.version, "source": found.source.value}
    click.echo(json.dumps(about) if as_json else f"{found.pulumi} {found.version} ({found.source})")
