"""Which resources a call is about, as ARNs, read off its parameters."""

from collections.abc import Iterator, Mapping

from localcloud.api.calls import Call, flat

ACCOUNT_ID = "123456789012"
"""The one account of the embedded cloud (moto's own default)."""
EVERYTHING = "*"
"""Where IAM knows no narrower resource for an action."""
UNTOLD = "?"
"""Where it does, and the request does not tell which."""

ARNS = {
    "table": "arn:aws:dynamodb:{region}:{account}:table/{name}",
    "role": "arn:aws:iam::{account}:role/{name}",
    "instance-profile": "arn:aws:iam::{account}:instance-profile/{name}",
    "policy": "arn:aws:iam::{account}:policy/{name}",
    "parameter": "arn:aws:ssm:{region}:{account}:parameter{name}",
    "public-parameter": "arn:aws:ssm:{region}::parameter{name}",
    "repository": "arn:aws:ecr:{region}:{account}:repository/{name}",
    "log-group": "arn:aws:logs:{region}:{account}:log-group:{name}",
    "topic": "arn:aws:sns:{region}:{account}:{name}",
    "alarm": "arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
    "dashboard": "arn:aws:cloudwatch::{account}:dashboard/{name}",
    "scaling-group": "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:*:autoScalingGroupName/{name}",
    "target-group": "arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{name}/*",
    "load-balancer": "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/*",
    "bucket": "arn:aws:s3:::{name}",
    "hosted-zone": "arn:aws:route53:::hostedzone/{name}",
    "change": "arn:aws:route53:::change/{name}",
    "key": "arn:aws:kms:{region}:{account}:key/{name}",
    "whole": "{name}",
}
ABOUT: Mapping[str, tuple[tuple[str, str], ...]] = {
    "dynamodb": (("TableName", "table"), ("ResourceArn", "whole")),
    "ecr": (("repositoryName", "repository"), ("repositoryNames", "repository"), ("resourceArn", "whole")),
    "iam": (
        ("InstanceProfileName", "instance-profile"),
        ("RoleName", "role"),
        ("PolicyName", "policy"),
        ("PolicyArn", "whole"),
        ("OpenIDConnectProviderArn", "whole"),
    ),
    "logs": (("logGroupName", "log-group"), ("resourceArn", "whole")),
    "ssm": (("Name", "parameter"), ("Names", "parameter"), ("Path", "parameter"), ("ResourceId", "parameter")),
    "sns": (("TopicArn", "whole"), ("ResourceArn", "whole"), ("Name", "topic")),
    "cloudwatch": (
        ("AlarmName", "alarm"),
        ("AlarmNames", "alarm"),
        ("DashboardName", "dashboard"),
        ("DashboardNames", "dashboard"),
        ("ResourceARN", "whole"),
    ),
    "autoscaling": (("AutoScalingGroupName", "scaling-group"), ("Tags.member.1.ResourceId", "scaling-group")),
    "elasticloadbalancing": (
        ("RuleArn", "whole"),
        ("ListenerArn", "whole"),
        ("TargetGroupArn", "whole"),
        ("LoadBalancerArn", "whole"),
        ("ResourceArns", "whole"),
    ),
    "kms": (("KeyId", "key"),),
    "acm": (("CertificateArn", "whole"),),
    "s3": (("Bucket", "bucket"),),
    "route53": (("Id", "hosted-zone"), ("HostedZoneId", "hosted-zone"), ("ResourceId", "hosted-zone")),
}
"""By service, the parameters that may name the resource, the first that is given first."""
OTHERWISE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "elasticloadbalancing:CreateTargetGroup": (("Name", "target-group"),),
    "elasticloadbalancing:CreateLoadBalancer": (("Name", "load-balancer"),),
    "route53:GetChange": (("Id", "change"),),
}
"""Calls whose parameters mean something else than in the rest of their service."""
KNOWS_NO_RESOURCE = frozenset(
    {
        "ecr:GetAuthorizationToken",
        "ssm:DescribeParameters",
        "logs:DescribeLogGroups",
        "acm:RequestCertificate",
        "acm:ListCertificates",
    }
)
"""Actions that IAM takes for all resources or none, and whose parameters might say otherwise."""
WITHOUT_RESOURCES = {"autoscaling": "Describe", "elasticloadbalancing": "Describe", "ec2": "Describe"}
"""Services of which IAM takes the actions that begin so for all resources only."""
SILENT = frozenset({"ec2"})
"""Services whose other calls are about resources that a policy can't name beforehand: ids alone."""
AWS_OWN = "/aws/service/"


def resources(call: Call, action: str) -> list[str]:
    """The ARNs that a call is about, or [EVERYTHING], or [UNTOLD]."""
    service, _, operation = action.partition(":")
    beginning = WITHOUT_RESOURCES.get(service)
    if action in KNOWS_NO_RESOURCE or (beginning and operation.startswith(beginning)):
        return [EVERYTHING]
    otherwise = UNTOLD if service in SILENT else EVERYTHING
    return list(_named(call, OTHERWISE.get(action) or ABOUT.get(service, ()))) or [otherwise]


def _named(call: Call, about: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for parameter, kind in about:
        found = list(flat(call.parameters, parameter))
        for name in found:
            yield arn(call, kind, _with_key(call, name) if kind == "bucket" else name)
        if found:
            return


def _with_key(call: Call, bucket: str) -> str:
    key = call.parameters.get("Key")
    return f"{bucket}/{key}" if key else bucket


def arn(call: Call, kind: str, name: str) -> str:
    """The ARN of a resource of that kind in the call's region; a name that is an ARN is taken for it."""
    if name.startswith("arn:"):
        return name
    if kind == "parameter":
        kind = "public-parameter" if name.startswith(AWS_OWN) else kind
    return ARNS[kind].format(region=call.region, account=ACCOUNT_ID, name=name)
