"""What Envoy counted, as the metrics that ELBv2 sends to CloudWatch. Pure.

As ELBv2 does, counts are sent only where there were any, and times in seconds.
"""

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.dataplane.admin import Bin, ClusterStats
from localcloud.dataplane.envoy_routes import resource_name
from localcloud.dataplane.health import Health, HealthState
from localcloud.dataplane.snapshot import Snapshot, suffix

NAMESPACE = "AWS/ApplicationELB"
MOST_TIMES = 200
"""So many response times a target group and interval at most: moto keeps every single one."""
CODE_METRICS = tuple(f"HTTPCode_Target_{digit}XX_Count" for digit in "2345")
BALANCER_ERRORS = "HTTPCode_ELB_5XX_Count"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of a target group, or of a load balancer as a whole: values and how often each was seen."""

    balancer_arn: str
    group_arn: str | None
    name: str
    unit: str
    values: tuple[tuple[float, int], ...]

    def datum(self, at: datetime.datetime) -> dict[str, Any]:
        """As put_metric_data wants it. Dimensions by name, since moto compares them in their order."""
        dimensions = [{"Name": "LoadBalancer", "Value": suffix(self.balancer_arn)}]
        if self.group_arn:
            dimensions.append({"Name": "TargetGroup", "Value": suffix(self.group_arn)})
        return {
            "MetricName": self.name,
            "Dimensions": dimensions,
            "Timestamp": at,
            "Unit": self.unit,
            "Values": [value for value, _ in self.values],
            "Counts": [float(count) for _, count in self.values],
        }


def metrics(
    snapshot: Snapshot,
    before: Mapping[str, ClusterStats],
    after: Mapping[str, ClusterStats],
    health: Mapping[str, Iterable[Health]],
) -> list[Metric]:
    """The metrics of an interval, from Envoy's counters at its ends and each group's health by ARN at its end."""
    found: list[Metric] = []
    whole: dict[str, Counter[str]] = {}
    for arn, balancer_arn in snapshot.used_groups().items():
        name = resource_name(arn)
        during = difference(before.get(name, ClusterStats()), after.get(name, ClusterStats()))
        counted = _counts(during)
        found += [_count(balancer_arn, arn, metric, count) for metric, count in counted.items() if count]
        counted[BALANCER_ERRORS] = during.balancer_errors
        whole.setdefault(balancer_arn, Counter()).update(counted)
        if times := thinned(during.milliseconds):
            values = tuple((one.value / 1000, one.count) for one in times)
            found.append(Metric(balancer_arn, arn, "TargetResponseTime", "Seconds", values))
        found += _host_counts(balancer_arn, arn, list(health.get(arn, ())))
    for balancer_arn, sums in whole.items():
        found += [_count(balancer_arn, None, metric, count) for metric, count in sums.items() if count]
    return found


def _counts(during: ClusterStats) -> dict[str, int]:
    classes = dict(zip(CODE_METRICS, during.by_class, strict=True))
    return {"RequestCount": during.requests, "TargetConnectionErrorCount": during.refused, **classes}


def _count(balancer_arn: str, group_arn: str | None, name: str, count: int) -> Metric:
    return Metric(balancer_arn, group_arn, name, "Count", ((float(count), 1),))


def _host_counts(balancer_arn: str, group_arn: str, health: list[Health]) -> list[Metric]:
    healthy = sum(one.state is HealthState.HEALTHY for one in health)
    unhealthy = sum(one.state is HealthState.UNHEALTHY for one in health)
    counts = (("HealthyHostCount", healthy), ("UnHealthyHostCount", unhealthy))
    return [_count(balancer_arn, group_arn, name, count) for name, count in counts]


def difference(before: ClusterStats, after: ClusterStats) -> ClusterStats:
    """What was counted between two readings; all of after where Envoy has started anew in between."""
    if after.requests < before.requests:
        before = ClusterStats()
    seen = {one.value: one.count for one in before.milliseconds}
    bins = (Bin(one.value, one.count - seen.get(one.value, 0)) for one in after.milliseconds)
    two, three, four, five = (new - old for new, old in zip(after.by_class, before.by_class, strict=True))
    return ClusterStats(
        requests=after.requests - before.requests,
        by_class=(two, three, four, five),
        refused=after.refused - before.refused,
        balancer_errors=after.balancer_errors - before.balancer_errors,
        milliseconds=tuple(one for one in bins if one.count > 0),
    )


def thinned(bins: tuple[Bin, ...], most: int = MOST_TIMES) -> tuple[Bin, ...]:
    """The same distribution by `most` values, evenly spaced over all of them in order; the slowest one is kept.

    So a percentile is off by the share of one value at most: were each bin rounded by itself, up to one at least, a few
    rare ones would stand for many.
    """
    total = sum(one.count for one in bins)
    if total <= most:
        return bins
    found, seen, taken = list[Bin](), 0, 0
    for one in bins:
        seen += one.count
        upto = seen * most // total
        if upto > taken:
            found.append(Bin(one.value, upto - taken))
        taken = upto
    return tuple(found)
