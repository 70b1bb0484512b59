"""Where a comment goes."""

from collections.abc import Sequence
from pathlib import Path

import click

from pipeline.comment import comment
from pipeline.model import StackPreview
from pipeline.record import write


def _existing_folder(context: click.Context, parameter: click.Parameter, given: Path | None) -> Path | None:
    """Refuses at once what could not be written minutes later."""
    if given is not None and not given.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {given.parent}")
    return given


output_option = click.option(
    "--output", type=click.Path(dir_okay=False, writable=True, path_type=Path), callback=_existing_folder,
    help="File for the comment's Markdown; default: standard output.",
)  # fmt: skip


def put(previews: Sequence[StackPreview], output: Path | None, *, as_json: bool) -> None:
    """Writes the comment, and with as_json the previews to standard output, for `teal ci render`."""
    if output:
        output.write_text(comment(previews), encoding="utf-8")
    if as_json:
        click.echo(write(previews))
    elif output is None:
        click.echo(comment(previews), nl=False)
