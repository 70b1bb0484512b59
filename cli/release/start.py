"""`teal release start`."""

import click

from cli.failures import one_line
from cli.release.conduct import end, launch, plan_of
from cli.release.image import wanted_digest
from cli.release.options import Pace, environment_argument, image_option, pace_options
from cli.release.place import place_of
from release.machine import Phase


@click.command()
@environment_argument
@image_option
@pace_options
@one_line
def start(
    environment: str,
    image: str | None,
    steps: tuple[int, ...],
    ready_seconds: float,
    bake_seconds: float,
    warm_seconds: float,
) -> None:
    """Release an image in ENV, an environment in the embedded cloud, step by step.

    Ctrl-C pauses: the traffic stays as it is. A digest that is live already is no release: nothing is done.

    \b
    Examples:
      teal release start dev
      teal release start prod --image sha256:… --steps 1,10,100 --bake 30s --keep-warm 1h
    """
    pace = Pace(steps, ready_seconds, bake_seconds, warm_seconds)
    with place_of(environment) as place:
        digest = wanted_digest(place, image)
        state = place.ledger.read()
        if state.release is None and state.side(state.live).digest == digest:
            click.echo(f"{environment} serves {digest} already: nothing to do.")
            return
        outcome = launch(place, plan_of(digest, state.idle, pace))
    end(outcome, environment, wanted=Phase.DONE)
