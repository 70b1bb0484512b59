from typing import Any

import pytest

from localcloud.provider.values import UNKNOWN

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
LATENCY: dict[str, Any] = {
    "comparisonOperator": "GreaterThanThreshold",
    "evaluationPeriods": 3,
    "datapointsToAlarm": 2,
    "namespace": "AWS/ApplicationELB",
    "metricName": "TargetResponseTime",
    "dimensions": {"LoadBalancer": "app/web/1", "TargetGroup": "targetgroup/blue/2"},
    "extendedStatistic": "p95",
    "period": 60,
    "threshold": 0.5,
    "treatMissingData": "notBreaching",
    "evaluateLowSampleCountPercentiles": "ignore",
    "alarmDescription": "Slow",
    "alarmActions": [TOPIC],
    "okActions": [TOPIC],
    "tags": {"Team": "shop"},
}


def count(name: str, metric: str) -> dict[str, Any]:
    which = {"namespace": "AWS/ApplicationELB", "metricName": metric, "dimensions": {"LoadBalancer": "app/web/1"}}
    return {"id": name, "metric": {**which, "period": 60, "stat": "Sum"}}


SHARE: dict[str, Any] = {
    "comparisonOperator": "GreaterThanThreshold",
    "evaluationPeriods": 1,
    "threshold": 1,
    "metricQueries": [
        {"id": "share", "expression": "100 * errors / FILL(requests, 1)", "label": "5xx", "returnData": True},
        count("errors", "HTTPCode_Target_5XX_Count"),
        count("requests", "RequestCount"),
    ],
}


def test_an_alarm_on_one_metric_changes_in_place(engine: Any) -> None:
    alarm = engine.create(ALARM, LATENCY)
    assert alarm.outputs["arn"] == f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{alarm.id}"
    assert LATENCY.items() <= alarm.imported().items()
    alarm.update(threshold=1, evaluationPeriods=5, treatMissingData=None, okActions=None, tags={"Stage": "dev"})
    alarm.update(extendedStatistic=None, statistic="Average", evaluateLowSampleCountPercentiles=None)
    alarm.update(alarmDescription=None, datapointsToAlarm=None, dimensions={"LoadBalancer": "app/web/2"})
    told = engine.api.call("cloudwatch", "describe_alarms", AlarmNames=[alarm.id])["MetricAlarms"][0]
    assert not {"ExtendedStatistic", "AlarmDescription", "DatapointsToAlarm"} & told.keys()
    assert told["OKActions"] == []
    assert alarm.diff(name="another").replaces == ("name",)
    alarm.delete()


def test_an_alarm_on_an_expression_changes_in_place(engine: Any) -> None:
    alarm = engine.create(ALARM, SHARE)
    expression, *counts = SHARE["metricQueries"]
    assert alarm.imported()["metricQueries"][0] == expression
    alarm.update(metricQueries=[{**expression, "expression": "errors + requests"}, *counts])
    alarm.update(
        metricQueries=None, **{key: LATENCY[key] for key in ("namespace", "metricName", "period")}, statistic="Sum"
    )
    alarm.delete()


def test_an_alarm_on_what_is_not_there_yet_is_not_refused_too_early(engine: Any) -> None:
    assert not engine.refusals(ALARM, {**LATENCY, "dimensions": {"LoadBalancer": UNKNOWN}, "threshold": UNKNOWN})
    queries = [SHARE["metricQueries"][0], {"id": "errors", "metric": {"metricName": UNKNOWN}}]
    assert not engine.refusals(ALARM, {**SHARE, "metricQueries": queries})
    neither = {key: value for key, value in SHARE.items() if key != "metricQueries"}
    assert "either metricName or metricQueries" in engine.refusals(ALARM, neither)["metricQueries"]


def test_an_alarm_changed_behind_our_back_is_seen(engine: Any) -> None:
    alarm = engine.create(ALARM, LATENCY)
    engine.api.call(
        "cloudwatch", "put_metric_alarm", AlarmName=alarm.id, ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=3, Namespace="AWS/ApplicationELB", MetricName="TargetResponseTime", Period=60,
        ExtendedStatistic="p95", Threshold=9, ActionsEnabled=False,
    )  # fmt: skip
    seen = alarm.refresh()
    assert (seen["threshold"], seen["actionsEnabled"], seen["alarmActions"], seen["dimensions"]) == (9, False, [], {})
    assert seen["treatMissingData"] == "missing"


def test_a_dimension_that_somebody_added_is_seen(engine: Any) -> None:
    alarm = engine.create(ALARM, LATENCY)
    more = {**LATENCY["dimensions"], "AvailabilityZone": "eu-west-1a"}
    dimensions = [{"Name": name, "Value": value} for name, value in more.items()]
    told = engine.api.call("cloudwatch", "describe_alarms", AlarmNames=[alarm.id])["MetricAlarms"][0]
    kept = ("AlarmName", "ComparisonOperator", "EvaluationPeriods", "Namespace", "MetricName", "Period", "Threshold")
    changed = {name: told[name] for name in (*kept, "ExtendedStatistic")}
    engine.api.call("cloudwatch", "put_metric_alarm", **changed, Dimensions=dimensions)
    assert alarm.refresh()["dimensions"] == more


@pytest.mark.parametrize(
    ("inputs", "change", "reason"),
    [
        (LATENCY, {"comparisonOperator": "Above"}, "comparisonOperator must be one of GreaterThanOrEqualToThreshold"),
        (LATENCY, {"treatMissingData": "good"}, "treatMissingData must be one of missing, ignore"),
        (LATENCY, {"period": 90}, "period must be 1, 5, 10, 20, 30 or a multiple of 60 seconds, got 90"),
        (LATENCY, {"evaluationPeriods": 1441}, "period times evaluationPeriods may be 86400 seconds, got 86460"),
        (LATENCY, {"datapointsToAlarm": 4}, "datapointsToAlarm must be from 1 to evaluationPeriods (3), got 4"),
        (LATENCY, {"statistic": "Sum"}, "exactly one of statistic and extendedStatistic must be given"),
        (LATENCY, {"extendedStatistic": "95"}, "extendedStatistic must be a percentile such as p95"),
        (LATENCY, {"alarmActions": ["alarms"]}, "alarmActions must hold ARNs, got 'alarms'"),
        (LATENCY, {"alarmActions": [TOPIC] * 6}, "alarmActions may be 5, got 6"),
        (LATENCY, {"threshold": None}, "threshold must be given with comparisonOperator GreaterThanThreshold"),
        (LATENCY, {"metricName": None}, "metricName must be given for an alarm on one metric"),
        (SHARE, {"statistic": "Sum"}, "statistic must not be given beside metricQueries"),
        (SHARE, {"metricQueries": SHARE["metricQueries"][1:]}, "must have returnData true, got 0"),
        (SHARE, {"metricQueries": [{"id": "Share", "expression": "1", "returnData": True}]}, "lower-case letter"),
        (SHARE, {"evaluationWindow": {}}, "does not apply property evaluationWindow"),
    ],
)
def test_what_cloudwatch_refuses_of_an_alarm(engine: Any, inputs: Any, change: Any, reason: str) -> None:
    wanted = {key: value for key, value in {**inputs, **change}.items() if value is not None}
    assert reason in " ".join(engine.refusals(ALARM, wanted).values())


def test_a_dashboard_is_compared_by_content(engine: Any) -> None:
    dashboard = engine.create(DASHBOARD, {"dashboardName": "teal-dev", "dashboardBody": '{"widgets": []}'})
    assert dashboard.outputs["dashboardArn"].endswith(":dashboard/teal-dev")
    assert not dashboard.diff(dashboardBody='{"widgets":[ ]}').changed
    dashboard.update(dashboardBody='{"widgets": [{"type": "text"}]}')
    engine.api.call("cloudwatch", "put_dashboard", DashboardName=dashboard.id, DashboardBody='{"widgets": [1]}')
    assert dashboard.refresh()["dashboardBody"] == '{"widgets": [1]}'
    assert dashboard.diff(dashboardName="teal-qa").replaces == ("dashboardName",)
    dashboard.delete()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("dashboardName", "teal dev", "dashboardName must be 1 to 255 letters"),
        ("dashboardBody", "{", "text that is no JSON"),
        ("dashboardBody", "{}", "dashboardBody must have a list of widgets"),
    ],
)
def test_what_cloudwatch_refuses_of_a_dashboard(engine: Any, name: str, value: str, reason: str) -> None:
    inputs = {"dashboardName": "teal", "dashboardBody": '{"widgets": []}', name: value}
    assert reason in engine.refusals(DASHBOARD, inputs)[name]
