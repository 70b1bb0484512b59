"""A host name with its certificate; the hosted zone must exist."""

import pulumi
from teal_components import Domain, LoadBalancer, Nat, Network

zone_name = pulumi.Config().require("zoneName")
network = Network("net", {"cidr_block": "10.60.0.0/16", "zones": ["eu-west-1a", "eu-west-1b"], "nat": Nat.NONE})
balancer = LoadBalancer(
    "balancer",
    {
        "vpc_id": network.vpc_id,
        "vpc_cidr_block": network.cidr_block,
        "subnet_ids": network.public_subnet_ids,
        "serves_https": True,
        "protects_from_deletion": False,
    },
)
domain = Domain(
    "shop",
    {
        "domain_name": f"shop.{zone_name}",
        "zone_name": zone_name,
        "load_balancer_dns_name": balancer.dns_name,
        "load_balancer_zone_id": balancer.zone_id,
    },
)

pulumi.export("url", domain.url)
pulumi.export("certificateArn", domain.certificate_arn)
