"""`teal containers stop` and `teal containers kill`."""

import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import click

from cli.access import access
from cli.containers.options import environment_argument, instance_argument, json_option, one_of
from cli.containers.place import Listing, hands_of, mark
from cli.failures import one_line
from cli.release.options import Seconds
from cli.release.place import Place, place_of
from cli.steps import Step
from containers.balancing import Balancing
from containers.errors import NotComeBack
from containers.model import HEALTHY, Instance
from containers.ports import Hands
from release.hands import Act

POLL_SECONDS, POLL_AWS_SECONDS = 0.3, 3.0

_wait = click.option("--wait", "waits", is_flag=True, help="Wait until as many are healthy again as before.")
_within = click.option(
    "--within", "within_seconds", type=Seconds(), default="5m", show_default=True, help="How long to wait at most."
)


@click.command()
@environment_argument
@instance_argument
@_wait
@_within
@json_option
@one_line
def stop(environment: str, instance: str | None, waits: bool, within_seconds: float, as_json: bool) -> None:
    """Have the container of an instance of ENV finish the requests that it is at, and end.

    Before, the instance is taken out of its target groups, and what it is at is waited for: no request is lost. The
    only healthy one of its colour stays in, since nobody else could answer and that would but prolong the gap.
    It comes back by itself: in the embedded cloud the scaling group replaces the instance, on AWS systemd starts the
    container again on the same server, which is then registered again, and in a swarm Swarm starts another task there
    or on another worker. It is marked in the ledger.

    \b
    Examples:
      teal containers stop dev i-0abc
      teal containers stop dev i-0abc --wait
    """
    _end(environment, instance, Act.STOP, waits=waits, within_seconds=within_seconds, as_json=as_json)


@click.command()
@environment_argument
@instance_argument
@_wait
@_within
@json_option
@one_line
def kill(environment: str, instance: str | None, waits: bool, within_seconds: float, as_json: bool) -> None:
    """End the container of an instance of ENV at once, with the requests that it is at.

    What the load balancer still sends until its checks notice fails, too, about a second long. It comes back by
    itself, as after `stop`. It is marked in the ledger.

    \b
    Examples:
      teal containers kill dev i-0abc
      teal containers kill --aws qa i-0abc --wait --within 2m
    """
    _end(environment, instance, Act.KILL, waits=waits, within_seconds=within_seconds, as_json=as_json)


@dataclass(frozen=True)
class _Before:
    """How it was when the container was ended."""

    instance: Instance
    since: datetime | None
    healthy: frozenset[str]
    """Of its colour."""


def _end(environment: str, wanted: str | None, act: Act, *, waits: bool, within_seconds: float, as_json: bool) -> None:
    with place_of(environment) as place:
        hands = hands_of(place)
        listing = Listing(place, hands)
        instances = listing.read()
        chosen = one_of(instances, wanted)
        before = _Before(chosen, hands.look([chosen])[chosen.id].since, _healthy(instances, chosen.colour))
        mark(place, act, chosen)
        if act is Act.STOP:
            _stop(place, hands, before)
        else:
            with place.steps.step(f"Ending {chosen.id}", leaves_line=False):
                hands.kill(chosen)
        began = time.monotonic()
        if waits:
            with place.steps.step(f"Until {chosen.colour} is healthy again") as step:
                _await_back(hands, listing, before, within_seconds, step)
    seconds = round(time.monotonic() - began, 1) if waits else None
    if as_json:
        told = {"instance": chosen.id, "colour": chosen.colour, "act": act, "comes_back": hands.comes_back}
        click.echo(json.dumps({**told, "healthy_again_seconds": seconds}))
        return
    did = "stopped" if act is Act.STOP else "killed"
    click.echo(f"{chosen.colour} {chosen.id} {did}. It comes back by itself: {hands.comes_back}.")
    if waits:
        click.echo(f"{chosen.colour} is healthy again after {seconds} s.")


def _stop(place: Place, hands: Hands, before: _Before) -> None:
    """Ends the container once no load balancer sends it anything, where another instance can answer meanwhile."""
    chosen = before.instance
    with ExitStack() as out:
        is_target = bool(chosen.port) or not chosen.worker  # a task that has ended is none
        if is_target and before.healthy - {chosen.id}:
            with place.steps.step(f"Taking {chosen.id} out of the load balancer") as step:
                tell = partial(setattr, step, "detail")
                out.enter_context(Balancing(place.client).without(chosen.server, tell, chosen.port))
        with place.steps.step(f"Ending {chosen.id}", leaves_line=False):
            hands.stop(chosen)


def _await_back(hands: Hands, listing: Listing, before: _Before, seconds: float, step: Step) -> None:
    """Until as many of the colour are healthy as before, and the ended one is gone or runs anew. Raises NotComeBack."""
    deadline = time.monotonic() + seconds
    colour, pause = before.instance.colour, POLL_AWS_SECONDS if access().is_on_aws else POLL_SECONDS
    while True:
        instances = listing.read()
        healthy = _healthy(instances, colour)
        there = [each for each in instances if each.id == before.instance.id]
        is_back = all((since := one.since) and since != before.since for one in hands.look(there).values())
        if is_back and len(healthy) >= len(before.healthy):
            return
        step.detail = f"{len(healthy)} of {len(before.healthy)} healthy"
        if time.monotonic() > deadline:
            raise NotComeBack(
                f"{colour} has {len(healthy)} of {len(before.healthy)} instances healthy {seconds:.0f} s after "
                f"{before.instance.id} ended: see `teal containers ps`"
            )
        time.sleep(pause)


def _healthy(instances: Sequence[Instance], colour: str) -> frozenset[str]:
    return frozenset(each.id for each in instances if each.colour == colour and each.health == HEALTHY)
