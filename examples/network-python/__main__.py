"""A VPC over two zones, with flow logs and no way out."""

import pulumi
from teal_components import Nat, Network

network = Network(
    "net",
    {
        "cidr_block": "10.60.0.0/16",
        "zones": ["eu-west-1a", "eu-west-1b"],
        "nat": Nat.NONE,
        "flow_log_retention_days": 30,
        "tags": {"Environment": pulumi.get_stack()},
    },
)

pulumi.export("vpcId", network.vpc_id)
pulumi.export("privateSubnetIds", network.private_subnet_ids)
