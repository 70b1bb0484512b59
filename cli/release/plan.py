"""`teal release plan`."""

import click

from cli.failures import REFUSED, one_line
from cli.release.conduct import plan_of
from cli.release.image import wanted_digest
from cli.release.options import Pace, environment_argument, image_option, pace_options
from cli.release.place import place_of
from release.gates import gates, least_time
from release.ledger import Plan


@click.command()
@environment_argument
@image_option
@pace_options
@one_line
def plan(
    environment: str,
    image: str | None,
    steps: tuple[int, ...],
    ready_seconds: float,
    bake_seconds: float,
    warm_seconds: float,
) -> None:
    """Show what releasing an image in ENV would do, and every gate's answer; nothing is changed.

    Exits with 4 while a gate is closed. ENV must be up in the embedded cloud.

    \b
    Examples:
      teal release plan dev
      teal release plan prod --image sha256:…
    """
    with place_of(environment) as place:
        digest = wanted_digest(place, image)
        state = place.ledger.read()
        found = plan_of(digest, state.idle, Pace(steps, ready_seconds, bake_seconds, warm_seconds))
        answers = gates(found, place.found(digest, place.routes))
    if state.side(state.live).digest == digest:
        click.echo(f"{environment} serves {digest} already: there is nothing to release.")
        return
    for gate in answers:
        click.echo(f"{'open' if gate.is_open else 'CLOSED':<7} {gate.name}: {gate.why}")
    _show(found, state.side(state.live).capacity)
    if not all(gate.is_open for gate in answers):
        click.get_current_context().exit(REFUSED)


def _show(plan: Plan, servers: int) -> None:
    click.echo(f"prepare {servers} servers of {plan.digest} on {plan.target}, healthy within {plan.ready_seconds:g} s")
    click.echo(f"verify  {plan.target} by the test route")
    for step in plan.steps:
        click.echo(f"shift   {step:>3} % to {plan.target}, bake {plan.bake_seconds:g} s")
    click.echo(f"settle  keep {plan.target.other} warm for {plan.warm_seconds:g} s, then end its servers")
    click.echo(f"at least {least_time(plan).total_seconds():g} s, and what starting servers takes")
