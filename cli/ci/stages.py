"""`teal ci stages`."""

import dataclasses
import json
from pathlib import Path

import click

from cli.ci.way import output_option, stages_of, write_outputs
from cli.failures import one_line
from cli.project import complete_stack, find_project
from cli.release.options import json_option
from pipeline.stages import Stage, chosen, reached


@click.command()
@click.option(
    "--only", metavar="STACK", shell_complete=complete_stack, help="Just this one, automatic or not; empty for all."
)
@output_option
@json_option
@one_line
def stages(only: str | None, output: Path | None, as_json: bool) -> None:
    """Show the way of an image from stack to stack, and how far a merge takes it.

    By teal:follows and teal:delivery of the stack files. With --output the names of those that are reached are added as
    `stacks`, a JSON list.

    \b
    Examples:
      teal ci stages
      teal ci stages --only prod --json
    """
    ordered = stages_of(find_project().root)
    found = chosen(ordered, [only]) if only else reached(ordered)
    names = [stage.name for stage in found]
    write_outputs(output, {"stacks": json.dumps(names)})
    if as_json:
        shown = [{**dataclasses.asdict(stage), "is_reached": stage in found} for stage in ordered]
        click.echo(json.dumps(shown))
        return
    for stage in ordered:
        click.echo(f"{stage.name:<10} {_told(stage)}{', not now' if stage not in found else ''}")


def _told(stage: Stage) -> str:
    origin = "builds the image" if stage.builds else f"follows {stage.follows}" if stage.follows else "follows nobody"
    return f"{origin}, {'automatic' if stage.is_automatic else 'manual'}"
