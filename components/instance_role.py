"""What instances may do: all are administered by SSM; a Fleet's pull one repository and write one log group."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pulumi
from pulumi_aws import iam

from .children import Children


@dataclass(frozen=True, slots=True)
class InstanceRole:
    """The role, the profile that hands it to instances, and what must exist before the role is any good."""

    role: iam.Role
    profile: iam.InstanceProfile
    policies: tuple[pulumi.Resource, ...]


def managed_role(children: Children, description: str, prefix: str = "") -> InstanceRole:
    """A role of instances that only lets SSM administer them: a shell goes through session manager, not SSH."""
    role = iam.Role(
        children.name(f"{prefix}role"),
        description=description,
        assume_role_policy=assume_role_policy(),
        tags=children.tagged(f"{prefix}role"),
        opts=children.options(),
    )
    session = iam.RolePolicyAttachment(
        children.name(f"{prefix}session"),
        role=role.name,
        policy_arn=iam.ManagedPolicy.AMAZON_SSM_MANAGED_INSTANCE_CORE,
        opts=children.options(),
    )
    profile = iam.InstanceProfile(
        children.name(f"{prefix}profile"),
        role=role.name,
        tags=children.tagged(f"{prefix}profile"),
        opts=children.options(),
    )
    return InstanceRole(role, profile, (session,))


def instance_role(
    children: Children, repository_arn: pulumi.Input[str], log_group_arn: pulumi.Input[str]
) -> InstanceRole:
    """The least that an instance of a Fleet needs."""
    managed = managed_role(children, "Instances of a Teal fleet")
    arns = pulumi.Output.all(repository_arn=repository_arn, log_group_arn=log_group_arn)
    own = iam.RolePolicy(
        children.name("pull-and-log"),
        role=managed.role.name,
        policy=arns.apply(lambda known: instance_policy(**known)),
        opts=children.options(),
    )
    return replace(managed, policies=(*managed.policies, own))


def assume_role_policy() -> str:
    """Lets EC2 hand the role to an instance, as JSON."""
    principal = {"Service": "ec2.amazonaws.com"}
    return _document([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}])


def instance_policy(repository_arn: str, log_group_arn: str) -> str:
    """Lets an instance pull from this repository and append to this log group, as JSON."""
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    append = ["logs:CreateLogStream", "logs:PutLogEvents"]
    return _document(
        [
            # A token for the registry belongs to no resource, so IAM knows no narrower one.
            {"Sid": "LogIn", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
            {"Sid": "Pull", "Effect": "Allow", "Action": pull, "Resource": repository_arn},
            {"Sid": "Log", "Effect": "Allow", "Action": append, "Resource": f"{log_group_arn}:*"},
        ]
    )


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
