"""`teal ci provision`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.ci.way import dry_run_option, image_option, output_option, ready_cloud, stages_of, write_outputs
from cli.failures import one_line
from cli.project import find_project
from cli.release.options import environment_argument, json_option
from pipeline.stages import Stage, chosen

if TYPE_CHECKING:
    from release.adapters.ecr_copy import Reference


@click.command()
@environment_argument
@image_option
@output_option
@dry_run_option
@json_option
@one_line
def provision(
    environment: str, given: "Reference | str | None", output: Path | None, is_dry: bool, as_json: bool
) -> None:
    """Run the program of ENV, judged by policy/, and bring the image into its registry.

    Where ENV builds the image, that is the one; elsewhere it is copied, byte for byte, from the registry of the stack
    before, or from the one that --image names. Nothing is released: `teal release start ENV --image DIGEST` does that.
    With --output the image is added as `image`, and its digest as `digest`. In the embedded cloud, which is started if
    need be; with --aws on AWS.

    \b
    Examples:
      teal ci provision dev
      teal ci provision qa --dry-run
      teal ci provision --aws prod --image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app-images-1a2b@sha256:…
    """
    project = find_project()
    [stage] = chosen(stages_of(project.root), [environment])
    if stage.builds and given:
        raise click.UsageError(f"{stage.name} builds its image: --image is for those that don't")
    if is_dry:
        click.echo(plan_of(stage, given))
        return
    ready_cloud(project.root, [stage])
    from cli.ci.provisioning import provisioned, source_of
    from cli.release.place import place_of

    source = source_of(stage, given)
    with place_of(stage.name) as place:
        image = provisioned(place, project, source)
    write_outputs(output, {"image": str(image), "digest": image.digest})
    click.echo(json.dumps({"stack": stage.name, "image": str(image), "digest": image.digest}) if as_json else image)


def plan_of(stage: Stage, given: "Reference | str | None") -> str:
    """What provisioning would do, in one line."""
    if stage.builds:
        return f"{stage.name}: run the program, which builds the image"
    source = str(given) if given else f"what {stage.follows} serves" if stage.follows else "nothing: give it --image"
    return f"{stage.name}: run the program, and bring into its registry {source}"
