"""`teal image build`."""

import json

import click

from cli.app_image import push_app
from cli.aws import client
from cli.failures import one_line
from cli.local.options import json_option, stack_argument
from cli.local.session import session
from localcloud.errors import LocalCloudError


def _labels(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    labels = {}
    for text in given:
        key, sign, value = text.partition("=")
        if not key or not sign:
            raise click.BadParameter(f"{text!r} is not KEY=VALUE")
        labels[key] = value
    return labels


@click.command()
@stack_argument
@click.option(
    "--label", "labels", multiple=True, metavar="KEY=VALUE", callback=_labels, help="Put on the image; repeatable."
)
@json_option
@one_line
def build(stack: str, labels: dict[str, str], as_json: bool) -> None:
    """Make an image of app/ as it stands, push it to the registry of STACK, and print its digest.

    It is packed without Docker, as one layer, or built by Docker where the cloud has the docker driver. Same source and
    labels, same digest. STACK (dev by default) must be up in the embedded cloud.

    \b
    Examples:
      teal image build
      teal image build prod --label org.opencontainers.image.version=1.4.2 --json
    """
    with session() as here:
        found = here.running_stack(stack)
        repository_url = str(found.exports().get("repositoryUrl", ""))
        if not repository_url:
            raise LocalCloudError(f"stack {stack} has no registry yet: bring it up with `teal local up {stack}`")
        with here.steps.step("Building and pushing"):
            ecr, name = client("ecr", found.environment), repository_url.partition("/")[2]
            digest = push_app(here.project.root, ecr, name, labels, found.record)
    click.echo(json.dumps({"digest": digest, "repository": repository_url}) if as_json else digest)
