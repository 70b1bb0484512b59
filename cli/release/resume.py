"""`teal release resume`."""

from datetime import UTC, datetime
from functools import partial

import click

from cli.failures import one_line
from cli.release.conduct import conduct, end
from cli.release.options import environment_argument, json_option
from cli.release.place import Place, caller, place_of
from release.engine import RESUMED, Engine
from release.errors import Refused
from release.flags import flag
from release.ledger import InFlight
from release.machine import Phase
from release.states import resumed


@click.command()
@environment_argument
@click.option(
    "--weights",
    type=click.Choice(["adopt", "restore"]),
    help="Where somebody else changed the listener's weights: go on from those, or give it the ledger's again.",
)
@json_option
@one_line
def resume(environment: str, weights: str | None, as_json: bool) -> None:
    """Go on with the release in ENV that was paused or killed.

    Where the command that runs it still does, that one goes on; else this one runs it to its end.

    \b
    Examples:
      teal release resume dev
      teal release resume dev --weights restore
    """
    with place_of(environment, tells_json=as_json) as place:
        release = place.ledger.read().release
        if release is None:
            raise Refused(f"no release is in flight in {environment}")
        holder = place.locks.holder()
        if holder and release.is_paused and weights is None:
            now = datetime.now(UTC)
            flag(place.ledger, partial(resumed, now=now), RESUMED, "", by=caller(), at=now)
            click.echo(f"{release.release_id} goes on; {holder.who} runs it.")
            return
        outcome = _run(place, release, weights)
    is_back = release.phase is Phase.ROLLING_BACK
    end(place, outcome, wanted=Phase.ROLLED_BACK if is_back else Phase.DONE)


def _run(place: Place, release: InFlight, weights: str | None) -> Phase | None:
    def first(engine: Engine) -> None:
        if weights == "adopt":
            engine.adopt()
        elif weights == "restore":
            engine.restore()
        engine.resume()

    lock = place.locks.acquire(caller(), f"resume {release.release_id}")
    return conduct(place, lock, release, f"Release {release.release_id}", first)
