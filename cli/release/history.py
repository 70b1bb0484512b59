"""`teal release history`."""

import json

import click

from cli.failures import one_line
from cli.release.options import environment_argument, json_option
from cli.release.place import place_of
from release.ledger import Colour


@click.command()
@environment_argument
@json_option
@one_line
def history(environment: str, as_json: bool) -> None:
    """Show everything that happened to ENV; the oldest first.

    With --json every line is one event.

    \b
    Examples:
      teal release history dev
      teal release history dev --json
    """
    with place_of(environment) as place:
        entries = place.ledger.history()
    for entry in entries:
        if as_json:
            click.echo(json.dumps(entry.document()))
            continue
        shares = "/".join(str(entry.weights[colour]) for colour in Colour)
        click.echo(
            f"{entry.at:%Y-%m-%d %H:%M:%S} {entry.release_id:<11} {entry.event:<13} {entry.phase:<12} {shares:>6} "
            f"{entry.by}: {entry.why}"
        )
