"""`teal local down`."""

import click

from cli.failures import one_line
from cli.project import find_project
from localcloud.launch import STOP_SECONDS, stop


@click.command()
@one_line
def down() -> None:
    """Stop the embedded cloud and forget its stacks. Pulled images and the cloud's log stay.

    A cloud that does not stop within half a minute is killed. Without one there is nothing to do, and that is no error.

    \b
    Example:
      teal local down
    """
    project = find_project(takes_any=True)
    with project.steps() as steps, steps.step("Stopping the embedded cloud", leaves_line=False) as step:
        step.detail = f"it is killed after {STOP_SECONDS:.0f} s"
        was_running = stop(project.home)
    click.echo("The embedded cloud is down." if was_running else "No embedded cloud was running.", err=True)
