"""Blue and green as two services of a swarm; neither is made until there is an image."""

import pulumi
from pulumi_aws import cloudwatch
from teal_components import SwarmServices

logs = cloudwatch.LogGroup("logs", retention_in_days=30)
services = SwarmServices(
    "app",
    {
        "environment": pulumi.get_stack(),
        "images": {"blue": "", "green": ""},
        "replicas": {"blue": 0, "green": 0},
        "log_group_name": logs.name,
        "region": "eu-west-1",
    },
)

pulumi.export("serviceNames", services.service_names)
