"""CloudWatch metric alarms, on one metric or on an expression over several."""

from collections.abc import Mapping
from typing import Any

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Prop, Read, Step
from localcloud.provider.kinds.common import ACCOUNT_ID, by_id, deletes_by
from localcloud.provider.kinds.data.alarm_rules import PRESENCE, RULES
from localcloud.provider.tags import as_list, as_map, listed_tags
from localcloud.provider.translate import from_aws, same, to_aws

ACTIONS = ("alarmActions", "okActions", "insufficientDataActions")
CONVERTED = ("dimensions", "metricQueries")
"""Properties in which Pulumi has a map where CloudWatch has a list, or nests less deeply."""
BY_HAND = "(no member of the operation's)"


def alarm_arn(change: Change) -> str:
    """The ARN of an alarm, which its tags are kept under."""
    return f"arn:aws:cloudwatch:{change.api.region}:{ACCOUNT_ID}:alarm:{change.id}"


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    """One of Pulumi's metric queries as CloudWatch takes it."""
    made = {key: value for key, value in query.items() if key != "metric"}
    metric = query.get("metric")
    if metric:
        of_series = {key: metric[key] for key in ("period", "stat", "unit") if key in metric}
        which = {key: metric[key] for key in ("metricName", "namespace") if key in metric}
        dimensions = as_list(metric.get("dimensions", {}), "name", "value")
        made["metricStat"] = {**of_series, "metric": {**which, "dimensions": dimensions}}
    return {"returnData": False, **made}


def _query_told(query: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = from_aws({key: value for key, value in query.items() if key != "MetricStat"}, {})
    series = query.get("MetricStat")
    if series:
        metric = series["Metric"]
        flat = {key: value for key, value in (series | metric).items() if key not in ("Metric", "Dimensions")}
        told["metric"] = {**from_aws(flat, {}), "dimensions": as_map(metric.get("Dimensions"), "Name", "Value")}
    return told


def _converted(change: Change) -> dict[str, Any]:
    shape = change.api.operation("cloudwatch", "put_metric_alarm").input_shape
    members = shape.members  # type: ignore[union-attr]  # the operation has an input
    found = {}
    if change.inputs.get("dimensions"):
        found["Dimensions"] = as_list(change.inputs["dimensions"], "Name", "Value")
    if change.inputs.get("metricQueries"):
        queries = [_query(query) for query in change.inputs["metricQueries"]]
        found["Metrics"] = to_aws(members["Metrics"], queries, {})
    return found


def _dimensions_now(found: Mapping[str, Any]) -> dict[str, str]:
    return as_map(found.get("Dimensions"), "Name", "Value")


def _queries_now(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_query_told(query) for query in found.get("Metrics") or []]


def _same_queries(declared: Any, actual: Any) -> bool:
    """Whether the queries are those declared: one with a dimension more counts something else."""
    return same([_whole(query) for query in declared], [_whole(query) for query in actual])


def _whole(query: Mapping[str, Any]) -> dict[str, Any]:
    metric = {"metric": {"dimensions": {}, **query["metric"]}} if query.get("metric") else {}
    return {"returnData": False, **query, **metric}


def _puts(change: Change) -> None:
    """CloudWatch replaces an alarm as a whole: what is not given is gone."""
    plain = set(change.kind.properties) - {"tags", *CONVERTED}
    change.call("put_metric_alarm", **change.parameters("put_metric_alarm", plain), **_converted(change))


PROPERTIES = {
    "name": Prop(at="AlarmName"),
    "comparisonOperator": Prop(required=True),
    "evaluationPeriods": Prop(required=True),
    "metricName": Prop(resettable=True),
    "namespace": Prop(resettable=True),
    "period": Prop(resettable=True),
    "statistic": Prop(resettable=True),
    "extendedStatistic": Prop(resettable=True),
    "threshold": Prop(resettable=True),
    "thresholdMetricId": Prop(resettable=True),
    "dimensions": Prop(at=BY_HAND, resettable=True, read=_dimensions_now, holds=same),
    "metricQueries": Prop(resettable=True, read=_queries_now, holds=_same_queries),
    "datapointsToAlarm": Prop(resettable=True),
    "treatMissingData": Prop(default="missing", read="TreatMissingData || 'missing'"),
    "evaluateLowSampleCountPercentiles": Prop(at="EvaluateLowSampleCountPercentile", resettable=True),
    "unit": Prop(resettable=True),
    "actionsEnabled": Prop(default=True),
    "alarmDescription": Prop(resettable=True),
    **{name: Prop(resettable=True) for name in ACTIONS},
    "tags": Prop(),
}

METRIC_ALARM = AwsType(
    token="aws:cloudwatch/metricAlarm:MetricAlarm",
    service="cloudwatch",
    properties=PROPERTIES,
    create=Create(
        "put_metric_alarm", lambda change, _: str(change.inputs["name"]), extra=_converted, of=frozenset(CONVERTED)
    ),
    reads=(
        Read("describe_alarms", by_id("AlarmNames", many=True), "MetricAlarms[0]"),
        Read("list_tags_for_resource", lambda change: {"ResourceARN": alarm_arn(change)}),
    ),
    steps=(Step(frozenset(PROPERTIES) - {"name", "tags"}, _puts),),
    delete=deletes_by("delete_alarms", by_id("AlarmNames", many=True)),
    outputs={"arn": "AlarmArn"},
    tags=listed_tags("tag_resource", "untag_resource", "ResourceARN", "TagKeys", about=alarm_arn),
    name=AutoName("name", 255),
    rules=RULES,
    presence=PRESENCE,
)


TYPES = (METRIC_ALARM,)
