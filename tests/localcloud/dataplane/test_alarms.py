from dataclasses import replace
from typing import Any

import pytest

from localcloud.dataplane.alarms import Alarm, AlarmState, alarm_of, verdict
from localcloud.dataplane.expression import BadExpression, evaluate


def plain(**changes: Any) -> Alarm:
    answer = {
        "AlarmName": "slow",
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "TargetResponseTime",
        "Dimensions": [],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "StateValue": "OK",
    }
    return alarm_of({**answer, **changes})


@pytest.mark.parametrize(
    ("points", "missing", "state"),
    [
        ((2.0, 0.5, 2.0), "missing", AlarmState.ALARM),
        ((2.0, 0.5, 1.0), "missing", AlarmState.OK),
        ((2.0, None, 2.0), "missing", AlarmState.ALARM),
        ((2.0, None, None), "missing", AlarmState.OK),
        ((2.0, None, None), "breaching", AlarmState.ALARM),
        ((None, None, None), "breaching", AlarmState.ALARM),
        ((None, None, None), "notBreaching", AlarmState.OK),
        ((None, None, None), "missing", AlarmState.INSUFFICIENT_DATA),
    ],
)
def test_an_alarm_goes_off_by_values_and_by_missing_ones(
    points: tuple[float | None, ...], missing: str, state: AlarmState
) -> None:
    assert verdict(plain(TreatMissingData=missing), {"m": points}).state is state


def test_missing_data_that_is_ignored_keeps_the_state() -> None:
    alarm = plain(TreatMissingData="ignore", StateValue="ALARM")
    assert verdict(alarm, {"m": (None, None, None)}).state is AlarmState.ALARM


def test_too_few_samples_make_no_percentile() -> None:
    alarm = plain(Statistic=None, ExtendedStatistic="p99", EvaluateLowSampleCountPercentile="ignore")
    assert alarm.least_samples == 1000
    high = {"m": (9.0, 9.0, 9.0)}
    assert verdict(alarm, {**high, "samples": (5.0, 5.0, 999.0)}).state is AlarmState.OK
    assert verdict(alarm, {**high, "samples": (5.0, 5.0, 1000.0)}).state is AlarmState.ALARM


def test_the_reason_shows_the_values() -> None:
    found = verdict(plain(), {"m": (2.0, None, 3.0)})
    assert found.reason == "2 of 3 values (2, none, 3) GreaterThanThreshold 1"


def test_metric_math_is_compared_with_the_threshold() -> None:
    def query(name: str) -> dict[str, Any]:
        return {"Id": name, "MetricStat": {"Metric": {}, "Period": 60, "Stat": "Sum"}, "ReturnData": False}

    share = {"Id": "share", "Expression": "100 * (FILL(failed, 0) + FILL(refused, 0)) / requests", "ReturnData": True}
    alarm = plain(Metrics=[query("failed"), query("refused"), query("requests"), share], Threshold=4.0)
    metrics = {"failed": (None, 5.0, None), "refused": (None, None, 5.0), "requests": (100.0, 100.0, 100.0)}
    assert verdict(alarm, metrics).reason.startswith("2 of 3 values (0, 5, 5)")
    assert verdict(replace(alarm, threshold=5.0), metrics).state is AlarmState.OK


def test_expressions_may_build_on_one_another_in_any_order_but_not_in_a_circle() -> None:
    second = {"Id": "e2", "Expression": "e1 + 1", "ReturnData": True}
    first = {"Id": "e1", "Expression": "m * 2", "ReturnData": False}
    stat = {"Id": "m", "MetricStat": {"Metric": {}, "Period": 60, "Stat": "Sum"}, "ReturnData": False}
    ones = {"m": (1.0, 1.0, 1.0)}
    assert verdict(plain(Metrics=[second, first, stat]), ones).reason.startswith("3 of 3 values (3, 3, 3)")
    circle = verdict(plain(Metrics=[second, {**first, "Expression": "e2 * 2"}, stat]), ones)
    assert circle.state is AlarmState.INSUFFICIENT_DATA
    assert "circle" in circle.reason


def test_what_is_not_understood_is_named() -> None:
    odd = verdict(plain(ComparisonOperator="GreaterThanUpperThreshold"), {"m": (1.0, 1.0, 1.0)})
    assert odd.state is AlarmState.INSUFFICIENT_DATA
    assert "GreaterThanUpperThreshold" in odd.reason


A, B = (1.0, None, 4.0), (2.0, 3.0, 0.0)


@pytest.mark.parametrize(
    ("expression", "series"),
    [
        ("a + b * 2", (5.0, None, 4.0)),
        ("a / b", (0.5, None, None)),
        ("2 ^ b", (4.0, 8.0, 1.0)),
        ("-a", (-1.0, None, -4.0)),
        ("IF(b > 1, a, 7)", (1.0, None, 7.0)),
        ("IF(b > 1 AND b < 3, 1)", (1.0, None, None)),
        ("FILL(a, 9)", (1.0, 9.0, 4.0)),
        ("SUM([a, b])", (3.0, 3.0, 4.0)),
        ("SUM(a)", (5.0, 5.0, 5.0)),
        ("MAX(b) - MIN(b) + ABS(-1)", (4.0, 4.0, 4.0)),
        ("AVG(a)", (2.5, 2.5, 2.5)),
    ],
)
def test_metric_math(expression: str, series: tuple[float | None, ...]) -> None:
    assert evaluate(expression, {"a": A, "b": B}, 3) == series


@pytest.mark.parametrize("expression", ["a +", "nobody", "ANOMALY(a)", "a % b", "__import__('os')", "'a'"])
def test_other_metric_math_is_refused(expression: str) -> None:
    with pytest.raises(BadExpression, match="metric math"):
        evaluate(expression, {"a": A, "b": B}, 3)
