"""`teal local`."""

import click

from cli.local.cancel import cancel
from cli.local.down import down
from cli.local.env import env
from cli.local.logs import logs
from cli.local.preview import preview
from cli.local.status import status
from cli.local.up import up


@click.group()
def group() -> None:
    """Bring an environment up on this machine: the real engine, an embedded cloud.

    \b
    Examples:
      teal local up dev
      curl "$(teal local up dev)"
      teal local down
    """


for command in (up, down, status, preview, env, logs, cancel):
    group.add_command(command)
