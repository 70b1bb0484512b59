"""What the deploy role may do beside networks: ledger, images, servers' roles, logs, sight and the domain."""

from .permissions import Statement
from .places import (
    ALARMS,
    APP_SECRETS,
    BOUNDED,
    BUCKETS,
    CERTIFICATES,
    DASHBOARDS,
    FLOW_LOG_ROLES,
    HERE,
    KEYS,
    LOG_GROUPS,
    NAT_ROLES,
    OURS,
    PARAMETERS,
    PROFILES,
    RARE,
    REPOSITORIES,
    ROLES,
    SERVER_ROLES,
    SESSIONS,
    TABLES,
    TOPICS,
    ZONES,
)

BY_ECR = "ECR asks for it of whoever makes or removes a repository that is encrypted with a key"
BY_EBS = "EBS asks for it of whoever makes a volume that is encrypted with a key"
BORN_HERE = {
    "StringEquals": {"aws:RequestTag/Project": ("{project}",), "aws:RequestTag/Environment": ("{environment}",)}
}
"""Only with the tags of an environment here."""

LEDGER = Statement(
    sid="Ledger",
    reason="The ledger's table, and the one item that it begins with.",
    actions=(
        "dynamodb:CreateTable",
        "dynamodb:DeleteItem",
        "dynamodb:DeleteTable",
        "dynamodb:PutItem",
        "dynamodb:TagResource",
        "dynamodb:UpdateContinuousBackups",
        "dynamodb:UpdateTable",
    ),
    resources=(TABLES,),
    unseen={"dynamodb:UntagResource": RARE},
)
POINTERS = Statement(
    sid="Pointers",
    reason="Where the ledger is, the test route's secret, and those of the app.",
    actions=("ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:PutParameter"),
    resources=(PARAMETERS + "/*", APP_SECRETS + "/*"),
    unseen={"ssm:RemoveTagsFromResource": RARE},
)
IMAGES = Statement(
    sid="Images",
    reason="The registry, pushing what was built, and copying it from the registry of the stack before.",
    actions=(
        "ecr:BatchCheckLayerAvailability",
        "ecr:CompleteLayerUpload",
        "ecr:CreateRepository",
        "ecr:DeleteLifecyclePolicy",
        "ecr:DeleteRepository",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:PutLifecyclePolicy",
        "ecr:TagResource",
        "ecr:UploadLayerPart",
    ),
    resources=(REPOSITORIES,),
    unseen={
        "ecr:UntagResource": RARE,
    },
)
INSTANCE_ROLES = Statement(
    sid="InstanceRoles",
    reason="Roles of servers and of flow logs, by the names of ours; none of the pipeline.",
    actions=(
        "iam:AddRoleToInstanceProfile",
        "iam:CreateInstanceProfile",
        "iam:DeleteInstanceProfile",
        "iam:DeleteRole",
        "iam:ListInstanceProfilesForRole",
        "iam:RemoveRoleFromInstanceProfile",
        "iam:TagInstanceProfile",
        "iam:TagRole",
    ),
    resources=(*ROLES, *PROFILES),
    unseen={
        "iam:UntagRole": RARE,
        "iam:UpdateAssumeRolePolicy": RARE,
        "iam:UpdateRole": RARE,
    },
)
ROLE_RIGHTS = Statement(
    sid="RoleRights",
    reason="What these roles may do; where servers have a boundary, of roles with that boundary only.",
    actions=("iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePolicy"),
    resources=ROLES,
    conditions=BOUNDED,
    unseen={"iam:PutRolePermissionsBoundary": "roles that were there before the boundary get it by it"},
)
SESSION_POLICY = Statement(
    sid="SessionPolicy",
    reason="Of AWS's own policies, servers get the one for SSM's sessions and no other.",
    actions=("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
    resources=ROLES,
    conditions={"ArnEquals": {"iam:PolicyARN": (SESSIONS,)}, **BOUNDED},
)
PASS_TO_SERVERS = Statement(
    sid="PassToServers",
    reason="Hands the servers' roles to EC2 and to nobody else.",
    actions=("iam:PassRole",),
    resources=SERVER_ROLES + NAT_ROLES,
    conditions={"StringEquals": {"iam:PassedToService": ("ec2.amazonaws.com",)}},
)
PASS_TO_FLOW_LOGS = Statement(
    sid="PassToFlowLogs",
    reason="Hands the role of flow logs to the service that writes them.",
    actions=("iam:PassRole",),
    resources=FLOW_LOG_ROLES,
    conditions={"StringEquals": {"iam:PassedToService": ("vpc-flow-logs.amazonaws.com",)}},
)
KEY_MAKE = Statement(
    sid="KeyMake",
    reason="Makes the environment's key, which must bear the tags of an environment here.",
    actions=("kms:CreateKey", "kms:TagResource"),
    conditions=BORN_HERE,
)
KEY = Statement(
    sid="Key",
    reason="The environment's key; AWS draws its id.",
    actions=("kms:EnableKey", "kms:EnableKeyRotation", "kms:ScheduleKeyDeletion"),
    resources=(KEYS,),
    conditions=OURS,
    unseen={
        "kms:CreateGrant": BY_ECR,
        "kms:RetireGrant": BY_ECR,
        "kms:Decrypt": BY_EBS,
        "kms:GenerateDataKeyWithoutPlaintext": BY_EBS,
        "kms:PutKeyPolicy": RARE,
        "kms:UntagResource": RARE,
        "kms:UpdateKeyDescription": RARE,
    },
)
LOGS = Statement(
    sid="Logs",
    reason="Log groups of the app and of the network.",
    actions=("logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:PutRetentionPolicy", "logs:TagResource"),
    resources=LOG_GROUPS,
    unseen={"logs:UntagResource": RARE},
)
LOG_BUCKET = Statement(
    sid="LogBucket",
    reason="The bucket of the load balancer's logs, and emptying it before it goes.",
    actions=(
        "s3:CreateBucket",
        "s3:DeleteBucket",
        "s3:DeleteBucketPolicy",
        "s3:PutBucketOwnershipControls",
        "s3:PutBucketPolicy",
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketTagging",
        "s3:PutEncryptionConfiguration",
        "s3:PutLifecycleConfiguration",
        "s3:ListBucketVersions",
    ),
    resources=(BUCKETS,),
)
LOG_OBJECTS = Statement(
    sid="LogObjects",
    reason="Empties the log bucket of an environment that is taken down.",
    actions=(),
    resources=(BUCKETS + "/*",),
    unseen=dict.fromkeys(
        ("s3:DeleteObject", "s3:DeleteObjectVersion"), "the embedded load balancer writes no log objects"
    ),
)
SIGHT = Statement(
    sid="Sight",
    reason="Alarms, the dashboard, and who hears of alarms.",
    actions=(
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DeleteDashboards",
        "cloudwatch:PutDashboard",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:TagResource",
        "sns:CreateTopic",
        "sns:DeleteTopic",
        "sns:SetTopicAttributes",
        "sns:Subscribe",
        "sns:TagResource",
    ),
    resources=(ALARMS, DASHBOARDS, TOPICS),
    unseen={"cloudwatch:UntagResource": RARE, "sns:UntagResource": RARE},
)
UNSUBSCRIBE = Statement(
    sid="Unsubscribe",
    reason="Takes an address off the topic; IAM knows no resource for that.",
    actions=("sns:Unsubscribe",),
    conditions=HERE,
)
SYSTEM_IMAGE = Statement(
    sid="ReadSystemImage",
    reason="What the system image is like that a server starts from.",
    actions=("ec2:DescribeImages",),
)
CERTIFICATE = Statement(
    sid="Certificate",
    reason="Certificates with the tags of an environment here; AWS draws their ids.",
    actions=("acm:DeleteCertificate",),
    resources=(CERTIFICATES,),
    conditions=OURS,
    unseen={"acm:RemoveTagsFromCertificate": RARE},
)
CERTIFICATE_MAKE = Statement(
    sid="CertificateMake",
    reason="Asks for a certificate, which must bear the tags of an environment here.",
    actions=("acm:AddTagsToCertificate", "acm:RequestCertificate"),
    conditions=BORN_HERE,
)
RECORDS = Statement(
    sid="Records",
    reason="The service's records in its hosted zone.",
    actions=("route53:ChangeResourceRecordSets",),
    resources=(ZONES,),
    conditions={"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ("A", "CNAME")}},
)
SERVICE_ROLES = Statement(
    sid="ServiceRoles",
    reason="The first load balancer and scaling group of an account make their services' own roles.",
    actions=(),
    resources=("arn:aws:iam::{account}:role/aws-service-role/*",),
    conditions={
        "StringEquals": {"iam:AWSServiceName": ("autoscaling.amazonaws.com", "elasticloadbalancing.amazonaws.com")}
    },
    unseen={"iam:CreateServiceLinkedRole": "AWS asks for it, in its own name, where the role is not there yet"},
)
SERVICE = (
    *(LEDGER, POINTERS, IMAGES, INSTANCE_ROLES, ROLE_RIGHTS, SESSION_POLICY, PASS_TO_SERVERS, PASS_TO_FLOW_LOGS),
    *(SYSTEM_IMAGE, SERVICE_ROLES),
)
"""One policy's worth: what runs, and what it is run by."""
UPKEEP = (
    *(KEY_MAKE, KEY, LOGS, LOG_BUCKET, LOG_OBJECTS, SIGHT, UNSUBSCRIBE),
    *(CERTIFICATE, CERTIFICATE_MAKE, RECORDS),
)
"""Another's: how it is kept, watched and found."""
