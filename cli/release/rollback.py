"""`teal release rollback`."""

from dataclasses import replace

import click

from cli.failures import one_line
from cli.release.back import turn_back
from cli.release.conduct import end, launch
from cli.release.gap import gap_of
from cli.release.options import Pace, environment_argument, json_option, waits_options
from cli.release.place import place_of
from cli.release.planning import plan_of
from release.errors import Refused
from release.ledger import WHOLE
from release.machine import Phase


@click.command()
@environment_argument
@click.option("--reason", default="rollback by hand", show_default=True, help="Goes into the history.")
@waits_options
@json_option
@one_line
def rollback(
    environment: str,
    reason: str,
    pace: Pace,
    as_json: bool,
) -> None:
    """Take ENV back to the image before.

    While a release is in flight its other colour is warm: all requests go back at once, whoever runs the release
    (their command ends with 7, lock lost). Once it is over, the image before is released in one step of 100 %; the
    times are for that. Exits with 0 once ENV is back.

    With a data volume no colour is warm: requests fail until the other one has the volume again. The data stays as it
    is; a snapshot from before the release is for a person to restore.

    \b
    Examples:
      teal release rollback dev
      teal release rollback prod --reason "checkout is slow"
    """
    with place_of(environment, tells_json=as_json) as place:
        state = place.ledger.read()
        if state.release is not None:
            end(place, turn_back(place, state.release, reason), wanted=Phase.ROLLED_BACK)
            return
        digest = state.side(state.idle).digest
        if digest is None:
            raise Refused(f"{environment} has had no image before {state.side(state.live).digest}")
        pace = replace(pace, steps=(WHOLE,))
        plan = plan_of(place, digest, state, pace)
        outcome = launch(place, plan, gap_of(place, plan, state, pace))
    end(place, outcome, wanted=Phase.DONE)
