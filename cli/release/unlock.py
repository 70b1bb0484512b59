"""`teal release unlock`."""

import click

from cli.failures import one_line
from cli.release.options import environment_argument
from cli.release.place import caller, place_of


@click.command()
@environment_argument
@click.option("--reason", required=True, help="Why the lock may be broken; goes into the history.")
@one_line
def unlock(environment: str, reason: str) -> None:
    """Break the lock of ENV whoever holds it.

    Whoever held it can write nothing more: neither ledger nor listener. A release that it ran stays in flight, for
    `teal release resume` or `abort`. A lock that nobody renews frees itself after 30 s: breaking it is for haste.

    \b
    Example:
      teal release unlock dev --reason "the laptop is gone"
    """
    with place_of(environment) as place:
        holder = place.locks.holder()
        if holder is None:
            click.echo(f"The lock of {environment} is free.")
            return
        place.locks.take_over(caller(), f"unlock: {reason}").release()
    click.echo(f"The lock of {environment} is free; before, {holder}.")
