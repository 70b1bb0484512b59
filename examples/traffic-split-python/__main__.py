"""Blue and green behind one listener; nothing is released yet, so it answers 503 and a line of text."""

import pulumi
from teal_components import LoadBalancer, Nat, Network, RouteSecret, TrafficSplit

tags = {"Environment": pulumi.get_stack()}
network = Network("net", {"cidr_block": "10.60.0.0/16", "zones": ["eu-west-1a", "eu-west-1b"], "nat": Nat.NONE})
balancer = LoadBalancer(
    "balancer",
    {
        "vpc_id": network.vpc_id,
        "vpc_cidr_block": network.cidr_block,
        "subnet_ids": network.public_subnet_ids,
        "protects_from_deletion": False,
        "tags": tags,
    },
)
secret = RouteSecret("secret", {"environment": f"traffic-split-{pulumi.get_stack()}"})
split = TrafficSplit(
    "split",
    {
        "vpc_id": network.vpc_id,
        "load_balancer_arn": balancer.arn,
        "weights": {"blue": 90, "green": 10},
        "test_colour": "green",
        "test_header_value": secret.value,
        "is_released": False,
        "tags": tags,
    },
)

pulumi.export("dnsName", balancer.dns_name)
pulumi.export("targetGroupArns", split.target_group_arns)
