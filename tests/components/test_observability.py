import json
from typing import Any

import pulumi
import pytest

from components.observability import Observability
from deployed import Deployment, Registered, deploy

ARGS: dict[str, Any] = {
    "load_balancer_arn_suffix": "app/shop/1",
    "target_group_arn_suffixes": {"blue": "targetgroup/blue/1", "green": "targetgroup/green/2"},
}
IN_BLUE = {"LoadBalancer": "app/shop/1", "TargetGroup": "targetgroup/blue/1"}


def watch(**changes: Any) -> Deployment:
    args: Any = {**ARGS, **changes}

    def program() -> None:
        found = Observability("watch", args)
        pulumi.export("alarms", found.alarm_names)
        pulumi.export("url", found.dashboard_url)

    return deploy(program)


def alarms(**changes: Any) -> dict[str, Registered]:
    return watch(**changes).of_type(":MetricAlarm")


def test_every_colour_has_an_alarm_on_errors_latency_and_health() -> None:
    kinds = ("errors", "latency", "unhealthy")
    assert set(alarms()) == {f"watch-{colour}-{kind}" for colour in ("blue", "green") for kind in kinds}


def test_the_share_of_errors_counts_failures_and_refusals_among_the_colours_own_requests() -> None:
    inputs = alarms(error_share_percent=2.5)["watch-blue-errors"].inputs
    counted = {query["id"]: query["metric"] for query in inputs["metricQueries"] if "metric" in query}
    [share] = [query for query in inputs["metricQueries"] if "expression" in query]
    assert {name: metric["metricName"] for name, metric in counted.items()} == {
        "failed": "HTTPCode_Target_5XX_Count",
        "refused": "TargetConnectionErrorCount",
        "requests": "RequestCount",
    }
    assert all(metric["dimensions"] == IN_BLUE and metric["stat"] == "Sum" for metric in counted.values())
    assert share["expression"] == "100 * (FILL(failed, 0) + FILL(refused, 0)) / requests"
    assert [query["id"] for query in inputs["metricQueries"] if query["returnData"]] == ["share"]
    assert (inputs["threshold"], inputs["comparisonOperator"]) == (2.5, "GreaterThanThreshold")


def test_latency_is_the_99th_percentile_and_waits_for_enough_samples() -> None:
    inputs = alarms(latency_p99_seconds=0.5)["watch-blue-latency"].inputs
    assert (inputs["metricName"], inputs["extendedStatistic"]) == ("TargetResponseTime", "p99")
    assert (inputs["threshold"], inputs["dimensions"]) == (0.5, IN_BLUE)
    assert inputs["evaluateLowSampleCountPercentiles"] == "ignore"


def test_one_unhealthy_server_is_one_too_many() -> None:
    inputs = alarms()["watch-blue-unhealthy"].inputs
    assert (inputs["metricName"], inputs["statistic"], inputs["threshold"]) == ("UnHealthyHostCount", "Maximum", 0)


def test_where_more_are_registered_than_serve_too_few_healthy_ones_raise_the_alarm() -> None:
    found = alarms(healthy_targets={"blue": 2.0, "green": 0.0})
    for colour, least in (("blue", 2), ("green", 0)):
        inputs = found[f"watch-{colour}-unhealthy"].inputs
        assert (inputs["metricName"], inputs["statistic"]) == ("HealthyHostCount", "Maximum")
        assert inputs["threshold"] == least
        assert inputs["comparisonOperator"] == "LessThanThreshold"


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        ({"blue": 1}, "must be for blue and green"),
        ({"blue": 1, "green": -1}, "for green must be a whole number from 0"),
    ],
)
def test_healthy_targets_are_checked(targets: dict[str, int], told: str) -> None:
    with pytest.raises(ValueError, match=f"healthy_targets {told}"):
        watch(healthy_targets=targets)


def test_an_idle_colours_silence_is_no_alarm_and_every_change_is_published() -> None:
    for alarm in alarms(alarm_minutes=3.0).values():
        assert alarm.inputs["treatMissingData"] == "notBreaching"
        assert alarm.inputs["evaluationPeriods"] == alarm.inputs["datapointsToAlarm"] == 3
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == ["arn:watch-alarms"]


def test_logs_end() -> None:
    assert watch().resources["watch-app"].inputs["retentionInDays"] == 30
    assert watch(log_retention_days=90.0).resources["watch-app"].inputs["retentionInDays"] == 90


def test_addresses_are_subscribed() -> None:
    [subscription] = watch(alarm_emails=["ops@example.com"]).of_type(":TopicSubscription").values()
    assert subscription.inputs == {"topic": "arn:watch-alarms", "protocol": "email", "endpoint": "ops@example.com"}


def test_the_topics_policy_names_the_account() -> None:
    assert "123456789012" in watch().resources["watch-publishers"].inputs["policy"]


def test_a_key_of_ones_own_encrypts_logs_and_topic() -> None:
    found = watch(kms_key_arn="arn:key").resources
    assert found["watch-app"].inputs["kmsKeyId"] == found["watch-alarms"].inputs["kmsMasterKeyId"] == "arn:key"
    assert "kmsMasterKeyId" not in watch().resources["watch-alarms"].inputs  # no alarm could publish to alias/aws/sns


def test_the_dashboard_is_named_after_project_stack_and_component() -> None:
    found = watch()
    inputs = found.resources["watch-dashboard"].inputs
    assert inputs["dashboardName"] == "teal-test-watch"
    assert "targetgroup/green/2" in json.dumps(json.loads(inputs["dashboardBody"]))
    console = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1"
    assert found.exports["url"] == f"{console}#dashboards/dashboard/teal-test-watch"


def test_children_belong_to_the_component_and_carry_its_tags() -> None:
    children = {n: r for n, r in watch(tags={"Team": "shop"}).resources.items() if r.type.startswith("aws:")}
    assert {r.parent for r in children.values()} == {"watch"}
    assert {n for n, r in children.items() if "tags" not in r.inputs} == {"watch-publishers", "watch-dashboard"}
    assert all(r.inputs["tags"]["Team"] == "shop" for r in children.values() if "tags" in r.inputs)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target_group_arn_suffixes": {"blue": "b"}}, "target_group_arn_suffixes must be for blue and green, got"),
        ({"log_retention_days": 31}, "log_retention_days must be one of 1, 3, 5,"),
        ({"error_share_percent": 0}, "error_share_percent must be above 0 and at most 100, got 0"),
        ({"latency_p99_seconds": -1}, "latency_p99_seconds must be above 0 and at most 4000, got -1"),
        ({"alarm_minutes": 61}, "alarm_minutes must be a whole number from 1 to 60, got 61"),
        ({"alarm_emails": ["ops"]}, "alarm_emails must be addresses such as ops@example.com, got 'ops'"),
    ],
)
def test_a_wrong_input_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        watch(**changes)


def test_the_suffixes_may_come_as_a_whole_that_is_known_later() -> None:
    """As a TrafficSplit gives them: to a program in YAML, which cannot take them apart and name them again, too."""
    later = alarms(target_group_arn_suffixes=pulumi.Output.from_input(ARGS["target_group_arn_suffixes"]))
    assert later["watch-blue-latency"].inputs["dimensions"] == IN_BLUE
    assert {name: each.inputs for name, each in later.items()} == {name: e.inputs for name, e in alarms().items()}
