"""What a person looks at during a release: both colours side by side, and the last errors."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

NAMESPACE = "AWS/ApplicationELB"
COLUMNS = 24  # of CloudWatch's grid
HEIGHT = 6
_COLOURS = {"blue": "#1f77b4", "green": "#2ca02c"}
_CHARTS = (
    ("Requests a minute", "RequestCount", "Sum"),
    ("Failed requests a minute", "HTTPCode_Target_5XX_Count", "Sum"),
    ("Slowest request in a hundred, seconds", "TargetResponseTime", "p99"),
    ("Healthy servers", "HealthyHostCount", "Minimum"),
    ("Unhealthy servers", "UnHealthyHostCount", "Maximum"),
    ("Refused connections a minute", "TargetConnectionErrorCount", "Sum"),
)


def dashboard_body(
    region: str,
    load_balancer_arn_suffix: str,
    target_group_arn_suffixes: Mapping[str, str],
    log_group_name: str,
) -> str:
    """The dashboard as CloudWatch takes it, in JSON; the target groups' suffixes are by colour."""
    charts = [
        (
            title,
            [
                [
                    NAMESPACE,
                    metric,
                    "LoadBalancer",
                    load_balancer_arn_suffix,
                    "TargetGroup",
                    suffix,
                    _line(colour, stat),
                ]
                for colour, suffix in sorted(target_group_arn_suffixes.items())
            ],
        )
        for title, metric, stat in _CHARTS
    ]
    widgets = [_chart(n, title, lines, region) for n, (title, lines) in enumerate(charts)]
    return json.dumps({"widgets": [*widgets, _last_errors(len(widgets), log_group_name, region)]})


def _line(colour: str, stat: str) -> dict[str, str]:
    return {"label": colour, "color": _COLOURS[colour], "stat": stat}


def _chart(position: int, title: str, lines: Sequence[Any], region: str) -> dict[str, Any]:
    half = COLUMNS // 2
    place = {"x": position % 2 * half, "y": position // 2 * HEIGHT, "width": half, "height": HEIGHT}
    properties = {"title": title, "metrics": lines, "period": 60, "region": region, "view": "timeSeries"}
    return {"type": "metric", **place, "properties": {**properties, "yAxis": {"left": {"min": 0}}}}


def _last_errors(above: int, log_group_name: str, region: str) -> dict[str, Any]:
    query = f"SOURCE '{log_group_name}' | fields @timestamp, @logStream, @message"
    query += " | filter @message like /(?i)error|traceback/ | sort @timestamp desc | limit 50"
    place = {"x": 0, "y": (above + 1) // 2 * HEIGHT, "width": COLUMNS, "height": HEIGHT}
    return {
        "type": "log",
        **place,
        "properties": {"title": "Last errors", "query": query, "region": region, "view": "table"},
    }
