import datetime

from localcloud.dataplane.admin import Bin, ClusterStats
from localcloud.dataplane.health import Health, HealthState
from localcloud.dataplane.metrics import difference, metrics, thinned
from traffic_world import group, snapshot, split

WEB = group("web")
SERVED = snapshot(WEB, default=split((WEB, 1)))
BEFORE = ClusterStats(10, (8, 0, 1, 1), 0, 0, (Bin(5.0, 10),))
AFTER = ClusterStats(16, (12, 0, 1, 2), 1, 1, (Bin(5.0, 14), Bin(250.0, 2)))


def measured() -> dict[tuple[str | None, str], tuple[tuple[float, int], ...]]:
    health = {WEB.arn: [Health(HealthState.HEALTHY), Health(HealthState.UNHEALTHY), Health(HealthState.DRAINING)]}
    found = metrics(SERVED, {"web.1": BEFORE}, {"web.1": AFTER}, health)
    return {(one.group_arn, one.name): one.values for one in found}


def test_only_what_was_counted_since_the_last_time_is_sent_and_no_zeros() -> None:
    counts = {name: values[0][0] for (arn, name), values in measured().items() if arn and name != "TargetResponseTime"}
    assert counts == {
        "RequestCount": 6,
        "HTTPCode_Target_2XX_Count": 4,
        "HTTPCode_Target_5XX_Count": 1,
        "TargetConnectionErrorCount": 1,
        "HealthyHostCount": 1,
        "UnHealthyHostCount": 1,
    }


def test_the_load_balancer_has_sums_and_its_own_errors() -> None:
    whole = {name: values[0][0] for (arn, name), values in measured().items() if arn is None}
    assert whole["RequestCount"] == 6
    assert whole["HTTPCode_ELB_5XX_Count"] == 1


def test_response_times_are_seconds() -> None:
    assert measured()[(WEB.arn, "TargetResponseTime")] == ((0.005, 4), (0.25, 2))


def test_dimensions_are_those_of_cloudwatch() -> None:
    datum = metrics(SERVED, {}, {"web.1": AFTER}, {})[0].datum(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    assert datum["Dimensions"] == [
        {"Name": "LoadBalancer", "Value": "app/web/1"},
        {"Name": "TargetGroup", "Value": "targetgroup/web/1"},
    ]


def test_an_envoy_that_started_anew_counts_from_nothing() -> None:
    assert difference(AFTER, BEFORE) == BEFORE


def test_many_times_are_thinned_without_losing_the_slowest() -> None:
    thin = thinned((Bin(1.0, 10_000), Bin(900.0, 1)), most=100)
    assert thin == (Bin(1.0, 99), Bin(900.0, 1))


def test_thinning_moves_a_percentile_by_one_value_at_most() -> None:
    rare = tuple(Bin(1000.0 + number, 1) for number in range(10))  # together half a percent
    thin = thinned((Bin(1.0, 1990), *rare), most=200)
    assert sum(one.count for one in thin) == 200
    assert sum(one.count for one in thin if one.value > 1.0) == 1
