"""`teal toolchain export`."""

from pathlib import Path

import click

from cli.failures import one_line
from cli.project import find_project
from toolchain import export as export_toolchain
from toolchain.progress import Progress


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@one_line
def export(directory: Path) -> None:
    """Put the built engine into DIRECTORY, for machines that reach nothing, and print its folder there.

    \b
    Examples:
      teal toolchain export /mnt/engines
      TEAL_TOOLCHAIN_MIRROR=/mnt/engines make up     there
    """
    with find_project().steps() as steps, steps.step("Exporting the engine") as step:

        def report(progress: Progress) -> None:
            step.detail = progress.what

        folder = export_toolchain(directory, report)
    click.echo(folder)
