from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from release.adapters.elbv2 import ListenerTraffic, TargetHealth
from release.errors import LockLost, TrafficNotConfirmed
from release.ledger import Colour
from release_world import ROUTES

BLUE, GREEN = Colour.BLUE, Colour.GREEN


class Events:
    """Handlers of the one event that there is."""

    def __init__(self) -> None:
        self.handlers: list[Callable[[], None]] = []

    def register_last(self, name: str, handler: Callable[[], None]) -> None:
        assert name == "before-send.elastic-load-balancing-v2.ModifyListener"
        self.handlers.append(handler)

    def unregister(self, name: str, handler: Callable[[], None]) -> None:
        assert name == "before-send.elastic-load-balancing-v2.ModifyListener"
        self.handlers.remove(handler)


class FakeElbv2:
    """A listener whose new action shows after some reads; `health` has the states of each group's targets."""

    def __init__(self, lag: int = 0) -> None:
        self.action: dict[str, Any] = {"Type": "fixed-response"}
        self.ahead: list[dict[str, Any]] = []
        self.lag, self.calls = lag, list[str]()
        self.health: Mapping[str, list[str]] = {}
        self.attempts, self.meta = 1, SimpleNamespace(events=Events())

    def describe_listeners(self, **arguments: Any) -> Any:
        assert arguments == {"ListenerArns": ["arn:listener"]}
        self.calls.append("describe")
        if self.ahead and not self.lag:
            self.action = self.ahead.pop()
        self.lag = max(0, self.lag - 1)
        return {"Listeners": [{"DefaultActions": [self.action]}]}

    def modify_listener(self, **arguments: Any) -> Any:
        assert arguments["ListenerArn"] == "arn:listener"
        for _ in range(self.attempts):
            for handler in self.meta.events.handlers:
                handler()
        self.calls.append("modify")
        [action] = arguments["DefaultActions"]
        self.ahead = [action]

    def describe_target_health(self, **arguments: Any) -> Any:
        states = self.health[arguments["TargetGroupArn"]]
        return {"TargetHealthDescriptions": [{"TargetHealth": {"State": state}} for state in states]}


def traffic(client: FakeElbv2, sticky_seconds: int = 0) -> ListenerTraffic:
    return ListenerTraffic(client, replace(ROUTES, sticky_seconds=sticky_seconds), sleep=lambda _: None)


def test_both_groups_stay_in_the_action_whatever_their_weights() -> None:
    client = FakeElbv2()
    traffic(client).shift({BLUE: 100, GREEN: 0})
    assert client.action["ForwardConfig"]["TargetGroups"] == [
        {"TargetGroupArn": "arn:blue", "Weight": 100},
        {"TargetGroupArn": "arn:green", "Weight": 0},
    ]


@pytest.mark.parametrize(("share", "is_sticky"), [(0, False), (5, True), (100, False)])
def test_clients_stick_only_while_both_colours_serve(share: int, is_sticky: bool) -> None:
    client = FakeElbv2()
    traffic(client, sticky_seconds=60).shift({BLUE: 100 - share, GREEN: share})
    wanted = {"Enabled": True, "DurationSeconds": 60} if is_sticky else {"Enabled": False}
    assert client.action["ForwardConfig"]["TargetGroupStickinessConfig"] == wanted


def test_without_a_setting_nobody_sticks() -> None:
    client = FakeElbv2()
    traffic(client).shift({BLUE: 50, GREEN: 50})
    assert client.action["ForwardConfig"]["TargetGroupStickinessConfig"] == {"Enabled": False}


def test_a_shift_is_one_call_and_is_read_back() -> None:
    client = FakeElbv2(lag=3)
    traffic(client).shift({BLUE: 50, GREEN: 50})
    assert client.calls == ["modify", *["describe"] * 4]
    assert traffic(client).weights() == {BLUE: 50, GREEN: 50}


def test_each_attempt_of_a_shift_is_fenced() -> None:
    client, asked = FakeElbv2(), list[str]()
    client.attempts = 3
    traffic(client).shift({BLUE: 50, GREEN: 50}, lambda: asked.append("still ours?"))
    assert asked == ["still ours?"] * 3
    assert not client.meta.events.handlers


def test_what_a_fence_raises_ends_a_shift_unsent() -> None:
    def lost() -> None:
        raise LockLost("it is another's")

    client = FakeElbv2()
    with pytest.raises(LockLost, match="another's"):
        traffic(client).shift({BLUE: 50, GREEN: 50}, lost)
    assert client.calls == []
    assert not client.meta.events.handlers


def test_a_listener_that_never_shows_the_weights_is_an_error() -> None:
    with pytest.raises(TrafficNotConfirmed, match="was given blue 50, green 50, and shows blue 0, green 0"):
        traffic(FakeElbv2(lag=1000)).shift({BLUE: 50, GREEN: 50})


def test_a_listener_that_says_nothing_released_has_no_weights() -> None:
    assert traffic(FakeElbv2()).weights() == {BLUE: 0, GREEN: 0}


def test_only_what_the_load_balancer_calls_healthy_counts() -> None:
    client = FakeElbv2()
    client.health = {"arn:blue": ["healthy", "healthy", "draining"], "arn:green": ["initial", "unhealthy", "unused"]}
    assert TargetHealth(client, ROUTES).healthy() == {BLUE: 2, GREEN: 0}
