"""How an instance of a Fleet starts: a launch template, and the ways in which a scaling group refers to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import autoscaling, ec2, ssm

from ..children import Children

ROOT_DEVICE = "/dev/xvda"  # Amazon Linux's
AMI_PARAMETER = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What differs between launch templates."""

    description: str
    image_id: pulumi.Input[str]
    instance_type: str
    user_data: pulumi.Input[str]
    """In base64."""
    profile_arn: pulumi.Input[str]
    security_group_id: pulumi.Input[str]
    volume_gib: int
    more_security_group_ids: tuple[pulumi.Input[str], ...] = ()


def newest_image(children: Children, processor: str) -> pulumi.Output[str]:
    """Id of Amazon Linux 2023's newest AMI for arm64 or x86_64, as AWS publishes it."""
    found = ssm.get_parameter_output(name=AMI_PARAMETER + processor, opts=children.invoke_options())
    return found.apply(lambda parameter: parameter.value)


def launch_template(children: Children, launch: Launch) -> ec2.LaunchTemplate:
    """IMDSv2 only and out of a container's reach, an encrypted disk, no public address."""
    return ec2.LaunchTemplate(
        children.name("template"),
        description=launch.description,
        image_id=launch.image_id,
        instance_type=launch.instance_type,
        user_data=launch.user_data,
        iam_instance_profile={"arn": launch.profile_arn},
        metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
        network_interfaces=[
            {
                "device_index": 0,
                "associate_public_ip_address": "false",
                "delete_on_termination": "true",
                "security_groups": [launch.security_group_id, *launch.more_security_group_ids],
            }
        ],
        block_device_mappings=[
            {
                "device_name": ROOT_DEVICE,
                "ebs": {
                    "volume_size": launch.volume_gib,
                    "volume_type": "gp3",
                    "encrypted": "true",
                    "delete_on_termination": "true",
                },
            }
        ],
        tag_specifications=[{"resource_type": "volume", "tags": children.tagged("volume")}],
        tags=children.tagged("template"),
        opts=children.options(),
    )


def only_launch(
    instance_types: Sequence[str], template: ec2.LaunchTemplate
) -> autoscaling.GroupLaunchTemplateArgsDict | None:
    """The template by numbered version, where there is one type only; else None."""
    if len(instance_types) > 1:
        return None
    return {"id": template.id, "version": _numbered(template)}


def mixed_launch(
    instance_types: Sequence[str], template: ec2.LaunchTemplate
) -> autoscaling.GroupMixedInstancesPolicyArgsDict | None:
    """The template by numbered version and the types to start it on, preferred first; None where there is one only."""
    if len(instance_types) == 1:
        return None
    return {
        "launch_template": {
            "launch_template_specification": {"launch_template_id": template.id, "version": _numbered(template)},
            "overrides": [{"instance_type": kind} for kind in instance_types],
        }
    }


def _numbered(template: ec2.LaunchTemplate) -> pulumi.Output[str]:
    return template.latest_version.apply(lambda version: str(int(version)))  # never $Latest: nobody sees that one move
