"""The twin target groups of a blue/green service."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import lb

from ..children import Children
from ..naming import COLOURS, short_name


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """When a target counts as healthy. Raises ValueError for a path or timeout that AWS would refuse."""

    path: str
    interval_seconds: int
    timeout_seconds: int
    healthy_threshold: int
    unhealthy_threshold: int

    def __post_init__(self) -> None:
        if not self.path.startswith("/"):
            raise ValueError(f"health_check_path must start with a slash, got {self.path!r}")
        if self.timeout_seconds >= self.interval_seconds:
            raise ValueError(
                f"health_check_timeout_seconds must be less than health_check_interval_seconds"
                f" ({self.interval_seconds}), got {self.timeout_seconds}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSettings:
    """What both groups have in common."""

    vpc_id: pulumi.Input[str]
    ports: Mapping[str, int]
    """By colour."""
    health_check: HealthCheck
    drain_seconds: int
    slow_start_seconds: int


def check_name(name: str) -> None:
    """Raises ValueError for a component name with which a target group's would be too long."""
    for colour in COLOURS:
        short_name(f"{name}-{colour}")


def twin_target_groups(children: Children, settings: TargetSettings) -> dict[str, lb.TargetGroup]:
    """A target group a colour, alike but for the name."""
    check = settings.health_check
    return {
        colour: lb.TargetGroup(
            children.name(colour),
            vpc_id=settings.vpc_id,
            port=settings.ports[colour],
            protocol="HTTP",
            target_type="instance",
            deregistration_delay=settings.drain_seconds,
            slow_start=settings.slow_start_seconds,
            health_check={
                "enabled": True,
                "protocol": "HTTP",
                "port": "traffic-port",
                "path": check.path,
                "matcher": "200",
                "interval": check.interval_seconds,
                "timeout": check.timeout_seconds,
                "healthy_threshold": check.healthy_threshold,
                "unhealthy_threshold": check.unhealthy_threshold,
            },
            tags=children.tagged(colour),
            opts=children.options(),
        )
        for colour in COLOURS
    }
