"""States that a release leads through, and shares of the requests. Everything here is pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from release.errors import Refused
from release.ledger import WHOLE, Colour, InFlight, Side, State
from release.machine import Phase

Weights = Mapping[Colour, int]
"""Share of the requests by colour, in percent."""


def floor(capacity: int) -> int:
    """Healthy servers that a colour of this capacity needs to get requests: at least half, at least one.

    >>> [floor(capacity) for capacity in (1, 2, 3, 10)]
    [1, 1, 2, 5]
    """
    return max(1, (capacity + 1) // 2)


def is_fit(state: State, healthy: Weights) -> bool:
    """Whether each colour has the healthy servers that the state's shares ask of it; true while no colour can."""
    return is_cut_off(state) or all(
        healthy[colour] >= floor(state.side(colour).capacity) for colour in Colour if state.shares[colour]
    )


def is_cut_off(state: State) -> bool:
    """Whether no colour that is to get requests has servers: the gap, while a data volume moves to the other one."""
    serving = [colour for colour in Colour if state.shares[colour]]
    return bool(serving) and not any(state.side(colour).capacity for colour in serving)


def are_answered(weights: Weights, healthy: Weights) -> bool:
    """Whether any request is, with these weights at the listener and so many healthy servers."""
    return any(weights[colour] and healthy[colour] for colour in Colour)


def paused(state: State, now: datetime) -> State:
    """The state with its release paused. Raises Refused where there is none, or it is on its way back."""
    release = state.release
    if release is None or release.phase is Phase.ROLLING_BACK:
        raise Refused(
            "no release is in flight" if release is None else f"release {release.release_id} is on its way back"
        )
    return replace(state, release=replace(release, paused_at=now))


def resumed(state: State, now: datetime) -> State:
    """The state with its release going on: whatever it waited for gets its whole time again. Raises Refused."""
    if state.release is None:
        raise Refused("no release is in flight")
    return replace(state, release=replace(state.release, paused_at=None, since=now))


def adopted(state: State, release: InFlight, weights: Weights) -> State:
    """The state with the listener's weights as those of the release's step.

    Raises Refused in a phase without steps, or for weights that a step can't have.
    """
    share = weights[release.plan.target]
    if release.phase is not Phase.SHIFTING or sum(weights.values()) != WHOLE or not 0 < share <= WHOLE:
        raise Refused(f"a release that is {release.phase} can't go on from weights {told(weights)}: restore them")
    steps = release.plan.steps
    if state.data_volume and share != WHOLE:
        raise Refused(f"with a data volume one colour alone serves, and the weights are {told(weights)}: restore them")
    step = max((place for place, each in enumerate(steps) if each <= share), default=0)
    plan = replace(release.plan, steps=(*steps[:step], share, *steps[step + 1 :]))
    weighted = with_share(state, plan.target, share)
    return replace(weighted, release=replace(release, step=step, plan=plan))


def before_step(state: State, release: InFlight) -> Weights:
    """What the listener had before the step that the release is at."""
    if release.step:
        return split(release.plan.target, release.plan.steps[release.step - 1])
    leaving = release.plan.target.other
    return {each: WHOLE if each is leaving and state.side(leaving).digest else 0 for each in Colour}


def retired(state: State, release: InFlight) -> State:
    """The state once the release has settled: the leaving colour empty, the live one free to scale in again."""
    target, plan = release.plan.target, release.plan
    emptied = with_side(state, target.other, replace(state.side(target.other), capacity=0))
    return with_side(emptied, target, replace(state.side(target), capacity=plan.capacity_after))


def restored(state: State, release: InFlight) -> State:
    """The state once the release is taken back: the target colour as it was, the live one free to scale in again."""
    target = release.plan.target
    back = with_side(state, target, release.previous)
    if not state.is_released:
        return back
    return with_side(back, target.other, replace(state.side(target.other), capacity=release.plan.capacity_after))


def told(weights: Weights) -> str:
    """Weights as a text."""
    return ", ".join(f"{colour} {weights[colour]}" for colour in Colour)


def split(colour: Colour, share: int) -> Weights:
    """All requests, so that the colour gets its share of them and the other one the rest."""
    return {each: share if each is colour else WHOLE - share for each in Colour}


def with_share(state: State, colour: Colour, share: int) -> State:
    """The state with all requests split so."""
    shares = split(colour, share)
    return replace(
        state,
        blue=replace(state.blue, weight=shares[Colour.BLUE]),
        green=replace(state.green, weight=shares[Colour.GREEN]),
    )


def with_side(state: State, colour: Colour, side: Side) -> State:
    """The state with another side for the colour."""
    return replace(state, blue=side) if colour is Colour.BLUE else replace(state, green=side)
