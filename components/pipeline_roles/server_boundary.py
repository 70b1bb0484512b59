"""What a server may do at most: a permissions boundary, beyond which no policy of the deploy role's makes one go."""

import pulumi
from pulumi_aws import iam

from ..children import Children
from .permissions import Scope, Statement, policy
from .places import (
    APP_SECRETS,
    GROUPS,
    INSTANCES,
    KEYS,
    LOG_GROUPS,
    OURS,
    REPOSITORIES,
    SWARM_PARAMETERS,
    VOLUMES,
)

BOUNDARY = (
    Statement(
        sid="Sessions",
        reason="What AWS's policy for SSM's sessions holds, but for reading parameters.",
        actions=(
            "ec2messages:AcknowledgeMessage",
            "ec2messages:DeleteMessage",
            "ec2messages:FailMessage",
            "ec2messages:GetEndpoint",
            "ec2messages:GetMessages",
            "ec2messages:SendReply",
            "ssm:DescribeAssociation",
            "ssm:DescribeDocument",
            "ssm:GetDeployablePatchSnapshotForInstance",
            "ssm:GetDocument",
            "ssm:GetManifest",
            "ssm:ListAssociations",
            "ssm:ListInstanceAssociations",
            "ssm:PutComplianceItems",
            "ssm:PutConfigurePackageResult",
            "ssm:PutInventory",
            "ssm:UpdateAssociationStatus",
            "ssm:UpdateInstanceAssociationStatus",
            "ssm:UpdateInstanceInformation",
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ),
    ),
    Statement(sid="LogIn", reason="A login to the registry.", actions=("ecr:GetAuthorizationToken",)),
    Statement(
        sid="Pull",
        reason="Images of the environments here.",
        actions=("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        resources=(REPOSITORIES,),
    ),
    Statement(
        sid="Write",
        reason="Logs of the app and of the network.",
        actions=(
            "logs:CreateLogStream",
            "logs:DescribeLogGroups",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
        ),
        resources=(*LOG_GROUPS, *(f"{group}:*" for group in LOG_GROUPS)),
    ),
    Statement(
        sid="Secrets",
        reason="Secrets of the app in the environments here.",
        actions=("ssm:GetParameters",),
        resources=(APP_SECRETS + "/*",),
    ),
    Statement(
        sid="Swarm",
        reason="How nodes of a swarm find each other; managers write it.",
        actions=("ssm:GetParameters", "ssm:PutParameter"),
        resources=(SWARM_PARAMETERS,),
    ),
    Statement(
        sid="Ask",
        reason="Whether a scaling group waits to hear of the server; the service can't narrow that.",
        actions=("autoscaling:DescribeAutoScalingInstances",),
    ),
    Statement(
        sid="Tell",
        reason="That the server is ready.",
        actions=("autoscaling:CompleteLifecycleAction",),
        resources=GROUPS,
    ),
    Statement(
        sid="Data",
        reason="The data volume of an environment here, on a server of it.",
        actions=("ec2:AttachVolume", "ec2:DetachVolume"),
        resources=(VOLUMES, INSTANCES),
        conditions=OURS,
    ),
    Statement(
        sid="Look",
        reason="Who has the data volume; the service can't narrow that.",
        actions=("ec2:DescribeVolumes",),
    ),
    Statement(
        sid="UnlockData",
        reason="A data volume's key, for EC2 alone.",
        actions=("kms:CreateGrant", "kms:Decrypt"),
        resources=(KEYS,),
        conditions={"StringEquals": {"kms:ViaService": ("ec2.{region}.amazonaws.com",)}},
    ),
    Statement(
        sid="Encrypted",
        reason="What SSM keeps encrypted, through SSM alone.",
        actions=("kms:Decrypt", "kms:Encrypt"),
        conditions={"StringEquals": {"kms:ViaService": ("ssm.{region}.amazonaws.com",)}},
    ),
)
"""At most this, of that only what the role itself is granted."""


def server_boundary(children: Children, scope: pulumi.Output[Scope], project: str) -> iam.Policy:
    """The boundary as a policy of the account, where the pipeline can't change it."""
    return iam.Policy(
        children.name("server-boundary"),
        path=f"/{project}-pipeline/",
        description="What servers of Teal may do at most",
        policy=scope.apply(lambda known: policy(BOUNDARY, known)),
        tags=children.tagged("server-boundary"),
        opts=children.options(),
    )
