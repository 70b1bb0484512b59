"""What the release role may do: move traffic, servers and versions of what stands, and write its ledger."""

from .permissions import Statement
from .places import (
    ALARMS,
    GROUPS,
    LISTENERS,
    OURS,
    PARAMETERS,
    PUBLIC_PARAMETERS,
    RULES,
    SERVER_ROLES,
    SNAPSHOTS,
    TABLES,
    TO_BE_OURS,
)
from .preview import LOOK_AT_IMAGE

OFFICIAL = "pulumi-aws reads it back after a change"
MOVES_DATA = "the recorded stacks have no data volume; tests/release/test_ebs.py makes the calls"
CLEARS_DATA = "the recorded stacks have no data volume; tests/release/test_ebs_snapshots.py makes the call"

READ = Statement(
    sid="Read",
    reason="Listener, health, servers and metrics, and what the program looks up; no service can narrow these.",
    actions=(
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribePolicies",
        "cloudwatch:GetMetricData",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeRegions",
        "ecr:GetAuthorizationToken",
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetHealth",
    ),
    unseen={
        "autoscaling:DescribeScalingActivities": "pulumi-aws tells by it why a group does not get its servers",
        "ec2:DescribeSnapshots": MOVES_DATA,
        "ec2:DescribeVolumes": MOVES_DATA,
        "elasticloadbalancing:DescribeListenerAttributes": OFFICIAL,
        "elasticloadbalancing:DescribeTargetGroups": "pulumi-aws waits by it for a group's servers to be in service",
    },
)
ALARM_STATES = Statement(
    sid="Alarms", reason="Whether an alarm is on.", actions=("cloudwatch:DescribeAlarms",), resources=(ALARMS,)
)
POINTERS = Statement(
    sid="Pointers",
    reason="Where the ledger is, the secret of the test route, and the newest system image.",
    actions=("ssm:GetParameter", "ssm:GetParametersByPath"),
    resources=(PARAMETERS, PARAMETERS + "/*", PUBLIC_PARAMETERS),
)
LEDGER = Statement(
    sid="Ledger",
    reason="State, lock and history of releases.",
    actions=(
        "dynamodb:ConditionCheckItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
    ),
    resources=(TABLES,),
)
TRAFFIC = Statement(
    sid="Traffic",
    reason="Weights of the listener, and which colour the test route leads to.",
    actions=("elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule"),
    resources=(LISTENERS, RULES),
    conditions=OURS,
)
CAPACITY = Statement(
    sid="Capacity",
    reason="How many servers a colour has, from which template, and whether it scales.",
    actions=("autoscaling:DeletePolicy", "autoscaling:PutScalingPolicy", "autoscaling:UpdateAutoScalingGroup"),
    resources=GROUPS,
    conditions=OURS,
)
TEMPLATES = Statement(
    sid="Templates",
    reason="The image that a colour's servers start from.",
    actions=("ec2:CreateLaunchTemplateVersion",),
    resources=("arn:aws:ec2:{region}:{account}:launch-template/*",),
    conditions=OURS,
)
LAUNCH = Statement(
    sid="Launch",
    reason="AWS asks for it of whoever has a group launch from a template; nothing else may be launched.",
    actions=("ec2:RunInstances",),
    conditions={"ArnLike": {"ec2:LaunchTemplate": ("arn:aws:ec2:{region}:{account}:launch-template/*",)}},
)
LAUNCH_TAGS = Statement(
    sid="LaunchTags",
    reason="Tags on what is launched so, and on nothing else.",
    actions=("ec2:CreateTags",),
    conditions={"StringEquals": {"ec2:CreateAction": ("RunInstances",)}},
)
PASS_TO_SERVERS = Statement(
    sid="PassToServers",
    reason="The servers' roles go to EC2 with the template, and to nobody else.",
    actions=("iam:PassRole",),
    resources=SERVER_ROLES,
    conditions={"StringEquals": {"iam:PassedToService": ("ec2.amazonaws.com",)}},
)
SNAPSHOT_OF = Statement(
    sid="SnapshotOf",
    reason="A snapshot before each release, of the environment's own data volume.",
    actions=(),
    unseen={"ec2:CreateSnapshot": MOVES_DATA},
    resources=("arn:aws:ec2:{region}:{account}:volume/*",),
    conditions=OURS,
)
SNAPSHOT = Statement(
    sid="Snapshot",
    reason="That snapshot, which must bear the environment's tags from its first moment.",
    actions=(),
    unseen={"ec2:CreateSnapshot": MOVES_DATA},
    resources=SNAPSHOTS,
    conditions=TO_BE_OURS,
)
SNAPSHOT_TAGS = Statement(
    sid="SnapshotTags",
    reason="Tags on what is made so, and on no snapshot that stands.",
    actions=("ec2:CreateTags",),
    resources=SNAPSHOTS,
    conditions={"StringEquals": {"ec2:CreateAction": ("CreateSnapshot",)}},
)
OLD_SNAPSHOTS = Statement(
    sid="OldSnapshots",
    reason="Of the environment's snapshots those that releases have made, once there are enough newer ones; no other.",
    actions=(),
    unseen={"ec2:DeleteSnapshot": CLEARS_DATA},
    resources=SNAPSHOTS,
    conditions={**OURS, "StringLike": {"aws:ResourceTag/Release": ("r-*",)}},
)
RELEASE = {
    "release": (
        *(READ, ALARM_STATES, POINTERS, LOOK_AT_IMAGE, LEDGER, TRAFFIC, CAPACITY),
        *(TEMPLATES, LAUNCH, LAUNCH_TAGS, PASS_TO_SERVERS, SNAPSHOT_OF, SNAPSHOT, SNAPSHOT_TAGS, OLD_SNAPSHOTS),
    )
}
"""By name of policy."""
