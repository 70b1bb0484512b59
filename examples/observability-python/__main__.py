"""Logs, alarms by colour and a dashboard for a load balancer that is there already."""

import pulumi
from teal_components import Observability

sight = Observability(
    "watch",
    {
        "load_balancer_arn_suffix": "app/shop/0123456789abcdef",
        "target_group_arn_suffixes": {
            "blue": "targetgroup/shop-blue/0123456789abcdef",
            "green": "targetgroup/shop-green/0123456789abcdef",
        },
        "alarm_emails": ["ops@stranger.example"],
        "error_share_percent": 2.5,
        "latency_p99_seconds": 0.5,
        "tags": {"Environment": pulumi.get_stack()},
    },
)

pulumi.export("dashboardUrl", sight.dashboard_url)
pulumi.export("alarmNames", sight.alarm_names)
