"""Arguments that several image commands share."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from cli.containers.options import environment_argument, json_option
from cli.failures import Failure, foreseen
from cli.local.options import checked_digest
from cli.release.place import Place, place_of
from containers.registry import Repository

__all__ = ["digest_option", "environment_argument", "file_argument", "image_argument", "json_option", "repository_of"]


def repository_of(place: Place) -> Repository:
    """The environment's repository. Raises LedgerMissing where its program has not run."""
    return Repository(place.client("ecr"), str(place.exports["repositoryUrl"]).partition("/")[2])


def complete_image(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Digests in the environment's registry; nothing where that can't be asked: completion never complains."""
    try:
        with foreseen(), place_of(str(context.params.get("environment") or "")) as place:
            found = repository_of(place).images()
    except Failure:
        return []
    return [CompletionItem(each.digest) for each in found if each.digest.startswith(incomplete)]


image_argument = click.argument("image", metavar="IMAGE", shell_complete=complete_image)
file_argument = click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
digest_option = click.option(
    "--image", "digest", metavar="DIGEST", callback=checked_digest, help="Which one, where FILE holds several."
)
