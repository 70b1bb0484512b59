"""What the preview role may do: read what a refreshed preview compares with, and what a release would be decided by."""

from .permissions import Statement
from .places import (
    ALARMS,
    APP_SECRETS,
    BUCKETS,
    CERTIFICATES,
    DASHBOARDS,
    KEYS,
    LOG_GROUPS,
    OURS,
    PARAMETERS,
    PROFILES,
    PUBLIC_PARAMETERS,
    REPOSITORIES,
    ROLES,
    TABLES,
    TOPICS,
    ZONES,
)

OFFICIAL = "pulumi-aws reads it with the resource; our provider has no use for it"
NETWORK = Statement(
    sid="ReadNetwork",
    reason="Networks, servers and what they start from; EC2 can't narrow its reads.",
    actions=(
        "ec2:DescribeAddresses",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeFlowLogs",
        "ec2:DescribeInstanceAttribute",
        "ec2:DescribeInstances",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeManagedPrefixLists",
        "ec2:DescribeNatGateways",
        "ec2:DescribeRegions",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVolumes",
        "ec2:DescribeVpcAttribute",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcs",
    ),
    unseen={
        "ec2:DescribeAddressesAttribute": OFFICIAL,
        "ec2:DescribeInstanceCreditSpecifications": OFFICIAL,
        "ec2:DescribeInstanceTypes": OFFICIAL,
        "ec2:DescribeNetworkAcls": OFFICIAL,
        "ec2:DescribeNetworkInterfaces": OFFICIAL,
        "ec2:DescribePrefixLists": OFFICIAL,
        "ec2:DescribeTags": OFFICIAL,
        "ec2:DescribeVolumesModifications": OFFICIAL,
    },
)
BALANCING = Statement(
    sid="ReadBalancing",
    reason="Load balancer, listeners, health of targets, scaling groups; neither service can narrow its reads.",
    actions=(
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeLifecycleHooks",
        "autoscaling:DescribePolicies",
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeLoadBalancerAttributes",
        "elasticloadbalancing:DescribeLoadBalancers",
        "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeTags",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
    ),
    unseen={
        "autoscaling:DescribeScalingActivities": "pulumi-aws tells by it why a group does not get its servers",
        "elasticloadbalancing:DescribeCapacityReservation": OFFICIAL,
        "elasticloadbalancing:DescribeListenerAttributes": OFFICIAL,
        "elasticloadbalancing:DescribeListenerCertificates": OFFICIAL,
    },
)
LEDGER = Statement(
    sid="ReadLedger",
    reason="What is released, and the table that says so.",
    actions=(
        "dynamodb:DescribeContinuousBackups",
        "dynamodb:DescribeTable",
        "dynamodb:DescribeTimeToLive",
        "dynamodb:GetItem",
        "dynamodb:ListTagsOfResource",
    ),
    resources=(TABLES,),
)
POINTERS = Statement(
    sid="ReadPointers",
    reason="Where the ledger is; secrets of test route and app, which a refresh compares; the newest system image.",
    actions=("ssm:GetParameter", "ssm:GetParametersByPath", "ssm:ListTagsForResource"),
    resources=(PARAMETERS, PARAMETERS + "/*", APP_SECRETS + "/*", PUBLIC_PARAMETERS),
    unseen={"ssm:GetParameters": "pulumi-aws reads several parameters by one call"},
)
IMAGES = Statement(
    sid="ReadImages",
    reason="The registry, and whether an image is in it.",
    actions=(
        "ecr:BatchGetImage",
        "ecr:DescribeRepositories",
        "ecr:GetLifecyclePolicy",
        "ecr:ListTagsForResource",
    ),
    resources=(REPOSITORIES,),
)
INSTANCE_ROLES = Statement(
    sid="ReadInstanceRoles",
    reason="Roles of servers and of flow logs, none of the pipeline.",
    actions=("iam:GetInstanceProfile", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"),
    resources=(*ROLES, *PROFILES),
    unseen={"iam:ListRolePolicies": OFFICIAL},
)
KEY = Statement(
    sid="ReadKey",
    reason="The environment's key, not what it encrypts; AWS draws its id.",
    actions=("kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"),
    resources=(KEYS,),
    conditions=OURS,
)
LOGS = Statement(
    sid="ReadLogs",
    reason="Tags of log groups.",
    actions=("logs:ListTagsForResource",),
    resources=LOG_GROUPS,
)
LOG_BUCKET = Statement(
    sid="ReadLogBucket",
    reason="How the load balancer's logs are kept, not the logs.",
    actions=(
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketPolicy",
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketTagging",
        "s3:GetEncryptionConfiguration",
        "s3:GetLifecycleConfiguration",
        "s3:ListBucket",
    ),
    resources=(BUCKETS,),
    unseen=dict.fromkeys(
        (
            "s3:GetAccelerateConfiguration",
            "s3:GetBucketAcl",
            "s3:GetBucketCORS",
            "s3:GetBucketLocation",
            "s3:GetBucketLogging",
            "s3:GetBucketObjectLockConfiguration",
            "s3:GetBucketRequestPayment",
            "s3:GetBucketVersioning",
            "s3:GetBucketWebsite",
            "s3:GetReplicationConfiguration",
        ),
        OFFICIAL,
    ),
)
SIGHT = Statement(
    sid="ReadSight",
    reason="Alarms, dashboard and the topic that alarms go to.",
    actions=(
        "cloudwatch:DescribeAlarms",
        "cloudwatch:GetDashboard",
        "cloudwatch:ListTagsForResource",
        "sns:GetTopicAttributes",
        "sns:ListTagsForResource",
    ),
    resources=(ALARMS, DASHBOARDS, TOPICS),
)
DOMAIN = Statement(
    sid="ReadDomain",
    reason="Records of the domain and its certificate, whose ids AWS draws.",
    actions=(
        "acm:DescribeCertificate",
        "acm:ListTagsForCertificate",
        "route53:GetHostedZone",
        "route53:ListResourceRecordSets",
        "route53:ListTagsForResource",
    ),
    resources=(CERTIFICATES, ZONES),
)
WHOLE = Statement(
    sid="ReadWhole",
    reason="What IAM grants for all resources or none: a login for the registry, and lists to find things in.",
    actions=(
        "ecr:GetAuthorizationToken",
        "logs:DescribeLogGroups",
        "route53:ListHostedZones",
        "sns:GetSubscriptionAttributes",
        "ssm:DescribeParameters",
    ),
    unseen={"route53:ListHostedZonesByName": "pulumi-aws finds a zone by its name"},
)
LOOK_AT_HISTORY = Statement(
    sid="LookAtHistory", reason="Which releases there were.", actions=("dynamodb:Query",), resources=(TABLES,)
)
LOOK_AT_IMAGE = Statement(
    sid="LookAtImage",
    reason="Whether the image to release is in the registry.",
    actions=("ecr:DescribeImages",),
    resources=(REPOSITORIES,),
)
LOOK_AT_HEALTH = Statement(
    sid="LookAtHealth",
    reason="How many servers are healthy; the service can't narrow that.",
    actions=("elasticloadbalancing:DescribeTargetHealth",),
)
LOOK_AT_SNAPSHOTS = Statement(
    sid="LookAtSnapshots",
    reason="Which snapshots a release would delete; EC2 can't narrow its reads.",
    actions=(),
    unseen={
        "ec2:DescribeSnapshots": "the recorded stacks have no data volume; `teal release plan` asks where there is one"
    },
)
LOOKS = (LOOK_AT_HISTORY, LOOK_AT_IMAGE, LOOK_AT_HEALTH, LOOK_AT_SNAPSHOTS)
"""What a release is decided by."""
READS = (NETWORK, BALANCING, WHOLE)
"""What a refresh of a stack reads, of services that can't narrow it to what is ours."""
NAMED_READS = (LEDGER, POINTERS, IMAGES, INSTANCE_ROLES, KEY, LOGS, LOG_BUCKET, SIGHT, DOMAIN)
"""What it reads of the rest."""
PREVIEW = {"read": (*READS, *LOOKS), "read-named": NAMED_READS}
"""By name of policy; one for all would be longer than IAM takes where an account has four environments."""
