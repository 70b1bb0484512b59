"""An instance leaves its target groups before it is stopped, and comes back into them whatever happens."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from containers.balancing import SPARE_SECONDS, Balancing
from containers.errors import NotDrained, Unanswered

NAME, GROUP, OTHER = "i-0abc", "arn:blue", "arn:blue-admin"
DELAY = 30.0


@dataclass
class FakeAws:
    """A scaling group with two target groups; a target that leaves takes seconds until it is out."""

    takes_seconds: float = 2.0
    registered: set[str] = field(default_factory=lambda: {GROUP, OTHER})
    lifecycle: str = "InService"
    calls: list[str] = field(default_factory=list)
    now: float = 0.0
    leaves: dict[str, float] = field(default_factory=dict)
    is_gone: bool = False

    def client(self, _: str) -> "FakeAws":
        return self

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def describe_auto_scaling_instances(self, **asked: Any) -> Any:
        assert asked == {"InstanceIds": [NAME]}
        member = {"AutoScalingGroupName": "blue-group", "LifecycleState": self.lifecycle}
        return {"AutoScalingInstances": [member] if self.lifecycle else []}

    def describe_auto_scaling_groups(self, **asked: Any) -> Any:
        assert asked == {"AutoScalingGroupNames": ["blue-group"]}
        return {"AutoScalingGroups": [{"TargetGroupARNs": [GROUP, OTHER]}]}

    def describe_target_groups(self, **asked: Any) -> Any:
        assert asked == {"TargetGroupArns": [GROUP, OTHER]}
        ports = {GROUP: 8081, OTHER: 8082}
        return {"TargetGroups": [{"TargetGroupArn": arn, "Port": port} for arn, port in ports.items()]}

    def describe_target_group_attributes(self, **_: Any) -> Any:
        return {"Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": f"{DELAY:.0f}"}]}

    def describe_target_health(self, **asked: Any) -> Any:
        group = asked["TargetGroupArn"]
        if group in self.registered:
            told = {"State": "healthy"}
        elif self.now < self.leaves.get(group, 0.0):
            told = {"State": "draining", "Reason": "Target.DeregistrationInProgress"}
        else:
            told = {"State": "unused", "Reason": "Target.NotRegistered"}
        return {"TargetHealthDescriptions": [{"TargetHealth": told}]}

    def deregister_targets(self, **asked: Any) -> None:
        assert asked["Targets"] == [{"Id": NAME}]
        group = asked["TargetGroupArn"]
        self.registered.remove(group)
        self.leaves[group] = self.now + self.takes_seconds
        self.calls.append(f"out of {group}")

    def register_targets(self, **asked: Any) -> None:
        if self.is_gone:
            raise ClientError({"Error": {"Code": "InvalidTarget", "Message": "no"}}, "RegisterTargets")
        self.registered.add(asked["TargetGroupArn"])
        self.calls.append(f"into {asked['TargetGroupArn']}")


def stop(aws: FakeAws, does: Callable[[], None] = lambda: None) -> list[str]:
    """What was told while an instance was stopped."""
    told: list[str] = []
    with Balancing(aws.client, aws.sleep, lambda: aws.now).without(NAME, told.append):
        aws.calls.append(f"stopped at {aws.now:g} s")
        does()
    return told


LEFT = [f"out of {GROUP}", f"out of {OTHER}"]
BACK = [f"into {GROUP}", f"into {OTHER}"]


def test_it_is_stopped_once_it_is_out_of_every_group_and_registered_again_afterwards() -> None:
    aws = FakeAws()
    told = stop(aws)
    assert aws.calls == [*LEFT, "stopped at 2 s", *BACK]
    assert set(told) == {"its requests end, 30 s at most"}


def test_one_that_could_not_be_stopped_is_registered_again() -> None:
    def fail() -> None:
        raise Unanswered("no answer")

    aws = FakeAws()
    with pytest.raises(Unanswered):
        stop(aws, does=fail)
    assert aws.calls == [*LEFT, "stopped at 2 s", *BACK]


def test_ctrl_c_while_it_drains_stops_nothing_and_registers_it_again() -> None:
    aws = FakeAws(takes_seconds=10)

    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        Balancing(aws.client, aws.sleep, lambda: aws.now).without(NAME, interrupted),
    ):
        pytest.fail("it was stopped")
    assert aws.calls == [*LEFT, *BACK]


def test_a_group_that_never_lets_go_is_told_in_time_and_nothing_is_stopped() -> None:
    aws = FakeAws(takes_seconds=1000)
    with pytest.raises(NotDrained, match="i-0abc is still in a target group 50 s after it was to leave; nothing was"):
        stop(aws)
    assert aws.calls == [*LEFT, *BACK]
    assert DELAY + SPARE_SECONDS < aws.now < DELAY + SPARE_SECONDS + 2


def test_one_that_an_earlier_stop_left_out_comes_back_with_this_one() -> None:
    aws = FakeAws(registered=set())
    stop(aws)
    assert aws.calls == ["stopped at 0 s", *BACK]


@pytest.mark.parametrize("lifecycle", ["", "Terminating:Wait"])
def test_one_that_its_scaling_group_has_given_up_meanwhile_is_not_registered(lifecycle: str) -> None:
    aws = FakeAws()

    def end() -> None:
        aws.lifecycle = lifecycle

    stop(aws, does=end)
    assert aws.calls == [*LEFT, "stopped at 2 s"]


def test_one_that_ends_at_the_last_moment_is_no_problem() -> None:
    aws = FakeAws(is_gone=True)
    stop(aws)
    assert aws.calls == [*LEFT, "stopped at 2 s"]


def test_with_a_port_it_leaves_the_group_of_that_port_alone() -> None:
    aws = FakeAws()
    with Balancing(aws.client, aws.sleep, lambda: aws.now).without(NAME, lambda _: None, 8082):
        aws.calls.append("stopped")
    assert aws.calls == [f"out of {OTHER}", "stopped", f"into {OTHER}"]
