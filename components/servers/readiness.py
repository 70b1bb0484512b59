"""How a scaling group learns that an instance serves: a launching hook, which the instance itself completes.

Until then the instance is in no target group, and one that does not get there in time is given up and replaced.
"""

import json

from pulumi_aws import autoscaling, iam

from ..boot.instance_boot import HOOK
from ..children import Children

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
GIVE_UP = "ABANDON"


def first_hook(boot_seconds: int) -> autoscaling.GroupInitialLifecycleHookArgsDict:
    """The hook for instances that start with the group itself, before any other resource can be there."""
    return {
        "name": HOOK,
        "lifecycle_transition": LAUNCHING,
        "default_result": GIVE_UP,
        "heartbeat_timeout": boot_seconds,
    }


def ready_hook(
    children: Children, role: iam.Role, group: autoscaling.Group, boot_seconds: int
) -> autoscaling.LifecycleHook:
    """The hook for all instances, and the right to complete it, for instances with this role and in this group."""
    iam.RolePolicy(
        children.name("tell-ready"),
        role=role.name,
        policy=group.arn.apply(tell_policy),
        opts=children.options(),
    )
    return autoscaling.LifecycleHook(
        children.name(HOOK),
        name=HOOK,
        autoscaling_group_name=group.name,
        lifecycle_transition=LAUNCHING,
        default_result=GIVE_UP,
        heartbeat_timeout=boot_seconds,
        opts=children.options(),
    )


def tell_policy(group_arn: str) -> str:
    """Lets an instance ask what its group waits for, and complete this group's hooks, as JSON."""
    ask = {
        "Sid": "Ask",  # IAM narrows no Describe of this service
        "Effect": "Allow",
        "Action": "autoscaling:DescribeAutoScalingInstances",
        "Resource": "*",
    }
    tell = {
        "Sid": "Tell",
        "Effect": "Allow",
        "Action": "autoscaling:CompleteLifecycleAction",
        "Resource": group_arn,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [ask, tell]})
