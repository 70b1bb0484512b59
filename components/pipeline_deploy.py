"""What the deploy role may do: bring environments up, change them, take them down. Here: networks and balancing."""

from .permissions import Statement
from .pipeline_places import (
    GROUPS,
    HERE,
    LISTENERS,
    LOAD_BALANCER,
    NO_VOLUME,
    OURS,
    PIPELINE,
    PROVIDER,
    RARE,
    RULES,
    TARGET_GROUPS,
)
from .pipeline_preview import LOOK_AT_HEALTH, LOOK_AT_IMAGE, NAMED_READS, READS
from .pipeline_service import SERVICE, UPKEEP

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
        "ec2:CreateVpc",
        "ec2:CreateVpcEndpoint",
        "ec2:DisassociateAddress",
        "ec2:DisassociateRouteTable",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:RevokeSecurityGroupIngress",
        "ec2:RunInstances",
    ),
    conditions=HERE,
    unseen={"ec2:CreateVolume": NO_VOLUME},
)
NETWORK_CHANGE = Statement(
    sid="ChangeNetwork",
    reason="Changes and removes networks, templates and servers, but only those with the tags of an environment here.",
    actions=(
        "ec2:CreateLaunchTemplateVersion",
        "ec2:CreateTags",
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
        "ec2:DeleteVolume": NO_VOLUME,
        "ec2:ModifyVolume": NO_VOLUME,
        "ec2:ModifySecurityGroupRules": RARE,
        "ec2:ModifyVpcEndpoint": RARE,
    },
)
TAGS_AT_BIRTH = Statement(
    sid="TagsAtBirth",
    reason="Tags on what is being made; on others, whoever may tag could make them count as the project's.",
    actions=("ec2:CreateTags",),
    conditions={"Null": {"ec2:CreateAction": ("false",)}},
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
OF_A_SWARM = "a swarm's managers are not moved between zones, and the recorded stacks have no swarm"
SCALING = Statement(
    sid="Scaling",
    reason="The scaling groups of servers, and the hooks by which these say that they are ready.",
    actions=(
        "autoscaling:CreateAutoScalingGroup",
        "autoscaling:CreateOrUpdateTags",
        "autoscaling:DeleteAutoScalingGroup",
        "autoscaling:DeleteLifecycleHook",
        "autoscaling:DeletePolicy",
        "autoscaling:PutLifecycleHook",
        "autoscaling:PutScalingPolicy",
        "autoscaling:UpdateAutoScalingGroup",
    ),
    resources=GROUPS,
    unseen={
        "autoscaling:DeleteTags": RARE,
        "autoscaling:ResumeProcesses": OF_A_SWARM,
        "autoscaling:SetInstanceProtection": "pulumi-aws empties a group with it",
        "autoscaling:SuspendProcesses": OF_A_SWARM,
    },
)
NEVER_ITSELF = Statement(
    sid="NeverThePipeline",
    reason="Whatever else is allowed: the pipeline's roles, policies and issuer are not its own to change.",
    actions=("iam:*",),
    resources=PIPELINE + PROVIDER,
    denies=True,
)
DEPLOY = {
    "read": (*READS, LOOK_AT_IMAGE, LOOK_AT_HEALTH),  # of the image that it brings, and of who is to release it
    "read-named": NAMED_READS,
    "network": (NETWORK_MAKE, TAGS_AT_BIRTH, NETWORK_CHANGE, BALANCING, SCALING, NEVER_ITSELF),
    "service": SERVICE,
    "upkeep": UPKEEP,
}
"""By name of policy."""
