"""`teal image rm`."""

import json

import click

from cli.failures import REFUSED, one_line
from cli.image.options import complete_image, environment_argument, json_option, repository_of
from cli.image.uses import uses
from cli.release.place import Place, caller, place_of
from containers.registry import Repository, StoredImage, chosen
from release.errors import Refused


@click.command()
@environment_argument
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, shell_complete=complete_image)
@click.option("--yes", "is_meant", is_flag=True, help="Remove them; without it only what would be done is shown.")
@json_option
@one_line
def rm(environment: str, images: tuple[str, ...], is_meant: bool, as_json: bool) -> None:
    """Remove images from the registry of ENV, with all their tags. Without --yes nothing is removed.

    Refused (exit code 4) while a colour of any stack has one of them in its ledger, also as the way back, or a release
    in flight needs one. With --yes the environment's lock is held meanwhile, so that no release can start.

    \b
    Examples:
      teal image rm dev sha256:0a1b2c
      teal image rm dev sha256:0a1b2c --yes
    """
    with place_of(environment) as place:
        with place.steps.step("Asking the registry", leaves_line=False):
            repository = repository_of(place)
            listed = repository.images()
            found = list({image.digest: image for image in (chosen(listed, each) for each in images)}.values())
            problems = _problems(place, found)
        if is_meant and not problems:
            _remove(place, repository, found)
    if as_json:
        told = {"images": [image.digest for image in found], "removed": is_meant and not problems, "needed": problems}
        click.echo(json.dumps(told))
    else:
        _tell(found, problems, is_meant=is_meant)
    if problems:
        click.get_current_context().exit(REFUSED)


def _tell(found: list[StoredImage], problems: dict[str, list[str]], *, is_meant: bool) -> None:
    for image in found:
        tags = f" ({', '.join(image.tags)})" if image.tags else ""
        if image.digest in problems:
            click.echo(f"needed         {image.digest}{tags}: {'; '.join(problems[image.digest])}")
        else:
            did = "removed" if is_meant and not problems else "would remove"
            click.echo(f"{did:<14} {image.digest}{tags}")
    if problems:
        click.echo("Nothing was removed.")
    elif not is_meant:
        click.echo("Nothing was removed: say so with --yes.")


def _problems(place: Place, images: list[StoredImage]) -> dict[str, list[str]]:
    """Who needs which of the images, by digest."""
    needs = uses(place)
    found = {image.digest: [str(use) for use in needs if use.digest == image.digest] for image in images}
    return {digest: users for digest, users in found.items() if users}


def _remove(place: Place, repository: Repository, images: list[StoredImage]) -> None:
    """Removes images that are needed by nobody now that no release can start. Raises LockHeld, Refused."""
    lock = place.locks.acquire(caller(), f"remove {len(images)} images")
    try:
        problems = _problems(place, images)
        if problems:
            raise Refused("; ".join(f"{digest} is needed: {', '.join(users)}" for digest, users in problems.items()))
        repository.remove([image.digest for image in images])
    finally:
        lock.release()
