"""`teal image ls`."""

import json

import click

from cli.containers.table import age, print_table, size
from cli.failures import one_line
from cli.image.options import environment_argument, json_option, repository_of
from cli.image.uses import Use, uses
from cli.release.place import place_of
from containers.registry import StoredImage

HEADER = ("IMAGE", "TAGS", "SIZE", "PUSHED", "USED BY")
DIGEST_CHARACTERS = 19


@click.command()
@environment_argument
@json_option
@one_line
def ls(environment: str, as_json: bool) -> None:
    """Show the images in the registry of ENV, the newest first, and which colour of which stack uses each.

    \b
    Examples:
      teal image ls dev
      teal image ls --aws prod --json
    """
    with place_of(environment) as place, place.steps.step("Asking the registry", leaves_line=False):
        repository = repository_of(place)
        images, needs = repository.images(), uses(place)
    if as_json:
        told = [_document(image, needs) for image in images]
        click.echo(json.dumps({"repository": repository.name, "images": told}))
    elif images:
        print_table(HEADER, [_cells(image, needs) for image in images])
    else:
        click.echo(f"{repository.name} holds no image.")


def _cells(image: StoredImage, needs: list[Use]) -> list[str]:
    users = "; ".join(str(use) for use in needs if use.digest == image.digest)
    tags = ", ".join(image.tags) or "-"
    return [image.digest[:DIGEST_CHARACTERS], tags, size(image.size_bytes), f"{age(image.pushed_at)} ago", users or "-"]


def _document(image: StoredImage, needs: list[Use]) -> dict[str, object]:
    return {
        "digest": image.digest,
        "tags": image.tags,
        "size_bytes": image.size_bytes,
        "pushed_at": image.pushed_at.isoformat(),
        "used_by": [
            {"stack": use.stack, "what": use.what, "runs": use.runs} for use in needs if use.digest == image.digest
        ],
    }
