"""`teal ci deliver`."""

import json
from typing import TYPE_CHECKING

import click

from cli.ci.provision import plan_of
from cli.ci.way import dry_run_option, image_option, ready_cloud, stages_of
from cli.failures import one_line
from cli.project import Project, complete_stack, find_project
from cli.release.options import Pace, aws_option, json_option, pace_options
from pipeline.stages import Stage, chosen, reached
from release.errors import Refused
from release.machine import Phase

if TYPE_CHECKING:
    from release.adapters.ecr_copy import Reference


@click.command()
@click.argument("stacks", nargs=-1, metavar="[STACK]...", shell_complete=complete_stack)
@image_option
@pace_options
@aws_option
@dry_run_option
@json_option
@one_line
def deliver(stacks: tuple[str, ...], given: "Reference | str | None", pace: Pace, is_dry: bool, as_json: bool) -> None:
    """Do what a merge does: build once, release to the first stack, then onwards with the same digest.

    How far is for the stack files to say: teal:follows names the stack before, teal:delivery whether a merge goes on to
    this one (automatic) or stops before it (manual). With STACKs just those, manual or not, in their order. The first
    release that does not get to its end stops the delivery, with the exit code that `teal release start` has.

    In the embedded cloud, which is started if need be; with --aws on AWS.

    \b
    Examples:
      teal ci deliver --dry-run
      teal ci deliver
      teal ci deliver prod --aws
    """
    project = find_project()
    ordered = stages_of(project.root)
    wanted = chosen(ordered, stacks) if stacks else reached(ordered)
    if not wanted:
        raise Refused("no stack is delivered to by itself: teal:delivery is manual in all of them, or before them")
    if given and wanted[0].builds:
        raise click.UsageError(f"{wanted[0].name} builds its image: --image is for those that don't")
    if is_dry:
        for number, stage in enumerate(wanted):
            click.echo(
                f"{plan_of(stage, given if number == 0 else f'the image of {wanted[number - 1].name}')}; release it"
            )
        return
    ready_cloud(project.root, wanted)
    done = []
    for stage in wanted:
        given = _deliver(project, stage, given, pace)
        done.append({"stack": stage.name, "image": str(given), "digest": given.digest})
        click.echo(f"{stage.name} serves {given.digest}", err=as_json)
    if as_json:
        click.echo(json.dumps(done))


def _deliver(project: Project, stage: Stage, given: "Reference | str | None", pace: Pace) -> "Reference":
    """Brings one stack to the image. Ends the command where its release does not get to its end."""
    from cli.ci.provisioning import provisioned, released, source_of
    from cli.release.conduct import end
    from cli.release.place import place_of

    source = source_of(stage, given)
    with place_of(stage.name) as place:
        image = provisioned(place, project, source)
        outcome = released(place, image.digest, pace)
    if outcome is not Phase.DONE:
        end(place, outcome, wanted=Phase.DONE)
    return image
