"""`teal image push`."""

import json
from pathlib import Path

import click

from cli.failures import one_line
from cli.image.options import digest_option, environment_argument, file_argument, json_option, repository_of
from cli.release.place import place_of
from containers.oci_files import opened


@click.command()
@environment_argument
@file_argument
@digest_option
@json_option
@one_line
def push(environment: str, file: Path, digest: str | None, as_json: bool) -> None:
    """Copy an image from FILE into the registry of ENV: an OCI archive, or a folder in OCI layout.

    Every part is compared with its digest before anything is sent; what the registry has already is not sent again. The
    image keeps its digest, which is printed.

    \b
    Examples:
      teal image push qa app.tar
      teal image push --aws prod app/ --image sha256:…
    """
    with place_of(environment) as place, opened(file) as layout:
        with place.steps.step("Checking the file"):
            manifest = layout.manifest(digest)
            layout.check(manifest)
        with place.steps.step("Pushing"):
            tag = repository_of(place).push(layout, manifest)
    told = {"digest": manifest.digest, "tag": tag, "size_bytes": manifest.size}
    click.echo(json.dumps(told) if as_json else manifest.digest)
