"""`teal release resume`."""

import click

from cli.failures import one_line
from cli.release.conduct import conduct, end
from cli.release.options import environment_argument
from cli.release.place import caller, place_of
from release.errors import Refused
from release.machine import Phase


@click.command()
@environment_argument
@one_line
def resume(environment: str) -> None:
    """Go on with the release in ENV, an environment in the embedded cloud, that was paused or killed.

    \b
    Example:
      teal release resume dev
    """
    with place_of(environment) as place:
        release = place.ledger.read().release
        if release is None:
            raise Refused(f"no release is in flight in {environment}")
        lock = place.locks.acquire(caller(), f"resume {release.release_id}")
        about = f"Release {release.release_id}"
        outcome = conduct(place, lock, release.routes, about, lambda engine: engine.resume())
    is_back = release.phase is Phase.ROLLING_BACK
    end(outcome, environment, wanted=Phase.ROLLED_BACK if is_back else Phase.DONE)
