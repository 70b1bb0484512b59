"""What counts as trouble in one colour: errors, slowness, unhealthy servers.

Missing data never raises an alarm: a load balancer publishes these metrics only while requests come in, so silence is
what an idle colour sounds like. Whether there was enough to judge a release by is for the release to say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import cloudwatch

from ..bounds import whole
from ..children import Children

NAMESPACE = "AWS/ApplicationELB"
PERIOD_SECONDS = 60  # load balancers publish once a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What a colour may do before an alarm goes off. Raises ValueError, naming the input, out of bounds."""

    error_share_percent: float
    latency_p99_seconds: float
    minutes: int

    def __post_init__(self) -> None:
        if not 0 < self.error_share_percent <= 100:
            raise ValueError(f"error_share_percent must be above 0 and at most 100, got {self.error_share_percent:g}")
        if not 0 < self.latency_p99_seconds <= 4000:
            raise ValueError(f"latency_p99_seconds must be above 0 and at most 4000, got {self.latency_p99_seconds:g}")
        whole("alarm_minutes", self.minutes, 1, 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One colour of a service, as CloudWatch knows it, and where its alarms go."""

    colour: str
    dimensions: Mapping[str, pulumi.Input[str]]
    topic_arn: pulumi.Input[str]
    healthy_targets: int | None = None
    """Targets that must be healthy; None: every one that is in its group."""


def colour_alarms(children: Children, watched: Watched, thresholds: Thresholds) -> list[cloudwatch.MetricAlarm]:
    """The alarms of one colour: errors, latency, unhealthy."""
    colour = watched.colour
    errors = _alarm(
        children,
        watched,
        "errors",
        thresholds.minutes,
        alarm_description=f"More than {thresholds.error_share_percent:g} % of {colour}'s requests fail",
        comparison_operator="GreaterThanThreshold",
        threshold=float(thresholds.error_share_percent),
        metric_queries=[
            _counted("failed", "HTTPCode_Target_5XX_Count", watched.dimensions),
            _counted("refused", "TargetConnectionErrorCount", watched.dimensions),
            _counted("requests", "RequestCount", watched.dimensions),
            {
                "id": "share",
                # The two kinds of failure are published only when there is one, hence the zeros.
                "expression": "100 * (FILL(failed, 0) + FILL(refused, 0)) / requests",
                "label": "failed requests in percent",
                "return_data": True,
            },
        ],
    )
    latency = _alarm(
        children,
        watched,
        "latency",
        thresholds.minutes,
        alarm_description=f"One request in a hundred takes {colour} over {thresholds.latency_p99_seconds:g} s",
        comparison_operator="GreaterThanThreshold",
        threshold=float(thresholds.latency_p99_seconds),
        namespace=NAMESPACE,
        metric_name="TargetResponseTime",
        extended_statistic="p99",
        period=PERIOD_SECONDS,
        dimensions=watched.dimensions,
        evaluate_low_sample_count_percentiles="ignore",  # the slowest of ten requests is no percentile
    )
    unhealthy = _alarm(
        children,
        watched,
        "unhealthy",
        thresholds.minutes,
        namespace=NAMESPACE,
        period=PERIOD_SECONDS,
        dimensions=watched.dimensions,
        **_ill_health(watched),
    )
    return [errors, latency, unhealthy]


def _ill_health(watched: Watched) -> dict[str, Any]:
    """When too many targets fail their checks: any at all, or so many that fewer are healthy than must be."""
    if watched.healthy_targets is None:
        return {
            "alarm_description": f"A server of {watched.colour} fails its health checks",
            "comparison_operator": "GreaterThanThreshold",
            "threshold": 0.0,
            "metric_name": "UnHealthyHostCount",
            "statistic": "Maximum",
        }
    return {
        "alarm_description": f"Fewer than {watched.healthy_targets} of {watched.colour} pass their health checks",
        "comparison_operator": "LessThanThreshold",
        "threshold": float(watched.healthy_targets),
        "metric_name": "HealthyHostCount",
        # The most of a minute: tasks are started after their targets are there, so a start is no trouble, but a minute
        # in which they were never all well is.
        "statistic": "Maximum",
    }


def _alarm(children: Children, watched: Watched, role: str, minutes: int, **details: Any) -> cloudwatch.MetricAlarm:
    name = f"{watched.colour}-{role}"
    return cloudwatch.MetricAlarm(
        children.name(name),
        evaluation_periods=int(minutes),
        datapoints_to_alarm=int(minutes),
        treat_missing_data="notBreaching",
        alarm_actions=[watched.topic_arn],
        ok_actions=[watched.topic_arn],
        tags=children.tagged(name),
        opts=children.options(),
        **details,
    )


def _counted(
    query_id: str, metric_name: str, dimensions: Mapping[str, pulumi.Input[str]]
) -> cloudwatch.MetricAlarmMetricQueryArgsDict:
    return {
        "id": query_id,
        "metric": {
            "namespace": NAMESPACE,
            "metric_name": metric_name,
            "dimensions": dimensions,
            "period": PERIOD_SECONDS,
            "stat": "Sum",
        },
        "return_data": False,
    }
