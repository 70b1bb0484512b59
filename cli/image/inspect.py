"""`teal image inspect`."""

import hashlib
import json
from typing import Any

import click

from cli.containers.table import size
from cli.failures import one_line
from cli.image.options import environment_argument, image_argument, json_option, repository_of
from cli.image.uses import uses
from cli.release.place import place_of
from containers.errors import BadImage
from containers.oci_files import Blob, Manifest
from containers.registry import StoredImage, chosen


@click.command()
@environment_argument
@image_argument
@json_option
@one_line
def inspect(environment: str, image: str, as_json: bool) -> None:
    """Show what an image in the registry of ENV is made of: layers, command, labels; and who uses it.

    Of its environment the names are shown, and not the values.

    \b
    Examples:
      teal image inspect dev sha256:0a1b2c
      teal image inspect --aws prod build-0a1b2c3d4e5f6071 --json
    """
    with place_of(environment) as place, place.steps.step("Asking the registry", leaves_line=False):
        repository = repository_of(place)
        stored = chosen(repository.images(), image)
        manifest = repository.manifest(stored.digest)
        config = _config(repository.small_blob(manifest.config), manifest.config)
        users = [str(use) for use in uses(place) if use.digest == stored.digest]
    told = _document(stored, manifest, config, users)
    if as_json:
        click.echo(json.dumps(told))
        return
    for name, value in told.items():
        _show(name.replace("_", " "), value)


def _show(name: str, value: Any) -> None:
    if isinstance(value, dict):
        value = [f"{key}={text}" for key, text in sorted(value.items())]
    if isinstance(value, list):
        value = ("\n" + " " * 16).join(map(str, value)) if value else "-"
    click.echo(f"{name:<15} {value or '-'}")


def _config(content: bytes, blob: Blob) -> dict[str, Any]:
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != blob.digest:
        raise BadImage(f"the config {blob.digest} was changed or cut short")
    try:
        found = json.loads(content)
    except ValueError as error:
        raise BadImage(f"the config {blob.digest} is not JSON") from error
    return found if isinstance(found, dict) else {}


def _document(stored: StoredImage, manifest: Manifest, config: dict[str, Any], users: list[str]) -> dict[str, Any]:
    run = config.get("config") or {}
    return {
        "digest": stored.digest,
        "tags": list(stored.tags),
        "media_type": manifest.media_type,
        "size": size(manifest.size),
        "pushed_at": stored.pushed_at.isoformat(),
        "used_by": users,
        "platform": f"{config.get('os', '?')}/{config.get('architecture', '?')}",
        "created": config.get("created", ""),
        "user": run.get("User", ""),
        "command": [*(run.get("Entrypoint") or []), *(run.get("Cmd") or [])],
        "folder": run.get("WorkingDir", ""),
        "environment": sorted(str(each).partition("=")[0] for each in run.get("Env") or []),
        "labels": run.get("Labels") or {},
        "layers": [f"{layer.digest} {size(layer.size)}" for layer in manifest.layers],
    }
