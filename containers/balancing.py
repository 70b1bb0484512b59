"""An instance out of its target groups, so that no load balancer sends it anything while its container stops."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from containers.errors import NotDrained

IN_SERVICE = "InService"
NOT_REGISTERED, OUT = "Target.NotRegistered", "unused"
DELAY = "deregistration_delay.timeout_seconds"
SPARE_SECONDS = 20.0
"""How much later than the groups' own delay a target may be told to be out."""
POLL_SECONDS = 0.5

Client = Callable[[str], Any]
"""Gives boto3's client of a service."""


class Balancing:
    """What load balancers send to an instance, by the target groups of its scaling group."""

    def __init__(
        self,
        client: Client,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._sleep, self._clock = client, sleep, clock

    @contextmanager
    def without(self, instance: str, waiting: Callable[[str], None], port: int = 0) -> Iterator[None]:
        """The block runs once no load balancer sends the instance anything, and its requests there are answered.

        With a port, which stands for one of several tasks there, this is so of what goes to that port alone.

        Afterwards it is registered again, however the block ended, unless its scaling group has given it up; it gets
        requests once it passes its checks. `waiting` is told how far it is. Raises NotDrained if its groups do not let
        go of it in time.
        """
        groups = self._groups(instance, port)
        try:
            for group in groups:
                if self._reason(group, instance)[1] != NOT_REGISTERED:
                    self._elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
            self._await_out(groups, instance, waiting)
            yield
        finally:
            self._put_back(groups, instance)

    @property
    def _elb(self) -> Any:
        return self._client("elbv2")

    def _groups(self, instance: str, port: int) -> Sequence[str]:
        """ARNs of the target groups that the instance's scaling group puts it into; with a port, of those for it."""
        member = self._member(instance)
        if member is None:
            return ()
        asked = [member["AutoScalingGroupName"]]
        found = self._client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=asked)
        arns = [arn for group in found["AutoScalingGroups"] for arn in group.get("TargetGroupARNs", [])]
        if not port or not arns:
            return arns
        known = self._elb.describe_target_groups(TargetGroupArns=arns)["TargetGroups"]
        return [each["TargetGroupArn"] for each in known if each["Port"] == port]

    def _member(self, instance: str) -> Any:
        found = self._client("autoscaling").describe_auto_scaling_instances(InstanceIds=[instance])
        return next(iter(found["AutoScalingInstances"]), None)

    def _reason(self, group: str, instance: str) -> tuple[str, str]:
        """State of the instance in a group, and why."""
        asked = [{"Id": instance}]
        [found] = self._elb.describe_target_health(TargetGroupArn=group, Targets=asked)["TargetHealthDescriptions"]
        return found["TargetHealth"]["State"], found["TargetHealth"].get("Reason", "")

    def _await_out(self, groups: Sequence[str], instance: str, waiting: Callable[[str], None]) -> None:
        began = self._clock()
        delay = max((self._delay(group) for group in groups), default=0.0)
        while any(self._reason(group, instance)[0] != OUT for group in groups):
            if self._clock() - began > delay + SPARE_SECONDS:
                raise NotDrained(
                    f"{instance} is still in a target group {delay + SPARE_SECONDS:.0f} s after it was to leave; "
                    "nothing was stopped, and it is registered again"
                )
            waiting(f"its requests end, {delay:.0f} s at most")
            self._sleep(POLL_SECONDS)

    def _delay(self, group: str) -> float:
        found = self._elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
        return max((float(each["Value"]) for each in found if each["Key"] == DELAY), default=300.0)

    def _put_back(self, groups: Sequence[str], instance: str) -> None:
        """Registers it again, unless its scaling group has given it up: then another is in its place."""
        member = self._member(instance)
        if member is None or member["LifecycleState"] != IN_SERVICE:
            return
        for group in groups:
            try:
                self._elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
            except ClientError as error:
                if error.response["Error"]["Code"] != "InvalidTarget":  # it has ended since it was looked at
                    raise
