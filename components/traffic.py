"""Blue/green traffic: twin target groups behind one listener, and a secret way to the idle one."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi

from .balancing.listeners import (
    SSL_POLICIES,
    asset_rules,
    check_asset_colours,
    check_colour,
    check_header_value,
    check_ssl_policy,
    checked_weights,
    forward_action,
    http_listener,
    https_listener,
    idle_rule,
    nothing_released,
)
from .balancing.target_groups import HealthCheck, TargetSettings, check_name, twin_target_groups
from .bounds import whole
from .children import Children
from .former_names import remembering
from .naming import COLOURS, colour_ports


class TrafficSplitArgs(TypedDict):
    """What a TrafficSplit takes."""

    vpc_id: pulumi.Input[str]
    """VPC that both target groups live in."""
    load_balancer_arn: pulumi.Input[str]
    """Application load balancer that gets the listeners."""
    weights: Mapping[str, int]
    """Share of requests by colour, blue and green, 0 to 100 each, 100 together. Plain, so that a preview shows it."""
    test_colour: str
    """Colour that requests with the test header go to: the idle one. Plain, so that a preview shows it."""
    test_header_value: pulumi.Input[str]
    """Secret that the header X-Teal-Test must carry, at most 128 characters, none of them * or ?."""
    asset_colours: NotRequired[Mapping[str, str]]
    """Colour that answers for /assets/blue/ and /assets/green/: itself while it has servers. Default: as weighted."""
    is_released: NotRequired[bool]
    """Whether there is anything to serve; where not, requests get 503 and a line of text. Default true."""
    certificate_arn: NotRequired[pulumi.Input[str]]
    """Certificate of an HTTPS listener on port 443; port 80 then only redirects. Default: HTTP on port 80."""
    ssl_policy: NotRequired[str]
    """TLS policy of the HTTPS listener, by AWS's name; default ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09."""
    port: NotRequired[int]
    """TCP port of the targets, 1 to 65535; default 8080."""
    ports: NotRequired[Mapping[str, int]]
    """TCP port of the targets by colour, where blue's and green's share servers; default port for both."""
    health_check_path: NotRequired[str]
    """Path that a healthy target answers with 200; default /readyz."""
    health_check_interval_seconds: NotRequired[int]
    """Seconds between two checks of a target, 5 to 300; default 5."""
    health_check_timeout_seconds: NotRequired[int]
    """Seconds that an answer may take, 2 to 120 and less than the interval; default 2."""
    healthy_threshold: NotRequired[int]
    """Checks in a row that must pass until an unhealthy target is healthy again, 2 to 10; default 2."""
    unhealthy_threshold: NotRequired[int]
    """Checks in a row that must fail until a target is unhealthy, 2 to 10; default 2."""
    drain_seconds: NotRequired[int]
    """Seconds that a deregistered target may finish its requests in, 0 to 3600; default 30."""
    slow_start_seconds: NotRequired[int]
    """Seconds over which a new target's share rises, 30 to 900, or 0 for its full share at once; default 0."""
    stickiness_seconds: NotRequired[int]
    """Seconds that a client stays with its colour while both have a share, 1 to 604800, or 0 for never; default 0."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on every child, beside its own Name."""


class TrafficSplit(pulumi.ComponentResource):
    """Shares a load balancer's requests between blue and green.

    Both groups are always attached: AWS checks no group's health that no rule uses, and a release must know that the
    idle colour is healthy before it gets a request. Stickiness holds clients to a colour, not to a target, and only
    while both colours have a share; at 0 and 100 it is off, so that a rollback takes every client along.

    Raises ValueError for weights, colours, a TLS policy or numbers that can't be, and for a name over 18 characters.
    """

    target_group_arns: pulumi.Output[dict[str, str]]
    """Target group ARN by colour."""
    target_group_arn_suffixes: pulumi.Output[dict[str, str]]
    """The part of the target group's ARN that CloudWatch metrics know it by, by colour."""
    listener_arn: pulumi.Output[str]
    """Listener whose default action carries the weights."""
    test_rule_arn: pulumi.Output[str]
    """Rule that takes requests with the test header to the idle colour."""

    def __init__(self, name: str, args: TrafficSplitArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_name(name)
        weights = checked_weights(args["weights"])
        check_colour("test_colour", args["test_colour"])
        asset_colours = args.get("asset_colours", {})
        if asset_colours:
            check_asset_colours(asset_colours)
        check_header_value(args["test_header_value"])
        ssl_policy = args.get("ssl_policy", SSL_POLICIES[0])
        check_ssl_policy(ssl_policy)
        stickiness_seconds = whole("stickiness_seconds", args.get("stickiness_seconds", 0), 0, 604800)
        settings = target_settings(args)
        super().__init__("teal:index:TrafficSplit", name, {}, remembering("teal:index:TrafficSplit", name, opts))
        children = Children(name, args.get("tags", {}), self)

        groups = twin_target_groups(children, settings)
        arns = {colour: group.arn for colour, group in groups.items()}
        is_released = args.get("is_released", True)
        action = forward_action(arns, weights, stickiness_seconds) if is_released else nothing_released()
        certificate_arn = args.get("certificate_arn")
        if certificate_arn is None:
            listener = http_listener(children, args["load_balancer_arn"], action)
        else:
            listener = https_listener(children, args["load_balancer_arn"], action, certificate_arn, ssl_policy)
        rule = idle_rule(children, listener, arns, args["test_colour"], args["test_header_value"])
        asset_rules(children, listener, arns, asset_colours)

        self.target_group_arns = pulumi.Output.all(**arns)
        suffixes = {colour: group.arn_suffix for colour, group in groups.items()}
        self.target_group_arn_suffixes = pulumi.Output.all(**suffixes)
        self.listener_arn = listener.arn
        self.test_rule_arn = rule.arn
        self.register_outputs(
            {
                "target_group_arns": self.target_group_arns,
                "target_group_arn_suffixes": self.target_group_arn_suffixes,
                "listener_arn": self.listener_arn,
                "test_rule_arn": self.test_rule_arn,
            }
        )


def target_settings(args: TrafficSplitArgs) -> TargetSettings:
    """The target groups' settings, defaults filled in. Raises ValueError for figures that AWS would refuse."""
    interval_seconds = args.get("health_check_interval_seconds", 5)
    timeout_seconds = args.get("health_check_timeout_seconds", 2)
    slow_start_seconds = args.get("slow_start_seconds", 0)
    port = whole("port", args.get("port", 8080), 1, 65535)
    if slow_start_seconds:
        slow_start_seconds = whole("slow_start_seconds, unless 0,", slow_start_seconds, 30, 900)
    return TargetSettings(
        vpc_id=args["vpc_id"],
        ports=colour_ports(args["ports"]) if "ports" in args else dict.fromkeys(COLOURS, port),
        drain_seconds=whole("drain_seconds", args.get("drain_seconds", 30), 0, 3600),
        slow_start_seconds=int(slow_start_seconds),
        health_check=HealthCheck(
            path=args.get("health_check_path", "/readyz"),
            interval_seconds=whole("health_check_interval_seconds", interval_seconds, 5, 300),
            timeout_seconds=whole("health_check_timeout_seconds", timeout_seconds, 2, 120),
            healthy_threshold=whole("healthy_threshold", args.get("healthy_threshold", 2), 2, 10),
            unhealthy_threshold=whole("unhealthy_threshold", args.get("unhealthy_threshold", 2), 2, 10),
        ),
    )
