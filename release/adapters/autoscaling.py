"""The scaling group of a colour."""

from typing import Any, Protocol


class AutoScaling(Protocol):
    """What is used of boto3's Auto Scaling client."""

    def describe_auto_scaling_groups(self, **arguments: Any) -> Any:
        """Reads scaling groups."""


def size_of(client: AutoScaling, group_name: str) -> int:
    """Instances that the group is to have by now; 0 where there is no such group."""
    found = client.describe_auto_scaling_groups(AutoScalingGroupNames=[group_name])["AutoScalingGroups"]
    return int(found[0]["DesiredCapacity"]) if found else 0
