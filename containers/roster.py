"""Which instances an environment has, by AWS's own services: scaling groups, load balancer, EC2."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from containers.model import Instance

COLOURS = ("blue", "green")


class Roster:
    """Finds instances by the tags that the program puts on its scaling groups."""

    def __init__(self, client: Callable[[str], Any], project: str, environment: str) -> None:
        """`client` gives boto3's client of a service."""
        self._client, self._project, self._environment = client, project, environment

    def instances(self) -> list[Instance]:
        """Every instance of both colours, blue first, each colour by zone and id."""
        groups = list(self._groups())
        health = {target: told for group in groups for target, told in self._health(group).items()}
        names = [each["InstanceId"] for group in groups for each in group["Instances"]]
        addresses = self._addresses(names) if names else {}
        found = [
            Instance(
                id=each["InstanceId"],
                colour=_tags(group)["Colour"],
                zone=each["AvailabilityZone"],
                address=addresses.get(each["InstanceId"], ""),
                health=health.get(each["InstanceId"], ("none", ""))[0],
                state=each["LifecycleState"],
                reason=health.get(each["InstanceId"], ("none", ""))[1],
            )
            for group in groups
            for each in group["Instances"]
        ]
        return sorted(found, key=lambda each: (each.colour, each.zone, each.id))

    def _groups(self) -> Iterator[dict[str, Any]]:
        wanted = {"Project": self._project, "Environment": self._environment}
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted.items()]
        pages = self._client("autoscaling").get_paginator("describe_auto_scaling_groups").paginate(Filters=filters)
        for page in pages:
            yield from (group for group in page["AutoScalingGroups"] if _tags(group).get("Colour") in COLOURS)

    def _health(self, group: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        """State and reason by instance, over all target groups of a scaling group."""
        return {
            each["Target"]["Id"]: (each["TargetHealth"]["State"], each["TargetHealth"].get("Description", ""))
            for arn in group.get("TargetGroupARNs", [])
            for each in self._client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        }

    def _addresses(self, names: list[str]) -> dict[str, str]:
        asked = [{"Name": "instance-id", "Values": names}]  # by id itself, one that has just gone would be an error
        found = self._client("ec2").describe_instances(Filters=asked)["Reservations"]
        return {
            each["InstanceId"]: each.get("PrivateIpAddress", "")
            for reservation in found
            for each in reservation["Instances"]
        }


def _tags(group: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in group["Tags"]}
