"""What the data plane changes in moto, and that it changes it back."""

import datetime
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from moto.cloudwatch.models import MetricDatum, Statistics, cloudwatch_backends
from moto.elbv2.models import FakeTargetGroup

from localcloud.dataplane import moto_health, moto_statistics
from localcloud.dataplane.health import DRAINING, HEALTHY, NOT_IN_USE, REGISTERING, HealthTable

ACCOUNT, REGION = "123456789012", "eu-west-1"


@pytest.fixture
def table() -> HealthTable:
    return HealthTable()


@pytest.fixture
def patched(table: HealthTable) -> Iterator[None]:
    undo = [moto_health.install(table), moto_statistics.install()]
    yield
    for patch in undo:
        patch()


@pytest.fixture
def group() -> Any:
    group = FakeTargetGroup("web", ACCOUNT, REGION, "vpc-1", "HTTP", "8080")
    group.targets["i-1"] = {"Id": "i-1", "Port": 8080}
    return group


def reason_of(group: Any, target: str) -> tuple[str, str | None]:
    found = group.health_for({"Id": target}, SimpleNamespace(get_instance_by_id=lambda _: None))
    return found.status, found.reason


@pytest.mark.usefixtures("patched")
def test_a_targets_health_is_what_the_table_says(group: Any, table: HealthTable) -> None:
    assert reason_of(group, "i-1") == ("initial", REGISTERING.reason)
    table.replace({(group.arn, "i-1"): HEALTHY})
    assert reason_of(group, "i-1") == ("healthy", None)


@pytest.mark.usefixtures("patched")
def test_a_deregistered_target_drains_until_the_table_forgets_it(group: Any, table: HealthTable) -> None:
    table.replace({(group.arn, "i-1"): DRAINING})
    assert reason_of(group, "i-1") == ("initial", REGISTERING.reason)  # registered anew while it drained
    del group.targets["i-1"]
    assert reason_of(group, "i-1") == ("draining", "Target.DeregistrationInProgress")
    table.replace({})
    assert reason_of(group, "i-1") == ("unused", "Target.NotRegistered")


@pytest.mark.usefixtures("patched")
def test_a_target_drains_from_the_moment_it_is_deregistered_not_from_when_that_is_noticed(
    group: Any, table: HealthTable
) -> None:
    table.replace({(group.arn, "i-1"): HEALTHY})
    group.deregister([{"Id": "i-1"}])
    assert reason_of(group, "i-1") == ("draining", "Target.DeregistrationInProgress")
    table.replace({(group.arn, "i-1"): NOT_IN_USE})
    assert reason_of(group, "i-1") == ("unused", "Target.NotRegistered")


def test_without_the_patch_moto_calls_everything_healthy(group: Any) -> None:
    assert reason_of(group, "i-1") == ("healthy", None)


def datum(value: float, at: datetime.datetime) -> Any:
    return MetricDatum("web", "Time", value, [], at, "Seconds")


@pytest.mark.usefixtures("patched")
def test_percentiles() -> None:
    now = datetime.datetime(2026, 1, 1)
    statistics = Statistics(["p99", "Sum"], now)
    statistics.metric_data = [datum(float(value), now) for value in range(1, 101)]
    assert statistics.get_statistics_for_type("p99") == 99.0
    assert statistics.get_statistics_for_type("p50") == 50.0
    assert statistics.get_statistics_for_type("Sum") == 5050.0


def test_old_data_is_forgotten() -> None:
    data = cloudwatch_backends[ACCOUNT]["eu-central-1"].metric_data
    try:
        hours = [datetime.datetime(2026, 1, 1, hour) for hour in range(3)]
        data[:] = [datum(1.0, hour) for hour in hours]
        moto_statistics.forget_before(hours[1].replace(tzinfo=datetime.UTC), ["eu-central-1"])
        assert [one.timestamp for one in data] == hours[1:]
    finally:
        data.clear()
