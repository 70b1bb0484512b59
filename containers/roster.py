"""Which servers an environment has, by AWS's own services: scaling groups, load balancer, EC2."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from containers.model import Instance

COLOURS = ("blue", "green")
WORKERS = "swarm-workers"
"""Name of the scaling group of a swarm's workers, as the program's SwarmCluster tags it."""
IN_SERVICE = "InService"
NOT_A_TARGET = ("none", "")

Client = Callable[[str], Any]
"""Gives boto3's client of a service."""
Health = tuple[str, str]
"""What the load balancer finds, and why."""


class Roster:
    """Finds instances by the tags that the program puts on its scaling groups."""

    def __init__(self, client: Client, project: str, environment: str) -> None:
        self._client, self._wanted = client, {"Project": project, "Environment": environment}

    def instances(self) -> list[Instance]:
        """Every instance of both colours, blue first, each colour by zone and id."""
        groups = [group for group in _groups(self._client, self._wanted) if _tags(group).get("Colour") in COLOURS]
        health = {server: told for group in groups for (server, _), told in _health(self._client, group).items()}
        addresses = _addresses(self._client, groups)
        found = [
            Instance(
                id=each["InstanceId"],
                colour=_tags(group)["Colour"],
                zone=each["AvailabilityZone"],
                address=addresses.get(each["InstanceId"], ""),
                health=health.get(each["InstanceId"], NOT_A_TARGET)[0],
                state=each["LifecycleState"],
                reason=health.get(each["InstanceId"], NOT_A_TARGET)[1],
            )
            for group in groups
            for each in group["Instances"]
        ]
        return sorted(found, key=lambda each: (each.colour, each.zone, each.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A server that runs tasks of a swarm."""

    id: str
    zone: str
    address: str
    """Its private one; empty while it has none."""
    state: str
    """Where it is in its life, as its scaling group has it."""
    health: Mapping[int, Health]
    """By port: a worker is a target for each task that it may run."""


class WorkerRoster:
    """Finds a swarm's workers by the tags that the program puts on their scaling group."""

    def __init__(self, client: Client, project: str, environment: str) -> None:
        self._client, self._wanted = client, {"Project": project, "Environment": environment, "Name": WORKERS}

    def workers(self) -> list[Worker]:
        """Every worker, by zone and id."""
        groups = list(_groups(self._client, self._wanted))
        health = {target: told for group in groups for target, told in _health(self._client, group).items()}
        addresses = _addresses(self._client, groups)
        found = [
            Worker(
                id=each["InstanceId"],
                zone=each["AvailabilityZone"],
                address=addresses.get(each["InstanceId"], ""),
                state=each["LifecycleState"],
                health={port: told for (server, port), told in health.items() if server == each["InstanceId"]},
            )
            for group in groups
            for each in group["Instances"]
        ]
        return sorted(found, key=lambda each: (each.zone, each.id))


def _groups(client: Client, wanted: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """The scaling groups that have these tags."""
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted.items()]
    for page in client("autoscaling").get_paginator("describe_auto_scaling_groups").paginate(Filters=filters):
        yield from page["AutoScalingGroups"]


def _health(client: Client, group: Mapping[str, Any]) -> dict[tuple[str, int], Health]:
    """By server and port, over all target groups of a scaling group."""
    return {
        (each["Target"]["Id"], each["Target"].get("Port", 0)): (
            each["TargetHealth"]["State"],
            each["TargetHealth"].get("Description", ""),
        )
        for arn in group.get("TargetGroupARNs", [])
        for each in client("elbv2").describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    }


def _addresses(client: Client, groups: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Private address by server."""
    names = [each["InstanceId"] for group in groups for each in group["Instances"]]
    if not names:
        return {}
    asked = [{"Name": "instance-id", "Values": names}]  # by id itself, one that has just gone would be an error
    found = client("ec2").describe_instances(Filters=asked)["Reservations"]
    return {
        each["InstanceId"]: each.get("PrivateIpAddress", "")
        for reservation in found
        for each in reservation["Instances"]
    }


def _tags(group: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in group["Tags"]}
