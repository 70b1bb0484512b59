"""A VPC's flow logs, kept in CloudWatch Logs."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pulumi_aws import cloudwatch, ec2, iam

from ..children import Children

WRITE_ACTIONS = ("logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents")


@dataclass(frozen=True, slots=True)
class FlowLogKeeping:
    """How flow logs are kept, and the IAM policy beyond which the role that writes them can not go."""

    retention_days: int
    kms_key_arn: pulumi.Input[str] | None
    boundary_arn: pulumi.Input[str] | None


def flow_log(children: Children, vpc_id: pulumi.Input[str], kept: FlowLogKeeping) -> ec2.FlowLog:
    """Records accepted and rejected flows, in windows of a minute, in a log group of its own."""
    caller = aws.get_caller_identity_output(opts=children.invoke_options())
    group = cloudwatch.LogGroup(
        children.name("flow-log-group"),
        retention_in_days=kept.retention_days,
        kms_key_id=kept.kms_key_arn,
        tags=children.tagged("flow-log-group"),
        opts=children.options(),
    )
    role = iam.Role(
        children.name("flow-log-role"),
        description="Writes the flow logs of one VPC to its log group",
        assume_role_policy=caller.apply(lambda identity: trust_policy(identity.account_id)),
        permissions_boundary=kept.boundary_arn,
        tags=children.tagged("flow-log-role"),
        opts=children.options(),
    )
    policy = iam.RolePolicy(
        children.name("flow-log-policy"),
        role=role.id,
        policy=group.arn.apply(write_policy),
        opts=children.options(),
    )
    return ec2.FlowLog(
        children.name("flow-log"),
        vpc_id=vpc_id,
        traffic_type="ALL",
        log_destination=group.arn,
        iam_role_arn=role.arn,
        max_aggregation_interval=60,
        tags=children.tagged("flow-log"),
        opts=children.following(policy).options(),
    )


def trust_policy(account_id: str) -> str:
    """Lets the flow logs service act for this account only."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def write_policy(log_group_arn: str) -> str:
    """Lets the role write to the one log group."""
    resources = [log_group_arn, f"{log_group_arn}:*"]
    statement = {"Effect": "Allow", "Action": list(WRITE_ACTIONS), "Resource": resources}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
