"""What must hold before a release may start. Pure: what was found goes in, an answer for each gate comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from release.ledger import WHOLE, Colour, Plan, State
from release.states import floor, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the gates look at."""

    state: State
    weights: Mapping[Colour, int]
    """Weights that the listener has."""
    healthy: Mapping[Colour, int]
    """Servers that pass the load balancer's checks, by colour."""
    not_quiet: str | None
    """Alarms that are red and not to be overlooked, as a text; None where there are none."""
    has_image: bool
    """Whether the environment's registry has the digest."""
    lock_holder: str | None
    """Who holds the environment's lock, and for what; None where it is free."""
    volume_trouble: str | None = None
    """Why the data volume can't be moved, as a text; None where it can, or there is none."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate's answer."""

    name: str
    is_open: bool
    why: str


def gates(plan: Plan, found: Found) -> tuple[Gate, ...]:
    """Every gate's answer, in the order in which they are worth reading."""
    state = found.state
    flight, idle = state.release, state.side(state.idle)
    return (
        Gate(
            "no release in flight",
            flight is None,
            f"{flight.release_id} is {flight.phase}" if flight else "none",
        ),
        Gate("lock free", found.lock_holder is None, found.lock_holder or "free"),
        Gate("image in the registry", found.has_image, plan.digest),
        _live_gate(plan, found),
        Gate(f"{state.idle} empty", not idle.capacity and not found.healthy[state.idle], f"{idle.capacity} servers"),
        Gate("alarms quiet", found.not_quiet is None, found.not_quiet or "all quiet"),
        Gate("weights as in the ledger", found.weights == state.shares, _weights_told(found)),
        *_volume_gates(plan, found),
    )


def _volume_gates(plan: Plan, found: Found) -> tuple[Gate, ...]:
    if not plan.data_volume:
        return ()
    wanted, trouble = max(plan.capacity, plan.capacity_after), found.volume_trouble
    return (
        Gate("one server", wanted == 1, f"{wanted} wanted, and one at a time has data volume {plan.data_volume}"),
        Gate("data volume", trouble is None, trouble or f"{plan.data_volume} is free, or a server's of ours"),
    )


def _live_gate(plan: Plan, found: Found) -> Gate:
    state = found.state
    if not state.is_released:
        is_at_once = plan.steps == (WHOLE,)
        why = "nothing is released yet" if is_at_once else "nothing is released yet: the only step is 100"
        return Gate("first release", is_at_once, why)
    needed, healthy = floor(state.side(state.live).capacity), found.healthy[state.live]
    return Gate(f"{state.live} healthy", healthy >= needed, f"{healthy} servers, {needed} needed")


def _weights_told(found: Found) -> str:
    shares = found.state.shares
    if found.weights == shares:
        return told(shares)
    return f"{told(found.weights)}, not {told(shares)}: a run of the program with --refresh restores them"


def least_time(plan: Plan) -> timedelta:
    """What the plan's waits add up to; starting servers and running the program come on top."""
    return timedelta(seconds=sum(plan.bakes) + plan.warm_seconds)
