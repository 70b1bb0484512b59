"""`teal release status`."""

import json
import time
from typing import Any

import click

from cli.failures import one_line
from cli.release.options import environment_argument, json_option
from cli.release.place import Place, place_of
from cli.release.snapshots import stock_of
from cli.release.touched import touched
from release.ledger import Colour
from release.states import are_answered

WATCH_SECONDS = 1.0


@click.command()
@environment_argument
@click.option("--watch", is_flag=True, help="Show it anew whenever it changes, until no release is in flight.")
@json_option
@one_line
def status(environment: str, watch: bool, as_json: bool) -> None:
    """Show what ENV runs, and the release in flight.

    \b
    Examples:
      teal release status dev
      teal release status dev --watch
      teal release status dev --json
    """
    with place_of(environment) as place:
        found = _document(place)
        _show(found, as_json=as_json)
        while watch and found["release"]:
            time.sleep(WATCH_SECONDS)
            before, found = found, _document(place)
            if found | {"lock": None} != before | {"lock": None}:  # whose end moves all the time
                _show(found, as_json=as_json)


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found))
        return
    for colour in Colour:
        side = found["colours"][colour]
        role = "live" if found["live"] == colour else "idle"
        healthy = f"{side['healthy']} of {side['capacity']} servers healthy"
        click.echo(f"{colour:<6} {role} {side['listener_weight']:>3} %  {healthy}  {side['digest'] or '-'}")
    for each in found["touched"]:
        click.echo(each["remark"])
    for line in found["snapshots"]["lines"] if found["snapshots"] else ():
        click.echo(line)
    release = found["release"]
    if release is None:
        click.echo("no release in flight")
        return
    paused = f", paused since {release['paused_at']}" if release["paused"] else ""
    step = f"step {release['step'] + 1} of {len(release['steps'])}"
    click.echo(
        f"release {release['id']}: {release['phase']} since {release['since']}{paused}, {step}, by {release['by']}"
    )
    if release["data_volume"]:
        now = "requests fail while it moves" if release["in_gap"] else "requests are answered"
        click.echo(f"data volume {release['data_volume']}: {now}; snapshot {release['snapshot'] or 'not made yet'}")
    click.echo(f"lock: {found['lock'] or 'free'}")


def _document(place: Place) -> dict[str, Any]:
    state, holder = place.ledger.read(), place.locks.holder()
    flight = state.release
    routes = flight.routes if flight else place.routes
    weights, healthy = place.traffic(routes).weights(), place.health(routes).healthy()
    sides = {colour: state.side(colour) for colour in Colour}
    stock = stock_of(place, flight.plan.data_volume if flight else place.data_volume)
    return {
        "environment": place.name,
        "live": state.live,
        "colours": {
            colour: {
                "weight": side.weight,
                "listener_weight": weights[colour],
                "capacity": side.capacity,
                "healthy": healthy[colour],
                "digest": side.digest,
            }
            for colour, side in sides.items()
        },
        "touched": [{**each.document(), "remark": each.remark(place.name)} for each in touched(place, routes)],
        "lock": str(holder) if holder else None,
        "snapshots": stock and stock.document(),
        "release": flight
        and {
            "id": flight.release_id,
            "phase": flight.phase,
            "since": flight.since.isoformat(timespec="seconds"),
            "paused": flight.is_paused,
            "paused_at": flight.paused_at and flight.paused_at.isoformat(timespec="seconds"),
            "target": flight.plan.target,
            "digest": flight.plan.digest,
            "step": flight.step,
            "steps": flight.plan.steps,
            "by": flight.started_by,
            "data_volume": flight.plan.data_volume or None,
            "snapshot": flight.snapshot or None,
            "in_gap": bool(flight.plan.data_volume) and not are_answered(weights, healthy),
        },
    }
