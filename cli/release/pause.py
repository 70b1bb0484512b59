"""`teal release pause`."""

from datetime import UTC, datetime
from functools import partial

import click

from cli.failures import one_line
from cli.release.options import environment_argument
from cli.release.place import caller, place_of
from release.engine import PAUSED
from release.errors import Refused
from release.flags import flag
from release.states import is_cut_off, paused


@click.command()
@environment_argument
@click.option("--reason", default="paused by hand", show_default=True, help="Goes into the history.")
@one_line
def pause(environment: str, reason: str) -> None:
    """Hold the release in ENV where it is: the weights stay.

    The command that runs it goes on watching, and still takes a bad version back. Nobody who resumes within
    teal:pauseSeconds: it is taken back, too. While a data volume moves, requests go on failing, which it says.

    \b
    Examples:
      teal release pause dev
      teal release pause prod --reason "the phones ring"
    """
    with place_of(environment) as place:
        release, holder = place.ledger.read().release, place.locks.holder()
        if release and release.is_paused:
            click.echo(f"{release.release_id} is paused already.")
            return
        now = datetime.now(UTC)
        state = flag(place.ledger, partial(paused, now=now), PAUSED, reason, by=caller(), at=now)
    if state.release is None:
        raise Refused(f"no release is in flight in {environment}")
    if is_cut_off(state):
        click.echo(f"Requests fail: {state.data_volume} moves. `teal release abort {environment}` brings them back.")
    watched = f"{holder.who} watches it" if holder else "nobody watches it"
    click.echo(f"{state.release.release_id} is paused; {watched}. `teal release resume {environment}` goes on.")
