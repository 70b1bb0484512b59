"""Reads, through boto3, what one region should be doing: load balancers, target groups, scaling groups."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
from botocore.config import Config

from localcloud.dataplane.elbv2 import action_of, attributes, group_of, rules_of
from localcloud.dataplane.runner import Birth
from localcloud.dataplane.snapshot import Listener, LoadBalancer, Snapshot, TargetGroup

USER_AGENT = "teal-dataplane"
"""By this the API can tell the data plane's own requests from everybody else's."""
LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
PROTOCOLS = ("HTTP", "HTTPS")
"""Target groups of other protocols belong to other kinds of load balancers."""
SETTINGS = Config(
    user_agent_extra=USER_AGENT, connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 2}, proxies={}
)


class UnreadableAnswer(Exception):
    """The API answered, but something in it is missing or has a value that is not known."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance that a scaling group wants to have."""

    id: str
    region: str
    scaling_group: str
    zone: str
    is_elb_checked: bool
    """Whether the group replaces it when its targets are unhealthy, too (health check type ELB)."""
    grace: timedelta
    """For how long after its start the group looks away."""
    is_waiting: bool
    """Whether the group holds it back until it is told that it may serve."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One region at one moment. Targets have neither address nor state yet: fleet.py knows those."""

    snapshot: Snapshot
    instances: tuple[Instance, ...]


class Region:
    """boto3's clients for one region at one endpoint, and what is read through them. Used by one thread.

    Every method raises botocore's ClientError or BotoCoreError where the API does not answer as it should.
    """

    def __init__(self, name: str, endpoint_url: str) -> None:
        self.name = name

        def client(service: str) -> Any:
            return api_client(service, name, endpoint_url)

        self.elbv2, self.ec2, self.autoscaling = client("elbv2"), client("ec2"), client("autoscaling")
        self.acm, self.cloudwatch = client("acm"), client("cloudwatch")
        self._domains: dict[str, tuple[str, ...]] = {}

    def observe(self) -> Observation:
        """What the region should be doing now. Raises UnreadableAnswer, too."""
        try:
            instances = tuple(self._instances())
            return Observation(Snapshot(tuple(self._load_balancers()), self._groups()), instances)
        except (KeyError, ValueError) as problem:
            raise UnreadableAnswer(f"the API's answer for {self.name} can't be read: {problem!r}") from problem

    def birth(self, instance: Instance) -> Birth:
        """What an instance is to start from."""
        answer = self.ec2.describe_instance_attribute(InstanceId=instance.id, Attribute="userData")
        reservations = self.ec2.describe_instances(InstanceIds=[instance.id])["Reservations"]
        described: dict[str, Any] = next((one for reservation in reservations for one in reservation["Instances"]), {})
        return Birth(
            instance_id=instance.id,
            region=self.name,
            zone=instance.zone,
            private_address=described.get("PrivateIpAddress", ""),
            user_data=answer.get("UserData", {}).get("Value", ""),
            instance_type=described.get("InstanceType", ""),
        )

    def replace_instance(self, instance_id: str) -> None:
        """Has an instance's scaling group end it and launch another."""
        self.autoscaling.set_instance_health(InstanceId=instance_id, HealthStatus="Unhealthy")
        self.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=instance_id, ShouldDecrementDesiredCapacity=False
        )

    def let_in(self, instance: Instance) -> None:
        """Completes the hooks that hold a launched instance back, as its own boot script does on AWS."""
        group = instance.scaling_group
        for hook in self.autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=group)["LifecycleHooks"]:
            if hook["LifecycleTransition"] == LAUNCHING:
                self.autoscaling.complete_lifecycle_action(
                    LifecycleHookName=hook["LifecycleHookName"],
                    AutoScalingGroupName=group,
                    InstanceId=instance.id,
                    LifecycleActionResult="CONTINUE",
                )

    def _instances(self) -> Iterator[Instance]:
        for group in _pages(self.autoscaling, "describe_auto_scaling_groups", "AutoScalingGroups"):
            for instance in group.get("Instances", []):
                yield Instance(
                    id=instance["InstanceId"],
                    region=self.name,
                    scaling_group=group["AutoScalingGroupName"],
                    zone=instance["AvailabilityZone"],
                    is_elb_checked=group.get("HealthCheckType") == "ELB",
                    grace=timedelta(seconds=int(group.get("HealthCheckGracePeriod") or 0)),
                    is_waiting=instance["LifecycleState"] == "Pending:Wait",
                )

    def _groups(self) -> dict[str, TargetGroup]:
        groups = {}
        for answer in _pages(self.elbv2, "describe_target_groups", "TargetGroups"):
            if answer.get("Protocol") not in PROTOCOLS:
                continue
            arn = answer["TargetGroupArn"]
            settings = self.elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
            health = self.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            registered = [entry["Target"] for entry in health if entry["TargetHealth"]["State"] != "draining"]
            groups[arn] = group_of(answer, attributes(settings), registered)
        return groups

    def _load_balancers(self) -> Iterator[LoadBalancer]:
        for answer in _pages(self.elbv2, "describe_load_balancers", "LoadBalancers"):
            if answer["Type"] != "application":
                continue
            arn = answer["LoadBalancerArn"]
            settings = attributes(self.elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"])
            yield LoadBalancer(
                arn=arn,
                name=answer["LoadBalancerName"],
                dns_name=answer["DNSName"],
                listeners=tuple(self._listeners(arn)),
                idle_timeout=timedelta(seconds=int(settings.get("idle_timeout.timeout_seconds", 60))),
            )

    def _listeners(self, balancer_arn: str) -> Iterator[Listener]:
        for answer in _pages(self.elbv2, "describe_listeners", "Listeners", LoadBalancerArn=balancer_arn):
            arn = answer["ListenerArn"]
            rules = _pages(self.elbv2, "describe_rules", "Rules", ListenerArn=arn)
            certificates = answer.get("Certificates") or []
            yield Listener(
                arn=arn,
                port=int(answer["Port"]),
                protocol=answer["Protocol"],
                default=action_of(answer["DefaultActions"]),
                rules=rules_of(rules),
                domains=self._certified(certificates[0]["CertificateArn"]) if certificates else (),
            )

    def _certified(self, certificate_arn: str) -> tuple[str, ...]:
        if certificate_arn not in self._domains:
            certificate = self.acm.describe_certificate(CertificateArn=certificate_arn)["Certificate"]
            names = [certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])]
            self._domains[certificate_arn] = tuple(dict.fromkeys(names))
        return self._domains[certificate_arn]


def api_client(service: str, region: str, endpoint_url: str) -> Any:
    """A boto3 client for the embedded cloud's API. Its operations are made at run time, so they have no types."""
    session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=region)  # noqa: S106 - moto takes any
    make: Any = session.client
    return make(service, endpoint_url=endpoint_url, config=SETTINGS)


def merged(observations: list[Observation]) -> Observation:
    """Several regions' observations as one: ARNs tell them apart."""
    balancers = tuple(balancer for one in observations for balancer in one.snapshot.load_balancers)
    groups = {arn: group for one in observations for arn, group in one.snapshot.groups.items()}
    return Observation(
        Snapshot(balancers, groups), tuple(instance for one in observations for instance in one.instances)
    )


def region_of(arn: str) -> str:
    """The region that an ARN names."""
    return arn.split(":")[3]


def _pages(client: Any, operation: str, key: str, **arguments: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page[key]
