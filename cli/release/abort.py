"""`teal release abort`."""

import click

from cli.failures import one_line
from cli.release.back import turn_back
from cli.release.conduct import end
from cli.release.options import environment_argument, json_option
from cli.release.place import place_of
from release.errors import Refused
from release.machine import Phase


@click.command()
@environment_argument
@click.option("--reason", default="abort by hand", show_default=True, help="Goes into the history.")
@json_option
@one_line
def abort(environment: str, reason: str, as_json: bool) -> None:
    """End the release in flight in ENV: running, paused or killed.

    All requests go back to the colour that was live before; with a data volume, once that one has it again. Exits with
    0 once they have, with 4 if none is in flight.

    \b
    Example:
      teal release abort dev
    """
    with place_of(environment, tells_json=as_json) as place:
        release = place.ledger.read().release
        if release is None:
            raise Refused(f"no release is in flight in {environment}")
        outcome = turn_back(place, release, reason)
    end(place, outcome, wanted=Phase.ROLLED_BACK)
