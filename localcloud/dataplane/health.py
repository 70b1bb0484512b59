"""Target health in ELBv2's words, from what Envoy saw."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from localcloud.dataplane.admin import HostHealth
from localcloud.dataplane.envoy_routes import resource_name
from localcloud.dataplane.snapshot import Snapshot, Target, TargetState

Hosts = Mapping[str, Mapping[tuple[str, int], HostHealth]]
TargetKey = tuple[str, str]
"""Target group ARN and target id."""


class HealthState(StrEnum):
    """ELBv2's target health states."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    DRAINING = "draining"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Health:
    """A target's health as describe_target_health tells it."""

    state: HealthState
    reason: str | None = None
    description: str | None = None


HEALTHY = Health(HealthState.HEALTHY)
REGISTERING = Health(HealthState.INITIAL, "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = Health(HealthState.INITIAL, "Elb.InitialHealthChecking", "Initial health checks in progress")
TIMED_OUT = Health(HealthState.UNHEALTHY, "Target.Timeout", "Request timed out")
FAILED = Health(HealthState.UNHEALTHY, "Target.FailedHealthChecks", "Health checks failed")
DRAINING = Health(HealthState.DRAINING, "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_IN_USE = Health(
    HealthState.UNUSED, "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)


def target_health(snapshot: Snapshot, hosts: Hosts) -> dict[TargetKey, Health]:
    """Health of every target of every group. Pure."""
    used = snapshot.used_groups()
    return {
        (arn, target.id): _health(target, hosts.get(resource_name(arn), {})) if arn in used else NOT_IN_USE
        for arn, group in snapshot.groups.items()
        for target in group.targets
    }


def _health(target: Target, hosts: Mapping[tuple[str, int], HostHealth]) -> Health:
    if target.state is TargetState.DRAINING:
        return DRAINING
    if target.state is TargetState.UNREACHABLE:
        return FAILED
    host = hosts.get((target.address, target.port))
    if target.state is TargetState.REGISTERED or host is None:
        return REGISTERING
    if host.is_pending:
        return CHECKING
    if host.is_healthy:
        return HEALTHY
    return TIMED_OUT if host.timed_out else FAILED


class HealthTable:
    """The latest health of every target. Thread-safe: the load balancer writes, the API reads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._health: dict[TargetKey, Health] = {}

    def replace(self, health: Mapping[TargetKey, Health]) -> None:
        """Makes health all that is known."""
        with self._lock:
            self._health = dict(health)

    def get(self, group_arn: str, target_id: str) -> Health | None:
        """A target's health, or None where the load balancer has not seen it yet."""
        with self._lock:
            return self._health.get((group_arn, target_id))

    def of_group(self, group_arn: str) -> dict[str, Health]:
        """Health by target id."""
        with self._lock:
            return {target: health for (arn, target), health in self._health.items() if arn == group_arn}

    def of_target(self, target_id: str) -> Health | None:
        """The health that tells most about a target in several groups: that of a group in use, if there is one."""
        with self._lock:
            found = [health for (_, target), health in self._health.items() if target == target_id]
        return min(found, key=lambda health: health.state is HealthState.UNUSED, default=None)
