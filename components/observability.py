"""What an operator sees and is told: logs, alarms by colour, a topic for them, a dashboard."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict, TypeVar

import pulumi
import pulumi_aws as aws
from pulumi_aws import cloudwatch

from .bounds import retention, whole
from .children import Children
from .former_names import remembering
from .monitoring.alarm_topic import alarm_topic, check_emails
from .monitoring.alarms import Thresholds, Watched, colour_alarms
from .monitoring.dashboard import dashboard_body
from .naming import COLOURS

T = TypeVar("T")


class ObservabilityArgs(TypedDict):
    """What an Observability watches, and how strictly."""

    load_balancer_arn_suffix: pulumi.Input[str]
    """Part of the load balancer's ARN that CloudWatch knows it by: app/<name>/<id>."""
    target_group_arn_suffixes: pulumi.Input[Mapping[str, pulumi.Input[str]]]
    """Part of the target group's ARN that CloudWatch knows it by, targetgroup/<name>/<id>; for blue and for green."""
    alarm_emails: NotRequired[Sequence[str]]
    """Addresses that alarms are sent to once their owners have confirmed; default none."""
    log_retention_days: NotRequired[int]
    """Days that logs are kept for, one of the numbers that CloudWatch allows; default 30."""
    error_share_percent: NotRequired[float]
    """Share of a colour's requests, in percent, that may fail before an alarm, above 0 to 100; default 1."""
    latency_p99_seconds: NotRequired[float]
    """Seconds that one request in a hundred may take before an alarm, above 0 to 4000; default 1."""
    healthy_targets: NotRequired[Mapping[str, int]]
    """Fewest healthy targets by colour, 0 to 1000, where more are registered than serve; default: none unhealthy."""
    alarm_minutes: NotRequired[int]
    """Minutes in a row that trouble must last for, 1 to 60; default 2."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """KMS key for logs and topic, usable by CloudWatch and CloudWatch Logs; default the services' own encryption."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on every child that takes tags, beside its own Name."""


class Observability(pulumi.ComponentResource):
    """Logs with an end, alarms on each colour's errors, latency and health, and one dashboard for both.

    It needs no fleet, so that fleets can be given its log group. Raises ValueError, naming the input, for a colour too
    many or too few and for a figure out of bounds.
    """

    log_group_name: pulumi.Output[str]
    """Log group for the containers of both colours."""
    log_group_arn: pulumi.Output[str]
    """ARN of that log group, without the trailing :*."""
    topic_arn: pulumi.Output[str]
    """Topic that alarms are published to."""
    alarm_names: pulumi.Output[dict[str, list[str]]]
    """Names of the alarms by colour: on errors, latency and health, in this order."""
    dashboard_name: pulumi.Output[str]
    """Name of the dashboard."""
    dashboard_url: pulumi.Output[str]
    """Where the dashboard is to be seen."""

    def __init__(self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        suffixes = by_colour(args["target_group_arn_suffixes"])
        retention_days = retention("log_retention_days", args.get("log_retention_days", 30))
        thresholds = Thresholds(
            error_share_percent=args.get("error_share_percent", 1),
            latency_p99_seconds=args.get("latency_p99_seconds", 1),
            minutes=args.get("alarm_minutes", 2),
        )
        healthy = healthy_by_colour(args.get("healthy_targets"))
        emails = args.get("alarm_emails", ())
        check_emails(emails)
        super().__init__("teal:index:Observability", name, {}, remembering("teal:index:Observability", name, opts))
        children = Children(name, args.get("tags", {}), self)

        logs = cloudwatch.LogGroup(
            children.name("app"),
            retention_in_days=retention_days,
            kms_key_id=args.get("kms_key_arn"),
            tags=children.tagged("app"),
            opts=children.options(),
        )
        topic = alarm_topic(children, emails, args.get("kms_key_arn"))
        balancer = args["load_balancer_arn_suffix"]
        alarms = {
            colour: colour_alarms(
                children,
                Watched(
                    colour=colour,
                    dimensions={"LoadBalancer": balancer, "TargetGroup": suffixes[colour]},
                    topic_arn=topic.arn,
                    healthy_targets=healthy[colour],
                ),
                thresholds,
            )
            for colour in COLOURS
        }
        region = aws.get_region_output(opts=children.invoke_options()).region
        body = pulumi.Output.all(
            region=region,
            load_balancer_arn_suffix=balancer,
            target_group_arn_suffixes=pulumi.Output.all(**suffixes),
            log_group_name=logs.name,
        )
        dashboard = cloudwatch.Dashboard(
            children.name("dashboard"),
            dashboard_name=f"{pulumi.get_project()}-{pulumi.get_stack()}-{name}",
            dashboard_body=body.apply(lambda known: dashboard_body(**known)),
            opts=children.options(),
        )

        self.log_group_name = logs.name
        self.log_group_arn = logs.arn
        self.topic_arn = topic.arn
        self.alarm_names = pulumi.Output.all(
            **{colour: pulumi.Output.all(*(alarm.name for alarm in alarms[colour])) for colour in COLOURS}
        )
        self.dashboard_name = dashboard.dashboard_name
        console = pulumi.Output.format("https://{0}.console.aws.amazon.com/cloudwatch/home?region={0}", region)
        self.dashboard_url = pulumi.Output.concat(console, "#dashboards/dashboard/", self.dashboard_name)
        self.register_outputs(
            {
                "log_group_name": self.log_group_name,
                "log_group_arn": self.log_group_arn,
                "topic_arn": self.topic_arn,
                "alarm_names": self.alarm_names,
                "dashboard_name": self.dashboard_name,
                "dashboard_url": self.dashboard_url,
            }
        )


def healthy_by_colour(targets: Mapping[str, float] | None) -> dict[str, int | None]:
    """Fewest healthy targets of each colour, None where all must be. Raises ValueError, naming the input."""
    if targets is None:
        return dict.fromkeys(COLOURS)
    if set(targets) != set(COLOURS):
        raise ValueError(f"healthy_targets must be for {' and '.join(COLOURS)}, got {sorted(targets)}")
    return {colour: whole(f"healthy_targets for {colour}", targets[colour], 0, 1000) for colour in COLOURS}


def by_colour(suffixes: pulumi.Input[Mapping[str, pulumi.Input[str]]]) -> dict[str, pulumi.Input[str]]:
    """The suffix of each colour, also of a map that is known later. Raises ValueError for another set of colours."""
    if isinstance(suffixes, Mapping):
        return {**_checked(suffixes)}
    known: pulumi.Output[Mapping[str, str]] = pulumi.Output.from_input(suffixes)  # type: ignore[arg-type]  # flattens
    checked = known.apply(_checked)
    return {colour: checked.apply(lambda known, colour=colour: known[colour]) for colour in COLOURS}  # type: ignore[misc]


def _checked(suffixes: Mapping[str, T]) -> Mapping[str, T]:
    if set(suffixes) != set(COLOURS):
        raise ValueError(f"target_group_arn_suffixes must be for {' and '.join(COLOURS)}, got {sorted(suffixes)}")
    return suffixes
