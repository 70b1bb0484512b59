"""An application load balancer that faces the internet, with its access logs. TrafficSplit gives it listeners."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import lb

from .balancing.access_logs import access_log_bucket
from .bounds import whole
from .children import Children
from .former_names import remembering
from .naming import short_name
from .security_groups import ANYWHERE, allow_from, allow_to, security_group


class LoadBalancerArgs(TypedDict):
    """What a LoadBalancer takes."""

    vpc_id: pulumi.Input[str]
    """VPC that the load balancer stands in."""
    vpc_cidr_block: pulumi.Input[str]
    """Addresses of the VPC, within which the targets are."""
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Public subnets, in at least two availability zones."""
    target_port: NotRequired[int]
    """TCP port of the targets and of their health check, 1 to 65535; default 8080."""
    target_ports: NotRequired[Sequence[int]]
    """TCP ports of the targets where there are several, 1 to 65535 each; default target_port alone."""
    serves_https: NotRequired[bool]
    """Whether port 443 opens beside port 80, for a TrafficSplit with a certificate; default false."""
    protects_from_deletion: NotRequired[bool]
    """Whether AWS refuses to delete the load balancer and its logs that have not expired; default true."""
    log_retention_days: NotRequired[int]
    """Days that access logs are kept for, 1 to 3653; default 365."""
    idle_timeout_seconds: NotRequired[int]
    """Seconds a connection may be silent, 1 to 4000; the targets must keep theirs open for longer. Default 60."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on every child, beside its own Name."""


class LoadBalancer(pulumi.ComponentResource):
    """An ALB over several zones that takes HTTP, and HTTPS where asked, from anywhere and passes it on into its VPC.

    Raises ValueError for a single subnet, a number out of bounds, or a name of more than 20 characters.
    """

    arn: pulumi.Output[str]
    """ARN of the load balancer."""
    arn_suffix: pulumi.Output[str]
    """The part of the ARN that CloudWatch metrics know the load balancer by."""
    dns_name: pulumi.Output[str]
    """Public host name that AWS gave it."""
    zone_id: pulumi.Output[str]
    """Hosted zone of dns_name, for alias records."""
    security_group_id: pulumi.Output[str]
    """Security group that requests to the targets come from."""
    log_bucket: pulumi.Output[str]
    """Name of the bucket of access logs."""

    def __init__(self, name: str, args: LoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        alb_name = short_name(f"{name}-alb")
        check_subnet_ids(args["subnet_ids"])
        target_port = whole("target_port", args.get("target_port", 8080), 1, 65535)
        target_ports = [whole("target_ports", port, 1, 65535) for port in args.get("target_ports", ())]
        retention_days = whole("log_retention_days", args.get("log_retention_days", 365), 1, 3653)
        idle_timeout = whole("idle_timeout_seconds", args.get("idle_timeout_seconds", 60), 1, 4000)
        is_protected = args.get("protects_from_deletion", True)
        super().__init__("teal:index:LoadBalancer", name, {}, remembering("teal:index:LoadBalancer", name, opts))
        children = Children(name, args.get("tags", {}), self)

        group = security_group(children, "group", args["vpc_id"], "Load balancer: web requests in, to targets only")
        for port in (80, 443) if args.get("serves_https", False) else (80,):
            allow_from(children, f"from-internet-{port}", group, ANYWHERE, port, "Web requests from anywhere")
        target, purpose = args["vpc_cidr_block"], "Requests and checks to targets"
        for port in target_ports:
            allow_to(children, f"to-targets-{port}", group, target, port, purpose)
        if not target_ports:
            allow_to(children, "to-targets", group, target, target_port, purpose)
        bucket, policy = access_log_bucket(children, retention_days, keeps_logs_on_destroy=is_protected)
        balancer = lb.LoadBalancer(
            alb_name,
            load_balancer_type="application",
            internal=False,
            ip_address_type="ipv4",
            subnets=args["subnet_ids"],
            security_groups=[group.id],
            access_logs={"bucket": bucket.id, "enabled": True},
            enable_deletion_protection=is_protected,
            drop_invalid_header_fields=True,
            desync_mitigation_mode="defensive",
            idle_timeout=idle_timeout,
            tags=children.tagged("alb"),
            opts=children.following(policy).options(),  # AWS tries the bucket at once
        )

        self.arn = balancer.arn
        self.arn_suffix = balancer.arn_suffix
        self.dns_name = balancer.dns_name
        self.zone_id = balancer.zone_id
        self.security_group_id = group.id
        self.log_bucket = bucket.id
        self.register_outputs(
            {
                "arn": self.arn,
                "arn_suffix": self.arn_suffix,
                "dns_name": self.dns_name,
                "zone_id": self.zone_id,
                "security_group_id": self.security_group_id,
                "log_bucket": self.log_bucket,
            }
        )


def check_subnet_ids(subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]) -> None:
    """Raises ValueError for a plain list of fewer than two subnets; what is not known yet, AWS checks."""
    if isinstance(subnet_ids, Sequence) and len(subnet_ids) < 2:
        raise ValueError(f"subnet_ids must name subnets in at least two availability zones, got {len(subnet_ids)}")
