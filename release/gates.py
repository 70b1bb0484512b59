"""What must hold before a release may start. Pure: what was found goes in, an answer for each gate comes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from release.decision import floor
from release.ledger import Colour, Plan, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the gates look at."""

    state: State
    weights: Mapping[Colour, int]
    """Weights that the listener has."""
    healthy: Mapping[Colour, int]
    """Servers that pass the load balancer's checks, by colour."""
    has_image: bool
    """Whether the environment's registry has the digest."""
    lock_holder: str | None
    """Who holds the environment's lock, and for what; None where it is free."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate's answer."""

    name: str
    is_open: bool
    why: str


def gates(plan: Plan, found: Found) -> tuple[Gate, ...]:
    """Every gate's answer, in the order in which they are worth reading."""
    state = found.state
    flight, live, idle = state.release, state.side(state.live), state.side(state.idle)
    needed = floor(live.capacity)
    return (
        Gate(
            "no release in flight",
            flight is None,
            f"{flight.release_id} is {flight.phase}" if flight else "none",
        ),
        Gate("lock free", found.lock_holder is None, found.lock_holder or "free"),
        Gate("image in the registry", found.has_image, plan.digest),
        Gate(f"{state.live} serves", state.is_released, live.digest or "nothing is released yet"),
        Gate(
            f"{state.live} healthy",
            found.healthy[state.live] >= needed,
            f"{found.healthy[state.live]} servers, {needed} needed",
        ),
        Gate(f"{state.idle} empty", not idle.capacity and not found.healthy[state.idle], f"{idle.capacity} servers"),
        Gate(
            "weights as in the ledger",
            found.weights == state.weights,
            ", ".join(f"{colour} {found.weights[colour]}" for colour in Colour),
        ),
    )


def least_time(plan: Plan) -> timedelta:
    """What the plan's waits add up to; starting servers and running the program come on top."""
    return timedelta(seconds=plan.bake_seconds * len(plan.steps) + plan.warm_seconds)
