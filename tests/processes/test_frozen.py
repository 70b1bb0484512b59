"""An engine is stopped for longer than its lock's term, another one takes its release back, and it wakes again."""

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from processes.environment import TERM_OVER, Environment, Write
from processes.job import Do, Ended, Fault, Harm, When
from processes.nursery import Nursery
from release.adapters.dynamodb_lock import FRESH
from release.ledger import Colour
from release.machine import Phase

BLUE, GREEN = Colour.BLUE, Colour.GREEN
STACK_WAIT_SECONDS = 0.5
"""How long the other engine is watched waiting for the stack."""
SLOW = 5.0
"""Rate at which no heartbeat comes between the renewals that the engine asks for."""


def at(when: When, call: str, number: int) -> Fault:
    return Fault(harm=Harm.STOP, when=when, call=call, number=number)


def frozen_and_overtaken(
    environment: Environment, nursery: Nursery, fault: Fault, *, is_expired: bool, at_least: timedelta = timedelta(0)
) -> tuple[Ended, list[Write]]:
    """How the frozen engine ended, and what it wrote to the listener once it was awake again."""
    frozen = nursery.start(environment.job("frozen", Do.RELEASE, fault, bake_seconds=2.0))
    try:
        frozen.wait_until_frozen()
        other = nursery.run(environment.job("other", Do.ABORT, ahead=TERM_OVER if is_expired else 0.0))
        assert other.outcome == "ROLLED_BACK"
        written = len(environment.writes)
        time.sleep(at_least.total_seconds())
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    return frozen.wait(), environment.writes[written:]


@pytest.mark.parametrize(
    "fault",
    [
        at(When.AFTER, "DescribeTargetHealth", 20),  # somewhere in a step
        at(When.BEFORE, "TransactWriteItems", 4),
        at(When.FIRST, "ModifyListener", 2),  # it looked a moment ago, and all was well
        at(When.AFTER, "ModifyListener", 2),
    ],
    ids=lambda fault: f"{fault.when}-{fault.call}",
)
@pytest.mark.parametrize("is_expired", [True, False])
def test_an_engine_that_wakes_after_its_lock_was_taken_over_changes_nothing(
    new: Callable[..., Environment], nursery: Nursery, fault: Fault, *, is_expired: bool
) -> None:
    environment = new()
    before = environment.end
    ended, late = frozen_and_overtaken(environment, nursery, fault, is_expired=is_expired)
    assert ended.outcome == "LockLost"
    assert not late
    assert environment.end == before
    environment.check(ahead=TERM_OVER)


def test_an_engine_that_is_frozen_while_it_asks_for_its_lock_asks_once_more(
    new: Callable[..., Environment], nursery: Nursery
) -> None:
    """The answer that the lock was its own is as old as its sleep. Its third renewal is the first step's fence."""
    environment = new(rate=SLOW)
    before = environment.end
    ended, late = frozen_and_overtaken(
        environment, nursery, at(When.AFTER, "UpdateItem", 3), is_expired=False, at_least=FRESH / SLOW
    )
    assert ended.outcome == "LockLost"
    assert not late
    assert environment.end == before
    environment.check(ahead=TERM_OVER)


def test_weights_that_are_sent_in_spite_of_all_are_taken_back(
    new: Callable[..., Environment], nursery: Nursery, record_property: Callable[[str, object], None]
) -> None:
    """Frozen, or held up by the network, after the last instruction that could look at the lock."""
    environment = new()
    before = environment.end
    ended, late = frozen_and_overtaken(environment, nursery, at(When.BEFORE, "ModifyListener", 2), is_expired=True)
    assert ended.outcome == "LockLost"
    assert [write.weights for write in late] == [{BLUE: 50, GREEN: 50}, {BLUE: 100, GREEN: 0}]
    assert environment.end == before
    record_property("weights of an engine that no fence could stop", f"live for {late[1].at - late[0].at:.3f} s")


@pytest.mark.parametrize("when", [When.BEFORE, When.AFTER])
def test_an_engine_that_is_frozen_in_its_run_of_the_program_is_overtaken_and_changes_no_weights(
    new: Callable[..., Environment], nursery: Nursery, when: When
) -> None:
    """The other engine turns the traffic at once. For the program it waits: the stack is the frozen run's so long."""
    environment = new()
    before = environment.end
    frozen = nursery.start(environment.job("frozen", Do.RELEASE, at(when, "RegisterTargets", 1), bake_seconds=2.0))
    try:
        frozen.wait_until_frozen()
        other = nursery.start(environment.job("other", Do.ABORT))
        environment.wait_for(Phase.ROLLING_BACK)
        assert environment.traffic.weights() == {BLUE: 100, GREEN: 0}
        time.sleep(STACK_WAIT_SECONDS)
        assert not other.ended.done(), "it ran the program beside a run that was not over"
    finally:
        os.kill(frozen.pid, signal.SIGCONT)
    assert frozen.wait().outcome == "LockLost"
    assert other.wait().outcome == "ROLLED_BACK"
    assert all(write.weights == {BLUE: 100, GREEN: 0} for write in environment.writes)
    assert environment.end == before
    environment.check()
