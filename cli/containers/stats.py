"""`teal containers stats`."""

import json
import sys
import time
from dataclasses import asdict

import click

from cli.containers.options import environment_argument, instance_argument, json_option, some_of
from cli.containers.place import Listing, hands_of
from cli.containers.table import print_table, size
from cli.failures import one_line
from cli.release.place import place_of
from containers.model import Instance, Usage

HEADER = ("INSTANCE", "COLOUR", "CPU %", "MEMORY", "PIDS", "REQUESTS")
WATCH_SECONDS = 2.0


@click.command()
@environment_argument
@instance_argument
@click.option("--watch", is_flag=True, help="Show it anew every two seconds, until Ctrl-C.")
@json_option
@one_line
def stats(environment: str, instance: str | None, watch: bool, as_json: bool) -> None:
    """Show what the containers of ENV take right now: processor, memory, processes and threads, and requests so far.

    100 % is one processor. INSTANCE may be a colour, too. With --json every look is a line.

    \b
    Examples:
      teal containers stats dev
      teal containers stats dev --watch
      teal containers stats --aws prod blue --json
    """
    with place_of(environment) as place:
        hands = hands_of(place)
        listing = Listing(place, hands)
        with place.steps.step("Asking the instances", leaves_line=False):
            found = some_of(listing.read(), instance)
            usage = dict(hands.usage(found))
            listing.tell()
    _show(found, usage, as_json=as_json)
    while watch:
        time.sleep(WATCH_SECONDS)
        found = some_of(listing.read(), instance)
        _show(found, dict(hands.usage(found)), as_json=as_json)


def _show(instances: list[Instance], usage: dict[str, Usage], *, as_json: bool) -> None:
    if as_json:
        running = [each for each in instances if each.id in usage]
        told = [{"instance": each.id, "colour": each.colour, **asdict(usage[each.id])} for each in running]
        click.echo(json.dumps({"containers": told}))
    else:
        if sys.stdout.isatty():
            click.clear()
        print_table(HEADER, [_cells(each, usage.get(each.id)) for each in instances])
    sys.stdout.flush()


def _cells(instance: Instance, usage: Usage | None) -> list[str]:
    if usage is None:
        return [instance.id, instance.colour, "-", "-", "-", "-", "runs nothing"]
    requests = "-" if usage.requests is None else str(usage.requests)
    return [
        instance.id,
        instance.colour,
        f"{usage.cpu_percent:.1f}",
        size(usage.memory_bytes),
        str(usage.pids),
        requests,
    ]
