"""`teal release status`."""

import json
from typing import Any

import click

from cli.failures import one_line
from cli.release.options import environment_argument, json_option
from cli.release.place import Place, place_of
from release.ledger import Colour


@click.command()
@environment_argument
@json_option
@one_line
def status(environment: str, as_json: bool) -> None:
    """Show what ENV, an environment in the embedded cloud, runs, and the release in flight.

    \b
    Examples:
      teal release status dev
      teal release status dev --json
    """
    with place_of(environment) as place:
        found = _document(place)
    if as_json:
        click.echo(json.dumps(found))
        return
    for colour in Colour:
        side = found["colours"][colour]
        role = "live" if found["live"] == colour else "idle"
        click.echo(f"{colour:<6} {role} {side['weight']:>3} %  {side['capacity']} servers  {side['digest'] or '-'}")
    release = found["release"]
    if release is None:
        click.echo("no release in flight")
        return
    paused = ", paused" if release["paused"] else ""
    step = f"step {release['step'] + 1} of {len(release['steps'])}"
    click.echo(f"release {release['id']}: {release['phase']}{paused}, {step}, by {release['by']}")
    click.echo(f"lock: {found['lock'] or 'free'}")


def _document(place: Place) -> dict[str, Any]:
    state, holder = place.ledger.read(), place.locks.holder()
    flight = state.release
    sides = {colour: state.side(colour) for colour in Colour}
    return {
        "environment": place.name,
        "live": state.live,
        "colours": {
            colour: {"weight": side.weight, "capacity": side.capacity, "digest": side.digest}
            for colour, side in sides.items()
        },
        "lock": str(holder) if holder else None,
        "release": flight
        and {
            "id": flight.release_id,
            "phase": flight.phase,
            "since": flight.since.isoformat(),
            "paused": flight.is_paused,
            "target": flight.plan.target,
            "digest": flight.plan.digest,
            "step": flight.step,
            "steps": flight.plan.steps,
            "by": flight.started_by,
        },
    }
