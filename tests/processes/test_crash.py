from collections.abc import Callable

import pytest

from processes.crash import Kills, sweep
from processes.environment import Environment
from processes.job import Do, Fault, Harm, When
from processes.nursery import Nursery


@pytest.fixture
def kills(new: Callable[..., Environment], nursery: Nursery) -> Kills:
    return Kills(new, nursery)


def at(when: When, call: str, number: int) -> Fault:
    return Fault(harm=Harm.KILL, when=when, call=call, number=number)


@pytest.mark.parametrize(
    ("then", "fault"),
    [
        (Do.RESUME, at(When.AFTER, "UpdateItem", 1)),  # it has the lock, and nothing is in the ledger
        (Do.RESUME, at(When.AFTER, "TransactWriteItems", 4)),  # the intent of the first step is written
        (Do.ABORT, at(When.AFTER, "ModifyListener", 2)),  # the first step is made
        (Do.ABORT, at(When.AFTER, "RegisterTargets", 1)),
        (Do.RESUME, at(When.BEFORE, "DeregisterTargets", 1)),
    ],
)
def test_a_killed_release_is_resumed_or_taken_back(kills: Kills, then: Do, fault: Fault) -> None:
    assert kills.of_release(then, fault)


@pytest.mark.parametrize("then", [Do.RESUME, Do.ABORT])
def test_a_killed_rollback_is_ended(kills: Kills, then: Do) -> None:
    assert kills.of_rollback(then, at(When.BEFORE, "ModifyListener", 1))


@pytest.mark.long
@pytest.mark.parametrize("then", [Do.RESUME, Do.ABORT])
@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER])
def test_a_release_killed_at_any_call_ends_as_if_it_had_not_been(
    kills: Kills, then: Do, when: When, record_property: Callable[[str, object], None]
) -> None:
    made = sweep(lambda fault: kills.of_release(then, fault), when)
    assert made > 40
    record_property(f"kills {when} each call, then {then}", f"{made}; the second engine ended {kills.outcomes}")


@pytest.mark.long
@pytest.mark.parametrize("then", [Do.RESUME, Do.ABORT])
@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER])
def test_a_rollback_killed_at_any_call_ends_as_if_it_had_not_been(
    kills: Kills, then: Do, when: When, record_property: Callable[[str, object], None]
) -> None:
    made = sweep(lambda fault: kills.of_rollback(then, fault), when)
    assert made > 15
    record_property(f"kills {when} each call, then {then}", f"{made}; the second engine ended {kills.outcomes}")
