"""`teal ci render`."""

from collections.abc import Sequence
from pathlib import Path

import click

from cli.ci.output import output_option, put
from cli.failures import Failure, one_line
from cli.local.options import json_option
from pipeline.model import StackPreview
from pipeline.record import BadRecord, read


@click.command()
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)  # fmt: skip
@output_option
@json_option
@one_line
def render(files: Sequence[Path], output: Path | None, as_json: bool) -> None:
    """Make one comment of the previews in each FILE, as `teal ci preview --json` wrote them.

    What is in the files is trusted with nothing: they may come from a job that ran a stranger's code.

    \b
    Example:
      teal ci render embedded.json aws.json --output comment.md
    """
    put([preview for file in files for preview in _read(file)], output, as_json=as_json)


def _read(file: Path) -> tuple[StackPreview, ...]:
    try:
        return read(file.read_bytes())
    except BadRecord as error:
        raise Failure(f"{file} is not what `teal ci preview --json` writes: {error}") from error
