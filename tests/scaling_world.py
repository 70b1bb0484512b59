"""What a scaling group of a Fleet comes to, by the API alone."""

import base64
import json
from typing import Any

INSTANCES = 2


def run_instances(ec2: Any, scaling: Any, image: str) -> None:
    """Has a scaling group run instances of an image, REPOSITORY@DIGEST."""
    container = {"image": image, "port": 8080, "colour": "blue", "environment": {}}
    written = [{"path": "/etc/teal/container.json", "content": json.dumps(container)}]
    user_data = "#cloud-config\n" + json.dumps({"write_files": written})
    [ami, *_] = ec2.describe_images(Owners=["amazon"])["Images"]
    data = {
        "ImageId": ami["ImageId"],
        "InstanceType": "t3.small",
        "UserData": base64.b64encode(user_data.encode()).decode(),
    }
    ec2.create_launch_template(LaunchTemplateName="app", LaunchTemplateData=data)
    [subnet, *_] = ec2.describe_subnets()["Subnets"]
    scaling.create_auto_scaling_group(
        AutoScalingGroupName="app",
        LaunchTemplate={"LaunchTemplateName": "app", "Version": "$Latest"},
        MinSize=INSTANCES,
        MaxSize=INSTANCES,
        VPCZoneIdentifier=subnet["SubnetId"],
    )
