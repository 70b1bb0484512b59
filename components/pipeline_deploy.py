"""What the deploy role may do: bring environments up, change them, take them down, and put images into the registry."""

from components.permissions import Statement
from components.pipeline_places import (
    ALARMS,
    BUCKETS,
    CERTIFICATES,
    DASHBOARDS,
    FLOW_LOG_ROLES,
    GROUPS,
    LISTENERS,
    LOAD_BALANCER,
    LOG_GROUPS,
    PARAMETERS,
    PIPELINE,
    PROFILES,
    PROVIDER,
    REPOSITORIES,
    ROLES,
    RULES,
    SERVER_ROLES,
    SESSIONS,
    TABLES,
    TARGET_GROUPS,
    TOPICS,
    ZONES,
)
from components.pipeline_preview import READS

OURS = {"StringEquals": {"aws:ResourceTag/Project": ("{project}",)}}
HERE = {"StringEquals": {"aws:RequestedRegion": ("{region}",)}}
RARE = "no setting of the recorded walk changes it; another change of the program may"
DRIFTED = "only a release moves weights; a run puts right what somebody has changed by hand"

NETWORK_MAKE = Statement(
    sid="MakeNetwork",
    reason="Makes networks, links and unlinks their parts; what is not there yet has no id to name, only a region.",
    actions=(
        "ec2:AllocateAddress",
        "ec2:AssociateAddress",
        "ec2:AssociateRouteTable",
        "ec2:AttachInternetGateway",
        "ec2:AuthorizeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:CreateFlowLogs",
        "ec2:CreateInternetGateway",
        "ec2:CreateLaunchTemplate",
        "ec2:CreateNatGateway",
        "ec2:CreateRoute",
        "ec2:CreateRouteTable",
        "ec2:CreateSecurityGroup",
        "ec2:CreateSubnet",
        "ec2:CreateTags",
        "ec2:CreateVpc",
        "ec2:CreateVpcEndpoint",
        "ec2:DisassociateAddress",
        "ec2:DisassociateRouteTable",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:RevokeSecurityGroupIngress",
        "ec2:RunInstances",
    ),
    conditions=HERE,
)
NETWORK_CHANGE = Statement(
    sid="ChangeNetwork",
    reason="Changes and removes networks, templates and servers, but only those with the project's tag.",
    actions=(
        "ec2:CreateLaunchTemplateVersion",
        "ec2:DeleteFlowLogs",
        "ec2:DeleteInternetGateway",
        "ec2:DeleteLaunchTemplate",
        "ec2:DeleteNatGateway",
        "ec2:DeleteRoute",
        "ec2:DeleteRouteTable",
        "ec2:DeleteSecurityGroup",
        "ec2:DeleteSubnet",
        "ec2:DeleteVpc",
        "ec2:DeleteVpcEndpoints",
        "ec2:DetachInternetGateway",
        "ec2:ModifyInstanceAttribute",
        "ec2:ModifySubnetAttribute",
        "ec2:ModifyVpcAttribute",
        "ec2:ReleaseAddress",
        "ec2:TerminateInstances",
    ),
    conditions=OURS,
    unseen={
        "ec2:DeleteTags": RARE,
        "ec2:ModifySecurityGroupRules": RARE,
        "ec2:ModifyVpcEndpoint": RARE,
    },
)
BALANCING = Statement(
    sid="Balancing",
    reason="Load balancer, both target groups, listeners and their rules.",
    actions=(
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:CreateListener",
        "elasticloadbalancing:CreateLoadBalancer",
        "elasticloadbalancing:CreateRule",
        "elasticloadbalancing:CreateTargetGroup",
        "elasticloadbalancing:DeleteListener",
        "elasticloadbalancing:DeleteLoadBalancer",
        "elasticloadbalancing:DeleteRule",
        "elasticloadbalancing:DeleteTargetGroup",
        "elasticloadbalancing:ModifyLoadBalancerAttributes",
        "elasticloadbalancing:ModifyTargetGroupAttributes",
    ),
    resources=(LOAD_BALANCER, TARGET_GROUPS, LISTENERS, RULES),
    unseen={
        "elasticloadbalancing:ModifyListener": DRIFTED,
        "elasticloadbalancing:ModifyRule": DRIFTED,
        "elasticloadbalancing:ModifyListenerAttributes": "pulumi-aws sets a listener's attributes with it",
        "elasticloadbalancing:ModifyTargetGroup": RARE,
        "elasticloadbalancing:RemoveTags": RARE,
        "elasticloadbalancing:SetSecurityGroups": RARE,
        "elasticloadbalancing:SetSubnets": RARE,
    },
)
SCALING = Statement(
    sid="Scaling",
    reason="The scaling groups of both colours.",
    actions=(
        "autoscaling:CreateAutoScalingGroup",
        "autoscaling:CreateOrUpdateTags",
        "autoscaling:DeleteAutoScalingGroup",
        "autoscaling:DeletePolicy",
        "autoscaling:PutScalingPolicy",
        "autoscaling:UpdateAutoScalingGroup",
    ),
    resources=GROUPS,
    unseen={"autoscaling:DeleteTags": RARE, "autoscaling:SetInstanceProtection": "pulumi-aws empties a group with it"},
)
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
    reason="Where the ledger is, and the test route's secret.",
    actions=("ssm:AddTagsToResource", "ssm:DeleteParameter", "ssm:PutParameter"),
    resources=(PARAMETERS + "/*",),
    unseen={"ssm:RemoveTagsFromResource": RARE},
)
IMAGES = Statement(
    sid="Images",
    reason="The registry, and pushing what was built.",
    actions=(
        "ecr:BatchCheckLayerAvailability",
        "ecr:CompleteLayerUpload",
        "ecr:CreateRepository",
        "ecr:DeleteLifecyclePolicy",
        "ecr:DeleteRepository",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:PutLifecyclePolicy",
        "ecr:TagResource",
        "ecr:UploadLayerPart",
    ),
    resources=(REPOSITORIES,),
    unseen={
        "ecr:GetDownloadUrlForLayer": "Docker takes layers of the image before as a cache",
        "ecr:UntagResource": RARE,
    },
)
INSTANCE_ROLES = Statement(
    sid="InstanceRoles",
    reason="Roles of servers and of flow logs, by the names of ours; none of the pipeline.",
    actions=(
        "iam:AddRoleToInstanceProfile",
        "iam:CreateInstanceProfile",
        "iam:CreateRole",
        "iam:DeleteInstanceProfile",
        "iam:DeleteRole",
        "iam:DeleteRolePolicy",
        "iam:ListInstanceProfilesForRole",
        "iam:PutRolePolicy",
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
SESSION_POLICY = Statement(
    sid="SessionPolicy",
    reason="Of AWS's own policies, servers get the one for SSM's sessions and no other.",
    actions=("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
    resources=ROLES,
    conditions={"ArnEquals": {"iam:PolicyARN": (SESSIONS,)}},
)
PASS_TO_SERVERS = Statement(
    sid="PassToServers",
    reason="Hands the servers' roles to EC2 and to nobody else.",
    actions=("iam:PassRole",),
    resources=SERVER_ROLES,
    conditions={"StringEquals": {"iam:PassedToService": ("ec2.amazonaws.com",)}},
)
PASS_TO_FLOW_LOGS = Statement(
    sid="PassToFlowLogs",
    reason="Hands the role of flow logs to the service that writes them.",
    actions=("iam:PassRole",),
    resources=FLOW_LOG_ROLES,
    conditions={"StringEquals": {"iam:PassedToService": ("vpc-flow-logs.amazonaws.com",)}},
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
    reason="Certificates with the project's tag; AWS draws their ids.",
    actions=("acm:DeleteCertificate",),
    resources=(CERTIFICATES,),
    conditions=OURS,
    unseen={"acm:RemoveTagsFromCertificate": RARE},
)
CERTIFICATE_MAKE = Statement(
    sid="CertificateMake",
    reason="Asks for a certificate, which must bear the project's tag.",
    actions=("acm:AddTagsToCertificate", "acm:RequestCertificate"),
    conditions={"StringEquals": {"aws:RequestTag/Project": ("{project}",)}},
)
RECORDS = Statement(
    sid="Records",
    reason="The service's records in its hosted zone.",
    actions=("route53:ChangeResourceRecordSets",),
    resources=(ZONES,),
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
NEVER_ITSELF = Statement(
    sid="NeverThePipeline",
    reason="Whatever else is allowed: the pipeline's roles, policies and issuer are not its own to change.",
    actions=("iam:*",),
    resources=PIPELINE + PROVIDER,
    denies=True,
)
DEPLOY = {
    "read": READS,
    "network": (NETWORK_MAKE, NETWORK_CHANGE, BALANCING, SCALING, NEVER_ITSELF),
    "service": (
        *(
            LEDGER,
            POINTERS,
            IMAGES,
            INSTANCE_ROLES,
            SESSION_POLICY,
            PASS_TO_SERVERS,
            PASS_TO_FLOW_LOGS,
            LOGS,
            LOG_BUCKET,
            LOG_OBJECTS,
        ),
        *(SIGHT, UNSUBSCRIBE, SYSTEM_IMAGE, CERTIFICATE, CERTIFICATE_MAKE, RECORDS, SERVICE_ROLES),
    ),
}
"""By name of policy."""
