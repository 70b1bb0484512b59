"""What CloudWatch refuses of an alarm."""

import re
from typing import Any

from localcloud.provider.kind import Failures
from localcloud.provider.kinds.bounds import among, spelled, whole
from localcloud.provider.values import Properties

OPERATORS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)
BAND_OPERATORS = OPERATORS[4:]
"""Those that compare with a band of expected values instead of a number."""
STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
EXTENDED = re.compile(r"(p|tm|wm|tc|ts)\d{1,2}(\.\d{1,10})?|p100|IQM|(TM|WM|PR|TC|TS)\(.+\)")
PERIODS = (1, 5, 10, 20, 30)
"""Seconds, beside every multiple of a minute."""
DAY = 86_400
WEEK = 7 * DAY
MOST_QUERIES = 20
METRIC_KEYS = {"metricName", "namespace", "period", "stat", "unit", "dimensions"}
QUERY_KEYS = {"id", "expression", "label", "returnData", "period", "accountId", "metric"}


def _periods(inputs: Properties) -> Failures:
    periods = {"period": inputs.get("period")}
    for query in inputs.get("metricQueries") or []:
        periods[f"metricQueries[{query.get('id')}].period"] = query.get("period")
        periods[f"metricQueries[{query.get('id')}].metric.period"] = (query.get("metric") or {}).get("period")
    for where, seconds in periods.items():
        if seconds is not None and seconds not in PERIODS and (seconds <= 0 or seconds % 60):
            yield where, f"{where} must be 1, 5, 10, 20, 30 or a multiple of 60 seconds, got {seconds!r}"


def _window(inputs: Properties) -> Failures:
    period, count = inputs.get("period"), inputs.get("evaluationPeriods")
    if isinstance(period, int) and isinstance(count, int):
        most = WEEK if period >= 3600 else DAY
        if period * count > most:
            yield "evaluationPeriods", f"period times evaluationPeriods may be {most} seconds, got {period * count}"


def _datapoints(inputs: Properties) -> Failures:
    wanted, count = inputs.get("datapointsToAlarm"), inputs.get("evaluationPeriods")
    if wanted is not None and count is not None and not 1 <= wanted <= count:
        yield "datapointsToAlarm", f"datapointsToAlarm must be from 1 to evaluationPeriods ({count}), got {wanted!r}"


def _one_source(inputs: Properties) -> Failures:
    single = [name for name in ("metricName", "namespace", "period", "statistic", "dimensions") if inputs.get(name)]
    if inputs.get("metricQueries"):
        for name in single:
            yield name, f"{name} must not be given beside metricQueries"
        return
    for name in ("metricName", "namespace", "period"):
        if name not in inputs and "metricQueries" not in inputs and single:
            yield name, f"{name} must be given for an alarm on one metric"
    if not single:
        yield "metricQueries", "an alarm needs either metricName or metricQueries, got neither"


def _one_statistic(inputs: Properties) -> Failures:
    if not inputs.get("metricName"):
        return
    given = [name for name in ("statistic", "extendedStatistic") if inputs.get(name)]
    if len(given) != 1:
        yield (
            "statistic",
            f"exactly one of statistic and extendedStatistic must be given, got {' and '.join(given) or 'none'}",
        )


def _extended(inputs: Properties) -> Failures:
    value = inputs.get("extendedStatistic")
    if value is not None and not EXTENDED.fullmatch(str(value)):
        yield (
            "extendedStatistic",
            f"extendedStatistic must be a percentile such as p95 or a trimmed mean, got {value!r}",
        )


def _one_threshold(inputs: Properties) -> Failures:
    operator = inputs.get("comparisonOperator")
    is_band = operator in BAND_OPERATORS
    wanted, other = ("thresholdMetricId", "threshold") if is_band else ("threshold", "thresholdMetricId")
    if operator in OPERATORS:
        if wanted not in inputs:
            yield wanted, f"{wanted} must be given with comparisonOperator {operator}"
        if other in inputs:
            yield other, f"{other} must not be given with comparisonOperator {operator}"


def _queries(inputs: Properties) -> Failures:
    queries = inputs.get("metricQueries")
    if not queries:
        return
    if len(queries) > MOST_QUERIES:
        yield "metricQueries", f"metricQueries may be {MOST_QUERIES}, got {len(queries)}"
    returning = sum(bool(query.get("returnData")) for query in queries)
    if returning != 1:
        yield "metricQueries", f"exactly one of metricQueries must have returnData true, got {returning}"
    for query in queries:
        yield from _query(query)


def _query(query: dict[str, Any]) -> Failures:
    where = f"metricQueries[{query.get('id')}]"
    if not re.fullmatch(r"[a-z]\w{0,254}", str(query.get("id", ""))):
        yield "metricQueries", f"{where}.id must be letters, digits or underscores, the first a lower-case letter"
    if bool(query.get("expression")) == bool(query.get("metric")):
        yield "metricQueries", f"{where} must have either expression or metric"
    metric = query.get("metric") or {}
    for name in ("metricName", "period", "stat") if metric else ():
        if name not in metric:
            yield "metricQueries", f"{where}.metric.{name} must be given"
    for key in sorted((query.keys() - QUERY_KEYS) | (metric.keys() - METRIC_KEYS)):
        yield "metricQueries", f"the embedded cloud does not apply {key} of {where}"


def _actions(inputs: Properties) -> Failures:
    for name in ("alarmActions", "okActions", "insufficientDataActions"):
        actions = inputs.get(name) or []
        if len(actions) > 5:
            yield name, f"{name} may be 5, got {len(actions)}"
        for action in actions:
            if not str(action).startswith("arn:"):
                yield name, f"{name} must hold ARNs, got {action!r}"


def _description(inputs: Properties) -> Failures:
    length = len(str(inputs.get("alarmDescription", "")))
    if length > 1024:
        yield "alarmDescription", f"alarmDescription may have 1024 characters, got {length}"


RULES = (
    spelled("name", r"[^:].{0,254}", "1 to 255 characters, not starting with a colon"),
    among("comparisonOperator", *OPERATORS),
    among("statistic", *STATISTICS),
    among("treatMissingData", "missing", "ignore", "breaching", "notBreaching"),
    among("evaluateLowSampleCountPercentiles", "evaluate", "ignore"),
    whole("evaluationPeriods", 1, DAY),
    _periods,
    _window,
    _datapoints,
    _extended,
    _queries,
    _actions,
    _description,
)
PRESENCE = (_one_source, _one_statistic, _one_threshold)
