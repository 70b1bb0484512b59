from dataclasses import replace

import pytest

from release.gates import Found, gates, least_time
from release.ledger import Colour, State
from release_world import LIVE, NEXT, SERVERS, flight, plan
from volume_world import moving

BLUE, GREEN = Colour.BLUE, Colour.GREEN
STATE = State.first(LIVE, SERVERS)
FINE = Found(
    state=STATE,
    weights=STATE.weights,
    healthy={BLUE: SERVERS, GREEN: 0},
    has_image=True,
    not_quiet=None,
    lock_holder=None,
)
WARM = replace(STATE, green=replace(STATE.green, digest=NEXT, capacity=2))


def closed(found: Found) -> list[str]:
    return [gate.name for gate in gates(plan(), found) if not gate.is_open]


def test_in_a_quiet_environment_every_gate_is_open() -> None:
    assert closed(FINE) == []


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (replace(FINE, state=replace(STATE, release=flight())), "no release in flight"),
        (replace(FINE, lock_holder="bob"), "lock free"),
        (replace(FINE, has_image=False), "image in the registry"),
        (replace(FINE, not_quiet="web-blue-errors (blue) is red"), "alarms quiet"),
        (replace(FINE, state=State.initial(), weights=State.initial().shares), "first release"),
        (replace(FINE, healthy={BLUE: 0, GREEN: 0}), "blue healthy"),
        (replace(FINE, healthy={BLUE: SERVERS, GREEN: 1}), "green empty"),
        (replace(FINE, state=WARM), "green empty"),
        (replace(FINE, weights={BLUE: 95, GREEN: 5}), "weights as in the ledger"),
    ],
)
def test_each_gate_closes_for_its_reason(found: Found, name: str) -> None:
    assert closed(found) == [name]


@pytest.mark.parametrize(
    ("changes", "trouble", "name"),
    [({}, None, None), ({"capacity": 2}, None, "one server"), ({"capacity_after": 2}, None, "one server"),
     ({}, "vol-1 is held by i-9, no server of ours", "data volume")],
)  # fmt: skip
def test_a_data_volume_has_gates_of_its_own(changes: dict[str, int], trouble: str | None, name: str | None) -> None:
    state = State.first(LIVE, 1)
    found = replace(FINE, state=state, weights=state.weights, volume_trouble=trouble)
    answers = gates(moving(**changes), found)
    assert [gate.name for gate in answers if not gate.is_open] == ([name] if name else [])
    assert [gate.name for gate in answers][-2:] == ["one server", "data volume"]


def test_a_plan_says_how_long_it_waits_at_least() -> None:
    assert least_time(plan()).total_seconds() == 3 * 2 + 5
