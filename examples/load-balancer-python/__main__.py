"""A load balancer over two zones, with its access logs."""

import pulumi
from teal_components import LoadBalancer, Nat, Network

network = Network("net", {"cidr_block": "10.60.0.0/16", "zones": ["eu-west-1a", "eu-west-1b"], "nat": Nat.NONE})
balancer = LoadBalancer(
    "web",
    {
        "vpc_id": network.vpc_id,
        "vpc_cidr_block": network.cidr_block,
        "subnet_ids": network.public_subnet_ids,
        "protects_from_deletion": False,
        "log_retention_days": 30,
        "tags": {"Environment": pulumi.get_stack()},
    },
)

pulumi.export("dnsName", balancer.dns_name)
