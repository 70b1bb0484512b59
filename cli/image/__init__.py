"""`teal image`."""

import click

from cli.lazy import LazyGroup

COMMANDS = {
    "build": ("cli.image.build:build", "Pack app/ and push it, without Docker."),
    "ls": ("cli.image.ls:ls", "Show what an environment's registry holds, and who runs it."),
    "inspect": ("cli.image.inspect:inspect", "Show what an image is made of."),
    "push": ("cli.image.push:push", "Copy an image from a file into the registry."),
    "pull": ("cli.image.pull:pull", "Copy an image from the registry into a file."),
    "rm": ("cli.image.rm:rm", "Remove images that nobody runs."),
}


@click.command(cls=LazyGroup, table=COMMANDS)
def group() -> None:
    """Images of the app: build, look, copy, remove.

    In the embedded cloud, and with --aws on AWS (but `build`, which is the program's there). IMAGE is a digest, the
    beginning of one, or a tag.

    \b
    Examples:
      teal image build dev
      teal image ls dev
      teal image pull dev sha256:0a1b2c app.tar
    """
