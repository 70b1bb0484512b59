"""Managers and workers of a Docker swarm that make it by themselves, behind target groups of your own."""

import pulumi
from pulumi_aws import cloudwatch, ec2, lb
from teal_components import Nat, Network, Registry, SwarmCluster

network = Network("net", {"cidr_block": "10.60.0.0/16", "zones": ["eu-west-1a", "eu-west-1b"], "nat": Nat.SINGLE})
registry = Registry("images", {"force_delete": True})
logs = cloudwatch.LogGroup("logs", retention_in_days=30)
door = ec2.SecurityGroup("door", vpc_id=network.vpc_id, description="A load balancer of our own")
blue = lb.TargetGroup("blue", vpc_id=network.vpc_id, port=8081, protocol="HTTP")
green = lb.TargetGroup("green", vpc_id=network.vpc_id, port=8082, protocol="HTTP")
swarm = SwarmCluster(
    "swarm",
    {
        "environment": pulumi.get_stack(),
        "managers": 1,
        "workers": 2,
        "instance_types": ["t4g.small", "t4g.medium"],
        "vpc_id": network.vpc_id,
        "subnet_ids": network.private_subnet_ids,
        "load_balancer_security_group_id": door.id,
        "target_group_arns": {"blue": blue.arn, "green": green.arn},
        "repository_arn": registry.arn,
        "log_group_arn": logs.arn,
        "force_delete": True,
        "tags": {"Environment": pulumi.get_stack()},
    },
)

pulumi.export("parameterPath", swarm.parameter_path)
