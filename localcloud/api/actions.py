"""API operations in IAM's words: the actions that a call needs, and the resources that it needs them on.

Most operations bear their action's name. Where they do not, the tables below say so, from AWS's Service Authorization
Reference (the pages "Actions, resources, and condition keys" of each service), "Required permissions for Amazon S3 API
operations" (S3 user guide), "DynamoDB API permissions" (IAM and transactions) and "Amazon EC2 Auto Scaling API
permissions" (dependent actions of other services).
"""

from collections.abc import Iterator

from localcloud.api.calls import Call, flat
from localcloud.api.resources import UNTOLD, arn, resources

Grant = tuple[str, str]
"""Action, and the ARN that it is needed on."""

PREFIXES = {"monitoring": "cloudwatch"}
"""IAM's name of a service, where requests are signed for another."""
RENAMED = {
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:HeadObject": "s3:GetObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:GetBucketLifecycle": "s3:GetLifecycleConfiguration",
    "s3:PutBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "s3:DeleteBucketTagging": "s3:PutBucketTagging",
}
"""Actions whose name is not their operation's."""
TAGGED = {
    "ec2": "ec2:CreateTags",
    "elasticloadbalancing": "elasticloadbalancing:AddTags",
    "dynamodb:CreateTable": "dynamodb:TagResource",
    "ssm:PutParameter": "ssm:AddTagsToResource",
    "ecr:CreateRepository": "ecr:TagResource",
    "sns:CreateTopic": "sns:TagResource",
    "logs:CreateLogGroup": "logs:TagResource",
    "kms:CreateKey": "kms:TagResource",
    "cloudwatch:PutMetricAlarm": "cloudwatch:TagResource",
    "acm:RequestCertificate": "acm:AddTagsToCertificate",
    "autoscaling:CreateAutoScalingGroup": "autoscaling:CreateOrUpdateTags",
    "iam:CreateRole": "iam:TagRole",
    "iam:CreatePolicy": "iam:TagPolicy",
    "iam:CreateInstanceProfile": "iam:TagInstanceProfile",
    "iam:CreateOpenIDConnectProvider": "iam:TagOpenIDConnectProvider",
}
"""What else a call needs that makes something with tags; by service or by action."""
DEPENDENT = {
    "autoscaling:CreateAutoScalingGroup": ("ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"),
    "autoscaling:UpdateAutoScalingGroup": ("ec2:RunInstances", "ec2:CreateTags", "iam:PassRole"),
    "ec2:CreateFlowLogs": ("iam:PassRole",),
    "ec2:RunInstances": ("iam:PassRole",),
    "iam:AddRoleToInstanceProfile": ("iam:PassRole",),
}
"""What AWS checks as well, of the same caller: a group launches from a template that names a role. On which one the
request does not tell, but for AddRoleToInstanceProfile and CreateFlowLogs."""
IN_A_TRANSACTION = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Get": "dynamodb:GetItem",
}
NEEDS_NOTHING = frozenset({"sts:GetCallerIdentity"})
"""Open to everybody who has credentials."""


def grants(call: Call) -> list[Grant]:
    """Everything that the caller must be allowed for this call, each once."""
    return list(dict.fromkeys(_grants(call)))


def _grants(call: Call) -> Iterator[Grant]:
    if call.service == "dynamodb" and call.operation.startswith("Transact"):
        yield from _of_transaction(call)
        return
    action = action_of(call)
    if action in NEEDS_NOTHING:
        return
    for resource in resources(call, action):
        yield action, resource
        yield from _for_tags(call, action, resource)
    for other in DEPENDENT.get(action, ()):
        for resource in _passed(call) if other == "iam:PassRole" else (UNTOLD,):
            yield other, resource


def action_of(call: Call) -> str:
    """The action that is named after the call, or takes its place."""
    service = PREFIXES.get(call.service, call.service)
    named = f"{service}:{call.operation}"
    return RENAMED.get(named, named)


def _for_tags(call: Call, action: str, resource: str) -> Iterator[Grant]:
    service, _, operation = action.partition(":")
    tagging = TAGGED.get(action) or (
        TAGGED.get(service) if operation.startswith(("Create", "Run", "Allocate")) else None
    )
    is_tagging = operation in ("CreateTags", "AddTags")
    if tagging and call.has_tags and not is_tagging:
        yield tagging, resource if service != "elasticloadbalancing" else UNTOLD


def _of_transaction(call: Call) -> Iterator[Grant]:
    for item in call.parameters.get("TransactItems", ()):
        for kind, about in item.items():
            yield IN_A_TRANSACTION[kind], arn(call, "table", str(about["TableName"]))


def _passed(call: Call) -> tuple[str, ...]:
    found = tuple(flat(call.parameters, "DeliverLogsPermissionArn"))
    if call.service == "iam":
        found = tuple(arn(call, "role", name) for name in flat(call.parameters, "RoleName"))
    return found or (UNTOLD,)
