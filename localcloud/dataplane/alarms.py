"""Evaluates CloudWatch alarms: moto keeps them, but never looks at a metric."""

import datetime
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog

from localcloud.dataplane.expression import BadExpression, Value, evaluate

LOG = structlog.get_logger(__name__)

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


NAME = re.compile(r"[A-Za-z_]\w*")
SAMPLES = "samples"
"""Id of the query that counts a percentile's samples."""


class AlarmState(StrEnum):
    """CloudWatch's alarm states."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True)
class Alarm:
    """What an alarm looks at, and when it goes off."""

    name: str
    queries: tuple[Mapping[str, Any], ...]
    """MetricDataQueries; a plain alarm has one."""
    returned: str
    """Id of the query that is compared with the threshold."""
    period: datetime.timedelta
    periods: int
    to_alarm: int
    """So many of the periods must be beyond the threshold."""
    comparison: str
    threshold: float
    missing: str
    """missing, notBreaching, breaching or ignore."""
    state: AlarmState
    least_samples: int = 0
    """With fewer in the last period, its state is kept: so few make no percentile."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state that an alarm should have, and why."""

    state: AlarmState
    reason: str


def alarm_of(answer: Mapping[str, Any]) -> Alarm:
    """An alarm from describe_alarms' MetricAlarms."""
    queries = tuple(answer.get("Metrics") or (_plain_query(answer),))
    returned = next((query["Id"] for query in queries if query.get("ReturnData", True)), queries[-1]["Id"])
    lengths = [int(query["MetricStat"]["Period"]) for query in queries if "MetricStat" in query]
    return Alarm(
        name=answer["AlarmName"],
        queries=queries,
        returned=returned,
        period=datetime.timedelta(seconds=max(lengths, default=60)),
        periods=int(answer["EvaluationPeriods"]),
        to_alarm=int(answer.get("DatapointsToAlarm") or answer["EvaluationPeriods"]),
        comparison=answer["ComparisonOperator"],
        threshold=float(answer["Threshold"]),
        missing=answer.get("TreatMissingData") or "missing",
        state=AlarmState(answer["StateValue"]),
        least_samples=_least_samples(answer),
    )


def _least_samples(answer: Mapping[str, Any]) -> int:
    """CloudWatch's own measure: ten samples beyond the percentile, on either side of the median."""
    statistic = answer.get("ExtendedStatistic") or ""
    if answer.get("EvaluateLowSampleCountPercentile") != "ignore" or not statistic.startswith("p"):
        return 0
    share = float(statistic[1:]) / 100
    return math.ceil(10 / min(share, 1 - share)) if 0 < share < 1 else 0


def _plain_query(answer: Mapping[str, Any]) -> dict[str, Any]:
    metric = {"Namespace": answer["Namespace"], "MetricName": answer["MetricName"], "Dimensions": answer["Dimensions"]}
    statistic = answer.get("Statistic") or answer.get("ExtendedStatistic")
    return {"Id": "m", "MetricStat": {"Metric": metric, "Period": answer["Period"], "Stat": statistic}}


def verdict(alarm: Alarm, metrics: Mapping[str, Sequence[Value]]) -> Verdict:
    """The state that an alarm should have, given each metric query's value for each of its periods. Pure.

    An alarm that can't be understood is INSUFFICIENT_DATA, and the reason says what is not.
    """
    known = dict(metrics)
    try:
        for query in _in_order(alarm.queries):
            known[query["Id"]] = evaluate(query["Expression"], known, alarm.periods)
        is_beyond = COMPARISONS[alarm.comparison]
    except BadExpression as problem:
        return Verdict(AlarmState.INSUFFICIENT_DATA, str(problem))
    except KeyError as name:
        return Verdict(AlarmState.INSUFFICIENT_DATA, f"{name} is not supported by the embedded cloud")
    samples = known[SAMPLES][-1] or 0 if alarm.least_samples else 0
    if 0 < samples < alarm.least_samples:
        return Verdict(alarm.state, f"{samples:g} samples are too few to judge by; the state is kept")
    points = known[alarm.returned]
    present = [point for point in points if point is not None]
    beyond = sum(is_beyond(point, alarm.threshold) for point in present)
    absent = len(points) - len(present)
    if not present and alarm.missing == "missing":
        return Verdict(AlarmState.INSUFFICIENT_DATA, f"no data in {alarm.periods} periods of {alarm.period}")
    if not present and alarm.missing == "ignore":
        return Verdict(alarm.state, "no data; the state is kept")
    if alarm.missing == "breaching":
        beyond += absent
    state = AlarmState.ALARM if beyond >= alarm.to_alarm else AlarmState.OK
    shown = ", ".join("none" if point is None else f"{point:g}" for point in points)
    return Verdict(state, f"{beyond} of {alarm.periods} values ({shown}) {alarm.comparison} {alarm.threshold:g}")


def _in_order(queries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The expressions, each after those that it mentions; an expression that nothing mentions goes last."""
    waiting = [query for query in queries if "Expression" in query]
    ordered: list[Mapping[str, Any]] = []
    while waiting:
        names = {query["Id"] for query in waiting}
        ready = [query for query in waiting if not names & set(NAME.findall(query["Expression"]))]
        if not ready:
            raise BadExpression(f"metric math {sorted(names)} go round in a circle")
        ordered += ready
        waiting = [query for query in waiting if query not in ready]
    return ordered


class AlarmClock:
    """Evaluates the alarms of one region through its CloudWatch client. Belongs to one thread."""

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch

    def evaluate(self, now: datetime.datetime) -> None:
        """Sets the state of every alarm whose state should be another. Raises ClientError, BotoCoreError."""
        for page in self._cloudwatch.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"]):
            for answer in page["MetricAlarms"]:
                try:
                    self._evaluate(alarm_of(answer), now)
                except (KeyError, ValueError) as problem:
                    LOG.warning("alarm can't be read", alarm=answer.get("AlarmName"), problem=repr(problem))

    def _evaluate(self, alarm: Alarm, now: datetime.datetime) -> None:
        found = verdict(alarm, self._values(alarm, now))
        if found.state is not alarm.state:
            self._cloudwatch.set_alarm_state(AlarmName=alarm.name, StateValue=found.state, StateReason=found.reason)
            LOG.info("alarm changed", alarm=alarm.name, state=found.state, reason=found.reason)

    def _values(self, alarm: Alarm, now: datetime.datetime) -> dict[str, list[Value]]:
        """Each metric query's value by period, oldest first. The last period ends now."""
        end = now.replace(microsecond=0) + datetime.timedelta(seconds=1)
        start = end - alarm.period * alarm.periods
        queries = [_sorted_dimensions(query, alarm.period) for query in alarm.queries if "MetricStat" in query]
        if alarm.least_samples:
            statistic = {**queries[0]["MetricStat"], "Stat": "SampleCount"}
            queries.append({"Id": SAMPLES, "ReturnData": True, "MetricStat": statistic})
        values: dict[str, list[Value]] = {query["Id"]: [None] * alarm.periods for query in queries}
        answer = self._cloudwatch.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=end)
        for result in answer["MetricDataResults"]:
            for timestamp, value in zip(result["Timestamps"], result["Values"], strict=True):
                index = int((timestamp - start) / alarm.period)
                if 0 <= index < alarm.periods:
                    values[result["Id"]][index] = value
        return values


def _sorted_dimensions(query: Mapping[str, Any], period: datetime.timedelta) -> dict[str, Any]:
    """The query with its dimensions by name, since moto compares them in their order, and with all periods equal."""
    statistic = query["MetricStat"]
    metric = statistic["Metric"]
    dimensions = sorted(metric.get("Dimensions", []), key=lambda dimension: str(dimension["Name"]))
    return {
        "Id": query["Id"],
        "ReturnData": True,
        "MetricStat": {
            "Metric": {**metric, "Dimensions": dimensions},
            "Period": int(period.total_seconds()),
            "Stat": statistic["Stat"],
        },
    }
