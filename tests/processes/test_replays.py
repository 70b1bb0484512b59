"""What has broken the releases of other systems, done to ours."""

import json
import os
import signal
import time
from collections.abc import Callable

import pytest

from processes.api import Api
from processes.environment import TERM_OVER, Environment, put_warm
from processes.job import Do, Fault, Harm
from processes.nursery import Nursery, Running
from release.ledger import Colour
from release.ledger_text import KEY

BLUE, GREEN = Colour.BLUE, Colour.GREEN
STEP = {BLUE: 50, GREEN: 50}
STEP_SECONDS = 20.0
REAL_TIME = 1.0


def until_it_shifts(environment: Environment, running: Running) -> None:
    """Returns once the listener has the first step's weights."""
    deadline = time.monotonic() + STEP_SECONDS
    while environment.traffic.weights() != STEP:
        assert time.monotonic() < deadline, f"{running.name} has not shifted after {STEP_SECONDS} s"
        time.sleep(0.02)


@pytest.mark.parametrize("seconds", [5.0, pytest.param(60.0, marks=pytest.mark.long)])
def test_an_api_that_throttles_loses_nothing(
    new: Callable[..., Environment],
    nursery: Nursery,
    api: Api,
    seconds: float,
    record_property: Callable[[str, object], None],
) -> None:
    environment = new(rate=REAL_TIME)
    running = nursery.start(environment.job("patient", Do.RELEASE, bake_seconds=1.0))
    until_it_shifts(environment, running)
    began = time.monotonic()
    api.manners.throttled_until[running.name] = began + seconds
    ended = running.wait(seconds + 60.0)
    assert ended.outcome == "DONE", ended
    environment.check()
    events = [entry.event for entry in environment.history()]
    assert events == [
        *("PLANNED", "STARTED", "IDLE_HEALTHY", "IDLE_VERIFIED", "STEP_PASSED", "ALL_MOVED", "RETIRED", "SETTLED")
    ]
    refused = api.manners.refused[running.name]
    record_property(
        f"throttled for {seconds:g} s", f"{refused} calls refused, done {time.monotonic() - began:.1f} s on"
    )


@pytest.mark.parametrize("action", ["UpdateItem", "TransactWriteItems"])
@pytest.mark.parametrize("number", [1, 3])
def test_a_write_that_meets_another_one_at_its_item_is_made_again(
    new: Callable[..., Environment], nursery: Nursery, api: Api, action: str, number: int
) -> None:
    """As the heartbeat does, which renews the lock while the ledger's writes look at it."""
    environment = new()
    job = environment.job("hindered", Do.RELEASE)
    api.manners.conflicts[job.name, action] = number
    assert nursery.run(job).outcome == "DONE"
    assert api.manners.conflicts[job.name, action] < 0
    environment.check()


@pytest.mark.parametrize(
    ("do", "action", "number"),
    [
        (Do.RELEASE, "UpdateItem", 1),  # it has the lock, and is not told so
        (Do.RELEASE, "TransactWriteItems", 1),
        (Do.RELEASE, "TransactWriteItems", 4),
        (Do.RELEASE, "ModifyListener", 2),
        (Do.RELEASE, "RegisterTargets", 1),
        (Do.ABORT, "TransactWriteItems", 1),  # it has taken the lock over, and is not told so
        (Do.ABORT, "ModifyListener", 1),
    ],
)
def test_a_call_that_was_done_and_not_answered_is_made_again(
    new: Callable[..., Environment], nursery: Nursery, api: Api, do: Do, action: str, number: int
) -> None:
    environment = new()
    if do is Do.ABORT:
        put_warm(environment)
    job = environment.job("unheard", do)
    api.manners.lost_answers[job.name, action] = number
    ended = nursery.run(job)
    assert ended.outcome == ("DONE" if do is Do.RELEASE else "ROLLED_BACK"), ended
    assert api.manners.lost_answers[job.name, action] <= 0
    environment.check()


def test_servers_go_only_once_the_load_balancer_has_converged(
    new: Callable[..., Environment], nursery: Nursery, api: Api
) -> None:
    environment = new(rate=2.0)  # slow enough for a second to be longer than the calls in between
    environment.drains_converged = True
    api.manners.lag_seconds[environment.routes.listener_arn] = 0.3
    assert nursery.run(environment.job("slow", Do.RELEASE)).outcome == "DONE"
    environment.check()


def test_a_listener_that_never_shows_the_weights_stops_the_release_where_it_can_go_on(
    new: Callable[..., Environment], nursery: Nursery, api: Api
) -> None:
    environment = new()
    lags, listener = api.manners.lag_seconds, environment.routes.listener_arn
    running = nursery.start(environment.job("first", Do.RELEASE, bake_seconds=20.0))
    until_it_shifts(environment, running)
    lags[listener] = STEP_SECONDS
    assert running.wait().outcome == "TrafficNotConfirmed"
    assert environment.ledger.read().weights == {BLUE: 0, GREEN: 100}
    assert environment.locks().holder() is None
    api.forget_lags()
    assert nursery.run(environment.job("second", Do.RESUME)).outcome == "DONE"
    environment.check()


def test_a_colour_whose_servers_went_gets_no_requests_any_more(
    new: Callable[..., Environment], nursery: Nursery
) -> None:
    environment = new()
    running = nursery.start(environment.job("first", Do.RELEASE, bake_seconds=40.0))
    until_it_shifts(environment, running)
    environment.empty(GREEN)
    ended = running.wait()
    assert ended.outcome == "ROLLED_BACK"
    assert environment.writes[-1].weights == {BLUE: 100, GREEN: 0}
    [failed] = [entry for entry in environment.history() if entry.event == "FAILED"]
    assert failed.why == "green has 0 healthy servers, and needs 1 to get requests"
    environment.check()


def test_an_empty_group_is_no_way_back(new: Callable[..., Environment], nursery: Nursery) -> None:
    environment = new()
    put_warm(environment, ready_seconds=10.0)
    environment.empty(BLUE)
    ended = nursery.run(environment.job("first", Do.ABORT))
    assert ended.outcome == "UnsafeWeights"
    assert "blue has 0 healthy servers, and needs 1" in ended.why
    assert environment.writes == []
    assert environment.traffic.weights() == {BLUE: 0, GREEN: 100}
    environment.fill(BLUE)
    assert nursery.run(environment.job("second", Do.ABORT)).outcome == "ROLLED_BACK"
    environment.check()


@pytest.mark.parametrize(("blue", "green"), [(120, -20), (-1, 101), (60, 60), (0, 0)])
def test_weights_that_cannot_be_are_never_written(
    new: Callable[..., Environment], nursery: Nursery, blue: int, green: int
) -> None:
    """Not even where somebody has put them into the ledger by hand."""
    environment = new()
    first = environment.job("first", Do.RELEASE, Fault(harm=Harm.KILL, call="ModifyListener", number=2))
    assert nursery.run(first).status == -signal.SIGKILL
    dynamodb = environment.clients.dynamodb
    found = dynamodb.get_item(TableName=environment.table, Key=json.loads(KEY))["Item"]
    state = json.loads(found["state"]["S"])
    state["blue"]["weight"], state["green"]["weight"] = blue, green
    dynamodb.put_item(TableName=environment.table, Item={**found, "state": {"S": json.dumps(state)}})
    before = len(environment.writes)
    for do in (Do.RESUME, Do.ABORT, Do.RELEASE):
        ended = nursery.run(environment.job(f"second-{do}", do, ahead=TERM_OVER))
        assert ended.outcome == "LedgerError", ended
    assert len(environment.writes) == before
    assert not environment.broken


def test_a_new_release_while_one_shifts_is_refused_by_its_name(
    new: Callable[..., Environment], nursery: Nursery
) -> None:
    environment = new()
    first = nursery.start(environment.job("first", Do.RELEASE, bake_seconds=60.0))
    until_it_shifts(environment, first)
    second = nursery.run(environment.job("second", Do.RELEASE))
    assert (second.outcome, first.name in second.why) == ("Refused", True)
    os.kill(first.pid, signal.SIGKILL)
    assert first.wait().status == -signal.SIGKILL
    third = nursery.run(environment.job("third", Do.RELEASE, ahead=TERM_OVER))
    assert third.outcome == "Refused"
    assert f"release r-{first.name} is in flight" in third.why
    assert environment.traffic.weights() == STEP
    assert nursery.run(environment.job("fourth", Do.ABORT, ahead=TERM_OVER)).outcome == "ROLLED_BACK"
    environment.check(ahead=TERM_OVER)


def test_a_release_that_moves_on_all_the_time_can_be_taken_back(
    new: Callable[..., Environment], nursery: Nursery
) -> None:
    environment = new()
    before = environment.end
    first = nursery.start(environment.job("first", Do.RELEASE, steps=tuple(range(1, 101))))
    deadline = time.monotonic() + STEP_SECONDS
    while environment.traffic.weights()[GREEN] < 3:
        assert time.monotonic() < deadline, f"it has not shifted after {STEP_SECONDS} s"
    assert nursery.run(environment.job("second", Do.ABORT)).outcome == "ROLLED_BACK"
    assert first.wait().outcome == "LockLost"
    assert environment.end == before
    environment.check()


def test_calls_do_not_grow_with_the_servers(
    new: Callable[..., Environment],
    nursery: Nursery,
    api: Api,
    record_property: Callable[[str, object], None],
) -> None:
    counted = {}
    for servers in (2, 60):
        environment = new(servers=servers)
        job = environment.job("counted", Do.RELEASE)
        ended = nursery.run(job)
        assert ended.outcome == "DONE"
        calls = api.calls[job.name]
        per_look = {"DescribeListeners": 1, "DescribeTargetHealth": 2, "GetItem": 1}
        # How often it looks while it waits, and how often the lock's heart beats, is a matter of time.
        counted[servers] = {
            action: calls.count(action) - per_look.get(action, 0) * ended.looks
            for action in sorted(set(calls) - {"UpdateItem"})
        }
    assert counted[2] == counted[60]
    record_property("calls beside 3 a look, with 2 servers a colour and with 60", counted[60])
