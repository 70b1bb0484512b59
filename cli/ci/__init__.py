"""`teal ci`."""

import click

from cli.lazy import LazyGroup

COMMANDS = {
    "preview": ("cli.ci.preview:preview", "Show what a change would do to every stack, as a comment."),
    "render": ("cli.ci.render:render", "Make one comment of several previews."),
}


@click.command(cls=LazyGroup, table=COMMANDS)
def group() -> None:
    """What CI runs; all of it runs anywhere else, too.

    \b
    Examples:
      teal ci preview --base origin/main
      teal ci preview --aws prod --json > aws.json
    """
