"""Makes moto's describe_target_health answer what the load balancer saw: moto itself calls every target healthy."""

from collections.abc import Callable
from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup

from localcloud.dataplane.health import DRAINING, REGISTERING, Health, HealthState, HealthTable


def install(table: HealthTable) -> Callable[[], None]:
    """Patches moto in this process to answer from table; what it returns takes the patch off again."""
    health_for, describe = FakeTargetGroup.health_for, ELBv2Backend.describe_target_health

    def health_from_table(group: Any, target: dict[str, Any], ec2_backend: Any) -> Any:
        seen = table.get(group.arn, target["Id"])
        registered = group.targets.get(target["Id"])
        if registered is None:
            if seen and seen.state is not HealthState.UNUSED:  # the load balancer may not have noticed yet
                return _status(group, {"Port": group.port, **target}, DRAINING)
            return health_for(group, target, ec2_backend)
        is_registered_anew = seen is not None and seen.state is HealthState.DRAINING
        return _status(group, registered, REGISTERING if seen is None or is_registered_anew else seen)

    def describe_with_draining(backend: Any, target_group_arn: str, targets: list[dict[str, Any]]) -> Any:
        known = describe(backend, target_group_arn, targets)
        if targets:
            return known
        group = backend.target_groups[target_group_arn]
        draining = [
            _status(group, {"Id": target, "Port": group.port}, DRAINING)
            for target, health in table.of_group(target_group_arn).items()
            if health.state is not HealthState.UNUSED and target not in group.targets
        ]
        return [*known, *draining]

    def uninstall() -> None:
        FakeTargetGroup.health_for = health_for
        ELBv2Backend.describe_target_health = describe

    FakeTargetGroup.health_for = health_from_table
    ELBv2Backend.describe_target_health = describe_with_draining
    return uninstall


def _status(group: Any, target: dict[str, Any], health: Health) -> Any:
    return FakeHealthStatus(
        target["Id"], target["Port"], group.health_check_port, health.state, health.reason, health.description
    )
