"""`teal local cancel`."""

import click

from cli.failures import one_line
from cli.local.options import stack_argument
from cli.local.session import session


@click.command()
@stack_argument
@one_line
def cancel(stack: str) -> None:
    """Free the lock of STACK (dev by default) that a killed run left behind.

    \b
    Example:
      teal local cancel prod
    """
    with session() as here:
        here.running_stack(stack).cancel()
    click.echo(f"Stack {stack} is free.", err=True)
