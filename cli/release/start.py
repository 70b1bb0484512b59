"""`teal release start`."""

import click

from cli.failures import one_line
from cli.release.conduct import end, launch
from cli.release.gap import gap_of
from cli.release.image import wanted_digest
from cli.release.options import Pace, despite_option, environment_argument, image_option, json_option, pace_options
from cli.release.place import place_of
from cli.release.planning import plan_of
from release.machine import Phase


@click.command()
@environment_argument
@image_option
@pace_options
@click.option("--phoenix", is_flag=True, help="Release the digest that is live already anew, on fresh servers.")
@json_option
@despite_option
@one_line
def start(
    environment: str,
    image: str | None,
    pace: Pace,
    phoenix: bool,
    as_json: bool,
    despite_alarms: tuple[str, ...],
) -> None:
    """Release an image in ENV step by step.

    Ctrl-C pauses: the traffic stays as it is. A digest that is live already is no release: nothing is done. With --json
    every event is a line on standard output. Where there is a data volume, requests fail while it moves: it says for
    how long.

    \b
    Examples:
      teal release start dev
      teal release start prod --image sha256:… --steps 1,10,100 --bake 30s,5m,10m --keep-warm 1h
      teal release start dev --phoenix
    """
    with place_of(environment, tells_json=as_json) as place:
        place.check_settings()
        state = place.ledger.read()
        live = state.side(state.live).digest
        digest = wanted_digest(place, image or (live if phoenix else None))
        if state.release is None and live == digest and not phoenix:
            click.echo(f"{environment} serves {digest} already: nothing to do.", err=as_json)
            return
        plan = plan_of(place, digest, state, pace, despite_alarms)
        outcome = launch(place, plan, gap_of(place, plan, state, pace))
    end(place, outcome, wanted=Phase.DONE)
