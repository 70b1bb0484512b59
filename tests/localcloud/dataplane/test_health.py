from dataclasses import replace

import pytest

from localcloud.dataplane.admin import HostHealth
from localcloud.dataplane.health import Health, HealthState, HealthTable, target_health
from localcloud.dataplane.snapshot import Forward, Target, TargetState
from traffic_world import group, snapshot, split

TARGET = Target("i-1", "127.16.0.1", 8080, TargetState.READY)
WELL = HostHealth(is_healthy=True, is_pending=False, timed_out=False)
HERE = ("127.16.0.1", 8080)


def health_of(target: Target, hosts: dict[tuple[str, int], HostHealth]) -> Health:
    web = group("web", target)
    return target_health(snapshot(web, default=split((web, 0))), {"web.1": hosts})[(web.arn, target.id)]


@pytest.mark.parametrize(
    ("seen", "state", "reason"),
    [
        (WELL, HealthState.HEALTHY, None),
        (replace(WELL, is_healthy=False, is_pending=True), HealthState.INITIAL, "Elb.InitialHealthChecking"),
        (replace(WELL, is_healthy=False), HealthState.UNHEALTHY, "Target.FailedHealthChecks"),
        (replace(WELL, is_healthy=False, timed_out=True), HealthState.UNHEALTHY, "Target.Timeout"),
    ],
)
def test_what_envoy_saw_in_elbv2s_words(seen: HostHealth, state: HealthState, reason: str | None) -> None:
    found = health_of(TARGET, {HERE: seen})
    assert (found.state, found.reason) == (state, reason)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (TargetState.REGISTERED, "Elb.RegistrationInProgress"),
        (TargetState.UNREACHABLE, "Target.FailedHealthChecks"),
        (TargetState.DRAINING, "Target.DeregistrationInProgress"),
    ],
)
def test_a_target_that_is_not_ready_is_not_healthy_whatever_envoy_saw(state: TargetState, reason: str) -> None:
    assert health_of(replace(TARGET, state=state), {HERE: WELL}).reason == reason


def test_a_target_that_envoy_does_not_know_yet_is_initial() -> None:
    assert health_of(TARGET, {}).reason == "Elb.RegistrationInProgress"


def test_a_group_that_no_rule_sends_to_is_not_in_use() -> None:
    web = group("web", TARGET)
    assert target_health(snapshot(web, default=Forward(())), {})[(web.arn, "i-1")].reason == "Target.NotInUse"


def test_of_several_groups_the_one_in_use_counts() -> None:
    table = HealthTable()
    table.replace({("a", "i-1"): Health(HealthState.UNUSED), ("b", "i-1"): Health(HealthState.HEALTHY)})
    found = table.of_target("i-1")
    assert found is not None
    assert found.state is HealthState.HEALTHY
    assert table.of_target("i-2") is None
