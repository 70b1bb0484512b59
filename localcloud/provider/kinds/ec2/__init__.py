"""Networks, instances and what they are started from."""

from localcloud.provider.kind import AwsType
from localcloud.provider.kinds.ec2 import (
    endpoints,
    gateways,
    group_rules,
    instances,
    launch_template,
    routes,
    security_groups,
    subnet,
    volumes,
    vpc,
)
from localcloud.provider.kinds.ec2.lookups import LOOKUPS

__all__ = ["LOOKUPS", "TYPES"]

TYPES: tuple[AwsType, ...] = (
    *endpoints.TYPES,
    *gateways.TYPES,
    *group_rules.TYPES,
    *instances.TYPES,
    *launch_template.TYPES,
    *routes.TYPES,
    *security_groups.TYPES,
    *subnet.TYPES,
    *volumes.TYPES,
    *vpc.TYPES,
)
