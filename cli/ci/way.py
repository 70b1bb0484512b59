"""What the delivery commands share: the stages by the settings, the image that goes on, and outputs for a workflow."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.access import access
from localcloud.environment import stack_names
from pipeline.stages import Stage, in_order
from release.ledger import DIGEST

if TYPE_CHECKING:
    from release.adapters.ecr_copy import Reference

_NAME = re.compile(r"[a-z_]+")


def stages_of(root: Path) -> tuple[Stage, ...]:
    """The project's stages in order, by the stacks' settings. Raises SettingsError, StagesError."""
    from config.settings import Delivery, of_stack

    def stage(name: str) -> Stage:
        wanted = of_stack(root, name)
        return Stage(
            name=name,
            follows=wanted.follows or None,
            is_automatic=wanted.delivery is Delivery.AUTOMATIC,
            builds=wanted.builds_image,
        )

    return in_order(stage(name) for name in stack_names(root))


class Image(click.ParamType["Reference | str | None"]):
    """A digest, or an image of ECR by its digest."""

    name = "image"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "Reference | str | None":
        """The digest as it is, else the reference; None for nothing, as a workflow says that it has none."""
        from release.adapters.ecr_copy import Reference

        if not value:
            return None
        if isinstance(value, Reference):
            return value
        if DIGEST.fullmatch(value):
            return str(value)
        try:
            return Reference.parse(value)
        except ValueError:
            self.fail(
                f"{value!r} is neither a digest, sha256: and 64 hexadecimal digits, nor REGISTRY/NAME@DIGEST of ECR",
                param,
                ctx,
            )


def write_outputs(file: Path | None, values: Mapping[str, str]) -> None:
    """Adds outputs to a workflow's file, NAME=VALUE by line; nothing without a file."""
    if file is None:
        return
    for name, value in values.items():
        assert _NAME.fullmatch(name) and "\n" not in value, f"{name} would make two outputs"  # noqa: S101, PT018
    with file.open("a") as out:
        out.writelines(f"{name}={value}\n" for name, value in values.items())


def ready_cloud(root: Path, stages: Iterable[Stage]) -> None:
    """Starts the embedded cloud unless it runs, with the stages' hosted zones; nothing on AWS.

    Raises LocalCloudError, ToolchainError.
    """
    if access().is_on_aws:
        return
    from cli.engine import get_engine
    from cli.local.session import session
    from config.settings import of_stack
    from config.stack_files import region_of
    from localcloud.provider.api import Api
    from localcloud.registrar import own_zone

    with session() as here:
        get_engine(here.steps)
        record = here.cloud()
        for stage in stages:
            zone = of_stack(root, stage.name).zone_name
            if zone:
                own_zone(Api(record.api_url, region_of(root, stage.name)), zone)


image_option = click.option(
    "--image", "given", type=Image(), metavar="IMAGE",
    help="Which image: a digest, or REGISTRY/NAME@DIGEST; default: what the stack before serves.",
)  # fmt: skip
output_option = click.option(
    "--output", "output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Add the result to this file as a workflow's outputs, NAME=VALUE.",
)  # fmt: skip
dry_run_option = click.option("--dry-run", "is_dry", is_flag=True, help="Say what would be done, and do nothing.")
