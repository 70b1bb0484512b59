"""`teal release history`."""

import json
from datetime import datetime
from heapq import merge

import click

from cli.failures import one_line
from cli.release.options import environment_argument, json_option
from cli.release.place import place_of
from release.hands import EVENT, Mark
from release.history import Entry
from release.ledger import Colour


@click.command()
@environment_argument
@json_option
@one_line
def history(environment: str, as_json: bool) -> None:
    """Show everything that happened to ENV; the oldest first.

    Also what was done by hand inside an instance (HAND), which is no release's. With --json every line is one event.

    \b
    Examples:
      teal release history dev
      teal release history dev --json
    """
    with place_of(environment) as place:
        entries: list[Entry | Mark] = [*place.ledger.history()]
        marks: list[Entry | Mark] = [*place.marks.read()]
    for each in merge(entries, marks, key=lambda one: one.at):  # each in its own order, whatever clocks say
        click.echo(json.dumps(_document(each)) if as_json else _told(each))


def _document(found: Entry | Mark) -> dict[str, object]:
    return {**found.document(), "event": EVENT} if isinstance(found, Mark) else found.document()


def _told(found: Entry | Mark) -> str:
    if isinstance(found, Mark):
        return _line(found.at, "", EVENT, found.colour, "", f"{found.by}: {found.did} in {found.instance}")
    shares = "/".join(str(found.weights[colour]) for colour in Colour)
    return _line(found.at, found.release_id, found.event, found.phase, shares, f"{found.by}: {found.why}")


def _line(at: datetime, release_id: str, event: str, where: str, shares: str, what: str) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} {release_id:<11} {event:<13} {where:<12} {shares:>6} {what}"
