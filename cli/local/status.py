"""`teal local status`."""

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from cli.failures import one_line
from cli.local.options import json_option
from cli.project import Project, find_project
from config.stack_files import region_of
from localcloud.environment import stack_names
from localcloud.errors import CloudNotRunning
from localcloud.home import Home
from localcloud.left import Disk
from localcloud.status import StackStatus, plane_status, stack_statuses
from localcloud.volumes import Volumes

COLUMNS = ("id", "colour", "zone", "address", "health")


@click.command()
@json_option
@one_line
def status(as_json: bool) -> None:
    """Show what runs: by stack its address, and its instances with colour, zone and health.

    And what a killed cloud left of data volumes, as long as no stack has taken it over.

    Exits with 3 when no embedded cloud runs.

    \b
    Examples:
      teal local status
      teal local status --json
    """
    project = find_project(takes_any=True)
    try:
        with project.steps() as steps, steps.step("Asking the embedded cloud", leaves_line=False):
            stacks = _stacks(project)
            left = plane_status(project.home.running()).left
    except CloudNotRunning:
        disks = _left_behind(project.home)
        if as_json:
            click.echo(json.dumps({"running": False, "stacks": {}, "left": [*map(asdict, disks)]}))
        else:
            _show_left(disks)
        raise
    if as_json:
        shown = {name: _plain(stack) for name, stack in stacks.items()}
        click.echo(json.dumps({"running": True, "stacks": shown, "left": [*map(asdict, left)]}))
        return
    for name, stack in stacks.items():
        _show(name, stack)
    if not stacks:
        click.echo("The embedded cloud runs; no stack is up: `teal local up dev`.")
    _show_left(left)


def _stacks(project: Project) -> dict[str, StackStatus]:
    record = project.home.running()
    regions = {region_of(project.root, name) for name in stack_names(project.root)}
    return stack_statuses(record, regions)


def _plain(stack: StackStatus) -> dict[str, object]:
    rows = [{column: getattr(instance, column) for column in COLUMNS} for instance in stack.instances]
    return {"url": stack.url, "instances": rows}


def _show(name: str, stack: StackStatus) -> None:
    healthy = f"{len(stack.healthy)} of {len(stack.instances)} instances healthy"
    click.echo("  ".join(filter(None, (name, stack.url, healthy))))
    rows = [[str(getattr(instance, column)) for column in COLUMNS] for instance in stack.instances]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row, instance in zip(rows, stack.instances, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(["", *cells, instance.reason]).rstrip())


def _left_behind(home: Home) -> Sequence[Disk]:
    """What there is of data volumes where no cloud runs; nothing for one that lives and just does not answer."""
    record = home.record()
    return [] if record and record.is_alive else Volumes(home.volumes, home.snapshots).disks()


def _show_left(disks: Sequence[Disk]) -> None:
    for disk in disks:
        click.echo(f"left by a killed cloud: {disk}")
    if disks:
        click.echo(
            "A stack that comes up without its data volume takes it over; `teal local down` removes what is left."
        )
