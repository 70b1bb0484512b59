"""`teal local down`."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from cli.failures import one_line
from cli.project import find_project
from localcloud.home import Home
from localcloud.launch import STOP_SECONDS, stop

if TYPE_CHECKING:
    from localcloud.left import Disk


@click.command()
@click.option("--dry-run", "is_dry", is_flag=True, help="Say what would be ended and removed, and do nothing.")
@one_line
def down(is_dry: bool) -> None:
    """Stop the embedded cloud and forget its stacks, and their data volumes and snapshots with them.

    So it does with data volumes and snapshots that a killed cloud left. Pulled images and the cloud's log stay. A cloud
    that does not stop within half a minute is killed. Without one there is nothing to do, and that is no error.

    \b
    Examples:
      teal local down --dry-run
      teal local down
    """
    project = find_project(takes_any=True)
    disks = _disks(project.home)
    if is_dry:
        click.echo("\n".join(_planned(project.home, disks)))
        return
    with project.steps() as steps, steps.step("Stopping the embedded cloud", leaves_line=False) as step:
        step.detail = f"it is killed after {STOP_SECONDS:.0f} s"
        was_running = stop(project.home)
    click.echo("The embedded cloud is down." if was_running else "No embedded cloud was running.", err=True)
    if disks:
        click.echo(f"Removed: {_counted(disks)}.", err=True)


def _planned(home: Home, disks: "Sequence[Disk]") -> Iterator[str]:
    record = home.record()
    if record and record.is_alive:
        yield "would stop the embedded cloud, and forget its stacks"
    elif not disks:
        yield "no embedded cloud runs, and there is nothing to remove"
    yield from (f"would remove {disk}" for disk in disks)


def _disks(home: Home) -> "list[Disk]":
    if not home.has_data:
        return []
    from localcloud.volumes import Volumes  # here: most clouds have none

    return Volumes(home.volumes, home.snapshots).disks()


def _counted(disks: "Sequence[Disk]") -> str:
    volumes = sum(disk.is_volume for disk in disks)
    kinds = ((volumes, "data volume"), (len(disks) - volumes, "snapshot"))
    return " and ".join(f"{number} {word}{'s' * (number > 1)}" for number, word in kinds if number)
