"""A whole service: two servers behind a load balancer, and their idle twins."""

from pathlib import Path

import pulumi
from teal_components import (
    AppImage,
    Fleet,
    FleetArgs,
    LoadBalancer,
    Nat,
    Network,
    Observability,
    Registry,
    RouteSecret,
    TrafficSplit,
)

tags = {"Project": pulumi.get_project(), "Environment": pulumi.get_stack()}
registry = Registry("images", {"force_delete": True, "tags": tags})
app = AppImage(
    "app",
    {
        "repository_url": registry.repository_url,
        "context": str(Path(__file__).parent.parent / "app"),
        "version": "1.0.0",
    },
)
network = Network(
    "net",
    {"cidr_block": "10.60.0.0/16", "zones": ["eu-west-1a", "eu-west-1b"], "nat": Nat.INSTANCE, "tags": tags},
)
balancer = LoadBalancer(
    "web",
    {
        "vpc_id": network.vpc_id,
        "vpc_cidr_block": network.cidr_block,
        "subnet_ids": network.public_subnet_ids,
        "protects_from_deletion": False,
        "tags": tags,
    },
)
secret = RouteSecret("testRoute", {"environment": f"{pulumi.get_project()}-{pulumi.get_stack()}", "tags": tags})
split = TrafficSplit(
    "split",
    {
        "vpc_id": network.vpc_id,
        "load_balancer_arn": balancer.arn,
        "weights": {"blue": 100, "green": 0},
        "test_colour": "green",
        "test_header_value": secret.value,
        "tags": tags,
    },
)
sight = Observability(
    "watch",
    {
        "load_balancer_arn_suffix": balancer.arn_suffix,
        "target_group_arn_suffixes": split.target_group_arn_suffixes,
        "tags": tags,
    },
)


def fleet(colour: str, image: pulumi.Input[str], capacity: int) -> Fleet:
    """The servers of one colour."""
    args: FleetArgs = {
        "colour": colour,
        "image": image,
        "capacity": capacity,
        "min_size": 1,
        "max_size": 4,
        "instance_types": ["t4g.small", "t4g.medium"],
        "vpc_id": network.vpc_id,
        "subnet_ids": network.private_subnet_ids,
        "load_balancer_security_group_id": balancer.security_group_id,
        "target_group_arn": split.target_group_arns[colour],
        "repository_arn": registry.arn,
        "log_group_name": sight.log_group_name,
        "log_group_arn": sight.log_group_arn,
        "environment": {"GREETING": "Hello from Python"},
        "force_delete": True,
        "tags": tags,
    }
    return Fleet(colour, args)


fleet("blue", app.image, capacity=2)
fleet("green", "", capacity=0)  # the next version, before it gets a share

pulumi.export("dnsName", balancer.dns_name)
pulumi.export("dashboardUrl", sight.dashboard_url)
