"""`teal release plan`."""

import dataclasses
import json

import click

from cli.failures import REFUSED, one_line
from cli.release.gap import Gap, gap_of
from cli.release.image import wanted_digest
from cli.release.options import Pace, despite_option, environment_argument, image_option, json_option, pace_options
from cli.release.place import place_of
from cli.release.planning import plan_of
from cli.release.snapshots import Removal, removal_of
from cli.release.touched import touched
from release.gates import Gate, gates, least_time
from release.ledger import Plan


@click.command()
@environment_argument
@image_option
@pace_options
@json_option
@despite_option
@one_line
def plan(
    environment: str,
    image: str | None,
    pace: Pace,
    as_json: bool,
    despite_alarms: tuple[str, ...],
) -> None:
    """Show what releasing an image in ENV would do, and every gate's answer; nothing is changed.

    Exits with 4 while a gate is closed. Where there is a data volume, it says how long requests will fail,
    and which snapshots go once the release has ended well.

    \b
    Examples:
      teal release plan dev
      teal release plan prod --image sha256:…
    """
    with place_of(environment) as place:
        place.check_settings()
        digest = wanted_digest(place, image)
        state = place.ledger.read()
        found = plan_of(place, digest, state, pace, despite_alarms)
        routes = place.routes
        answers = gates(found, place.found(found, routes))
        gap = gap_of(place, found, state, pace)
        removal = removal_of(place, found, state)
        remarks = [each.remark(environment) for each in touched(place, routes)]
    if as_json:
        is_live = state.side(state.live).digest == digest
        more = {"remarks": remarks, "gap": gap and gap.document(), "snapshots": removal and removal.document()}
        click.echo(json.dumps({**_document(found, answers, is_live=is_live), **more}))
    elif state.side(state.live).digest == digest:
        _remark(remarks)
        click.echo(f"{environment} serves {digest} already: there is nothing to release.")
        return
    else:
        _show(found, answers, gap, removal)
        _remark(remarks)
    if not all(gate.is_open for gate in answers):
        click.get_current_context().exit(REFUSED)


def _document(plan: Plan, answers: tuple[Gate, ...], *, is_live: bool) -> dict[str, object]:
    return {
        "plan": dataclasses.asdict(plan),
        "gates": [dataclasses.asdict(gate) for gate in answers],
        "is_live_already": is_live,
        "least_seconds": least_time(plan).total_seconds(),
    }


def _show(plan: Plan, answers: tuple[Gate, ...], gap: Gap | None, removal: Removal | None) -> None:
    for gate in answers:
        click.echo(f"{'open' if gate.is_open else 'CLOSED':<7} {gate.name}: {gate.why}")
    if gap and gap.outage:
        click.echo(f"prepare end {plan.target.other}'s server: requests fail from here on")
    if gap:
        click.echo(f"prepare snapshot of {plan.data_volume}, once it is free, within {plan.ready_seconds:g} s")
    click.echo(
        f"prepare {plan.capacity} servers of {plan.digest} on {plan.target}, healthy within {plan.ready_seconds:g} s"
    )
    click.echo(f"verify  {plan.target} by the test route")
    for step, bake in zip(plan.steps, plan.bakes, strict=True):
        click.echo(f"shift   {step:>3} % to {plan.target}, bake {bake:g} s and {plan.judge_seconds:g} s for a verdict")
    if gap is None:
        click.echo(f"settle  keep {plan.target.other} warm for {plan.warm_seconds:g} s, then end its servers")
    for line in removal.lines if removal else ():
        click.echo(f"end     {line}")
    click.echo(f"at least {least_time(plan).total_seconds():g} s, and what starting servers takes")
    if gap:
        click.echo(f"gap     {gap.told}")
        _remark([gap.overridden] if gap.overridden else [])


def _remark(remarks: list[str]) -> None:
    """What is worth knowing and closes no gate."""
    for remark in remarks:
        click.echo(f"remark  {remark}")
