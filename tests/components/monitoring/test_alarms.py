from typing import Any

import pytest

from components.monitoring.alarms import Thresholds


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"error_share_percent": 0}, "error_share_percent must be above 0 and at most 100, got 0"),
        ({"error_share_percent": 100.5}, "error_share_percent must be above 0 and at most 100, got 100.5"),
        ({"latency_p99_seconds": 0}, "latency_p99_seconds must be above 0 and at most 4000, got 0"),
        ({"minutes": 0}, "alarm_minutes must be a whole number from 1 to 60, got 0"),
    ],
)
def test_a_threshold_out_of_bounds_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Thresholds(**{"error_share_percent": 1, "latency_p99_seconds": 1, "minutes": 2, **changes})
