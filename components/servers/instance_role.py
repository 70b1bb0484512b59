"""What instances may do: SSM administers all; a Fleet's pull one repository, write one log group, read secrets."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pulumi
from pulumi_aws import iam

from ..children import Children


@dataclass(frozen=True, slots=True)
class InstanceRole:
    """The role, the profile that hands it to instances, and what must exist before the role is any good."""

    role: iam.Role
    profile: iam.InstanceProfile
    policies: tuple[pulumi.Resource, ...]


@dataclass(frozen=True, slots=True)
class Reach:
    """What an instance of a Fleet gets at."""

    repository_arn: pulumi.Input[str]
    log_group_arn: pulumi.Input[str]
    secret_arns: pulumi.Input[Mapping[str, pulumi.Input[str]]]
    """SSM parameters by variable."""


def managed_role(
    children: Children, description: str, boundary_arn: pulumi.Input[str] | None, prefix: str = ""
) -> InstanceRole:
    """A role of instances that only lets SSM administer them: a shell goes through session manager, not SSH.

    Nothing that is granted to it later goes beyond the boundary, where one is given.
    """
    role = iam.Role(
        children.name(f"{prefix}role"),
        description=description,
        assume_role_policy=assume_role_policy(),
        permissions_boundary=boundary_arn,
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


def instance_role(children: Children, reach: Reach, boundary_arn: pulumi.Input[str] | None) -> InstanceRole:
    """The least that an instance of a Fleet needs."""
    managed = managed_role(children, "Instances of a Teal fleet", boundary_arn)
    arns = pulumi.Output.all(
        repository_arn=reach.repository_arn, log_group_arn=reach.log_group_arn, secret_arns=reach.secret_arns
    )
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


def instance_policy(repository_arn: str, log_group_arn: str, secret_arns: Mapping[str, str]) -> str:
    """Lets an instance pull from this repository, append to this log group and read these secrets, as JSON."""
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    append = ["logs:CreateLogStream", "logs:PutLogEvents"]
    statements: list[dict[str, Any]] = [
        # A token for the registry belongs to no resource, so IAM knows no narrower one.
        {"Sid": "LogIn", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        {"Sid": "Pull", "Effect": "Allow", "Action": pull, "Resource": repository_arn},
        {"Sid": "Log", "Effect": "Allow", "Action": append, "Resource": f"{log_group_arn}:*"},
    ]
    own = sorted(secret_arns.values())
    if own:  # SSM's own key decrypts for whoever may read the parameter
        statements.append({"Sid": "Secrets", "Effect": "Allow", "Action": "ssm:GetParameters", "Resource": own})
    # The policy for sessions lets a server read every parameter of the account.
    others = {"NotResource": own} if own else {"Resource": "*"}
    read = ["ssm:GetParameter", "ssm:GetParameters"]
    statements.append({"Sid": "NoOtherParameters", "Effect": "Deny", "Action": read, **others})
    return _document(statements)


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
