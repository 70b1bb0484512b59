"""Servers behind a load balancer's target group of your own; none runs until there is an image."""

import pulumi
from pulumi_aws import cloudwatch, ec2, lb
from teal_components import Fleet, Nat, Network, Registry

network = Network("net", {"cidr_block": "10.60.0.0/16", "zones": ["eu-west-1a", "eu-west-1b"], "nat": Nat.NONE})
registry = Registry("images", {"force_delete": True})
logs = cloudwatch.LogGroup("logs", retention_in_days=30)
door = ec2.SecurityGroup("door", vpc_id=network.vpc_id, description="A load balancer of our own")
targets = lb.TargetGroup("targets", vpc_id=network.vpc_id, port=8080, protocol="HTTP")
fleet = Fleet(
    "blue",
    {
        "colour": "blue",
        "image": "",
        "capacity": 0,
        "min_size": 1,
        "max_size": 4,
        "instance_types": ["t4g.small", "t4g.medium"],
        "vpc_id": network.vpc_id,
        "subnet_ids": network.private_subnet_ids,
        "load_balancer_security_group_id": door.id,
        "target_group_arn": targets.arn,
        "repository_arn": registry.arn,
        "log_group_name": logs.name,
        "log_group_arn": logs.arn,
        "force_delete": True,
        "tags": {"Environment": pulumi.get_stack()},
    },
)

pulumi.export("scalingGroupName", fleet.scaling_group_name)
