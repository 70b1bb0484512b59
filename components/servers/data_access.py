"""What the servers of a Fleet may do with its data volume: have it attached to themselves, and let it go."""

import json
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import autoscaling, iam

from ..children import Children

HANDLE = ("ec2:AttachVolume", "ec2:DetachVolume")


@dataclass(frozen=True, slots=True)
class DataDisk:
    """A data volume, and the key that it is encrypted with."""

    arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]


def data_disk(arn: pulumi.Input[str] | None, key_arn: pulumi.Input[str] | None, max_size: float) -> DataDisk | None:
    """What a Fleet was given; None without a volume. Raises ValueError for half of it, or for several servers."""
    if arn is None and key_arn is None:
        return None
    if arn is None or key_arn is None:
        raise ValueError("data_volume_arn and data_volume_key_arn must be given together, or neither")
    if max_size != 1:
        raise ValueError(
            f"max_size must be 1 with a data volume, which one server at a time can have, got {max_size:g}"
        )
    return DataDisk(arn, key_arn)


def attach_right(children: Children, role: iam.Role, group: autoscaling.Group, disk: DataDisk) -> None:
    """Lets servers with this role and in this group have the volume."""
    known = pulumi.Output.all(volume_arn=disk.arn, key_arn=disk.key_arn, group_name=group.name)
    iam.RolePolicy(
        children.name("have-data"),
        role=role.name,
        policy=known.apply(lambda values: attach_policy(**values)),
        opts=children.options(),
    )


def attach_policy(volume_arn: str, key_arn: str, group_name: str) -> str:
    """Lets an instance of this group attach and detach this volume, and EC2 decrypt it meanwhile, as JSON."""
    place, _, _ = volume_arn.partition(":volume/")
    region = place.split(":")[3]
    through_ec2 = {"StringEquals": {"kms:ViaService": f"ec2.{region}.amazonaws.com"}}
    statements: list[dict[str, Any]] = [
        _allow("Volume", HANDLE, volume_arn),
        {
            **_allow("Servers", HANDLE, f"{place}:instance/*"),
            "Condition": {"StringEquals": {"aws:ResourceTag/aws:autoscaling:groupName": group_name}},
        },
        _allow("Look", "ec2:DescribeVolumes", "*"),  # IAM narrows no Describe of this service
        {
            **_allow("Grant", "kms:CreateGrant", key_arn),
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}, **through_ec2},
        },
        {**_allow("Decrypt", "kms:Decrypt", key_arn), "Condition": through_ec2},
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _allow(sid: str, actions: str | tuple[str, ...], resource: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}
