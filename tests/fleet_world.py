"""What a Fleet is given in tests, and the container that its servers are told to run."""

import base64
import json
from typing import Any

import yaml

from deployed import Registered

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:" + "a" * 64
ARGS: dict[str, Any] = {
    "colour": "blue",
    "image": IMAGE,
    "capacity": 2,
    "min_size": 2,
    "max_size": 6,
    "instance_types": ["t4g.small"],
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-a", "subnet-b"],
    "load_balancer_security_group_id": "sg-balancer",
    "target_group_arn": "arn:blue",
    "repository_arn": "arn:repository",
    "log_group_name": "shop-app",
    "log_group_arn": "arn:logs",
}


def container(resources: dict[str, Registered]) -> dict[str, Any]:
    """The container file in the template's user data."""
    text = base64.b64decode(resources["blue-template"].inputs["userData"]).decode()
    [content] = [f["content"] for f in yaml.safe_load(text)["write_files"] if f["path"] == "/etc/teal/container.json"]
    return dict(json.loads(content))
