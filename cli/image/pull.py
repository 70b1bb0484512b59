"""`teal image pull`."""

import json
from pathlib import Path

import click

from cli.failures import one_line
from cli.image.options import environment_argument, file_argument, image_argument, json_option, repository_of
from cli.release.place import place_of
from containers.oci_files import write
from containers.registry import chosen


@click.command()
@environment_argument
@image_argument
@file_argument
@json_option
@one_line
def pull(environment: str, image: str, file: Path, as_json: bool) -> None:
    """Copy an image from the registry of ENV into FILE: an OCI archive if it ends in .tar, else a folder in OCI layout.

    Every part is compared with its digest. FILE must not be there yet. Docker 25 and later, podman and skopeo read it.

    \b
    Examples:
      teal image pull dev sha256:0a1b2c app.tar
      teal image pull --aws prod build-0a1b2c3d4e5f6071 app/
    """
    with place_of(environment) as place, place.steps.step("Pulling"):
        repository = repository_of(place)
        manifest = repository.manifest(chosen(repository.images(), image).digest)
        write(file, manifest, repository.fetch)
    told = {"digest": manifest.digest, "file": str(file), "size_bytes": manifest.size}
    click.echo(json.dumps(told) if as_json else manifest.digest)
