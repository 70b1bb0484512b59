"""Traffic and health by ELBv2: the listener's weights, and what the load balancer thinks of the servers."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from release.errors import TrafficNotConfirmed
from release.ledger import Colour, Routes

CONFIRM_SECONDS = 10.0
POLL_SECONDS = 0.2
HEALTHY, DRAINING = "healthy", "draining"
NOBODY = {
    "Type": "fixed-response",
    "FixedResponseConfig": {
        "StatusCode": "503",
        "ContentType": "text/plain",
        "MessageBody": "nothing released yet",
    },
}
"""What TrafficSplit declares while nothing is released."""
SENDING = "before-send.elastic-load-balancing-v2.ModifyListener"
"""botocore's event right before each attempt of the call, retries too."""


def unfenced() -> None:
    """The fence of whoever needs none."""


class Elbv2(Protocol):
    """What is used of boto3's ELBv2 client."""

    @property
    def meta(self) -> Any:
        """Its `events` take and give back handlers."""

    def describe_listeners(self, **arguments: Any) -> Any:
        """Reads listeners."""

    def modify_listener(self, **arguments: Any) -> Any:
        """Changes a listener."""

    def describe_target_health(self, **arguments: Any) -> Any:
        """Reads the health of a group's targets."""


class ListenerTraffic:
    """The default action of one listener, as TrafficSplit declares it: both groups always, sticky while both serve."""

    def __init__(self, client: Elbv2, routes: Routes, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client, self._routes, self._sleep = client, routes, sleep

    def weights(self) -> Mapping[Colour, int]:
        """Weight by colour; all 0 where the listener forwards to nobody."""
        found = self._client.describe_listeners(ListenerArns=[self._routes.listener_arn])
        [listener] = found["Listeners"]
        groups = {
            group["TargetGroupArn"]: int(group.get("Weight", 1))
            for action in listener["DefaultActions"]
            for group in action.get("ForwardConfig", {}).get("TargetGroups", [])
        }
        return {colour: groups.get(arn, 0) for colour, arn in self._routes.group_arns.items()}

    def shift(self, weights: Mapping[Colour, int], fence: Callable[[], None] = unfenced) -> None:
        """One call, then reads until the listener has the weights. Raises TrafficNotConfirmed after ten seconds.

        Weights that are all 0 make it answer 503 by itself. ELBv2 takes no condition with a call, so `fence` is asked
        right before each attempt is sent, not only before the first: a call that is throttled for a minute outlives a
        lock. What it raises ends the call unsent.
        """
        action = {"Type": "forward", "ForwardConfig": self._forward(weights)} if any(weights.values()) else NOBODY
        events = self._client.meta.events

        def ask(**_: Any) -> None:
            fence()

        events.register_last(SENDING, ask)
        try:
            self._client.modify_listener(ListenerArn=self._routes.listener_arn, DefaultActions=[action])
        finally:
            events.unregister(SENDING, ask)
        seen = self.weights()
        for _ in range(int(CONFIRM_SECONDS / POLL_SECONDS)):
            if seen == weights:
                return
            self._sleep(POLL_SECONDS)
            seen = self.weights()
        raise TrafficNotConfirmed(f"the listener was given {_told(weights)}, and shows {_told(seen)}")

    def _forward(self, weights: Mapping[Colour, int]) -> dict[str, Any]:
        groups = [
            {"TargetGroupArn": self._routes.group_arns[colour], "Weight": weight} for colour, weight in weights.items()
        ]
        sticky_seconds = self._routes.sticky_seconds
        is_sticky = bool(sticky_seconds) and all(weights.values())
        stickiness = {"Enabled": True, "DurationSeconds": sticky_seconds} if is_sticky else {"Enabled": False}
        return {"TargetGroups": groups, "TargetGroupStickinessConfig": stickiness}


class TargetHealth:
    """The load balancer's own checks of both colours: one call a colour, however many servers."""

    def __init__(self, client: Elbv2, routes: Routes) -> None:
        self._client, self._routes = client, routes

    def healthy(self) -> Mapping[Colour, int]:
        """Targets that are healthy, by colour."""
        return {colour: self._count(arn) for colour, arn in self._routes.group_arns.items()}

    def servers(self) -> Mapping[Colour, frozenset[str]]:
        """Ids of the targets by colour, but for those that are on their way out."""
        return {
            colour: frozenset(each["Target"]["Id"] for each in self._described(arn) if _state(each) != DRAINING)
            for colour, arn in self._routes.group_arns.items()
        }

    def _count(self, group_arn: str) -> int:
        return sum(_state(each) == HEALTHY for each in self._described(group_arn))

    def _described(self, group_arn: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client.describe_target_health(TargetGroupArn=group_arn)[
            "TargetHealthDescriptions"
        ]
        return found


def _state(described: dict[str, Any]) -> str:
    return str(described["TargetHealth"]["State"])


def _told(weights: Mapping[Colour, int]) -> str:
    return ", ".join(f"{colour} {weight}" for colour, weight in weights.items())
