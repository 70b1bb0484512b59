"""Percentiles for moto's CloudWatch, which knows the plain statistics only, and an end to what it keeps."""

import datetime
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from moto.cloudwatch.models import Statistics, cloudwatch_backends

PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?|100)")


def install() -> Callable[[], None]:
    """Patches moto in this process; what it returns takes the patch off again."""
    plain = Statistics.get_statistics_for_type

    def with_percentiles(statistics: Any, stat: str) -> Any:
        wanted = PERCENTILE.fullmatch(stat)
        if wanted is None:
            return plain(statistics, stat)
        return percentile(sorted(statistics.metric_single_values_list), float(wanted[1]))

    def uninstall() -> None:
        Statistics.get_statistics_for_type = plain

    Statistics.get_statistics_for_type = with_percentiles
    return uninstall


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """The smallest value that so many percent of the values do not exceed; None of no values.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 50)
    2.0
    """
    if not ordered:
        return None
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def forget_before(moment: datetime.datetime, regions: Iterable[str]) -> None:
    """Drops what every account's CloudWatch has from before moment: moto would keep it, and search it, for ever."""
    # moto's own times are UTC and do not say so.
    naive = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    for account in list(cloudwatch_backends):
        for region in regions:
            data = cloudwatch_backends[account][region].metric_data
            # In order of arrival, so the old ones are in front; one deletion loses nothing that arrives meanwhile.
            old = next((index for index, one in enumerate(list(data)) if one.timestamp >= naive), len(data))
            del data[:old]
