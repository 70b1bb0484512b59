"""How requests arrive and what serves them: load balancing, scaling, registry, certificates, names."""

from localcloud.provider.kind import AwsType
from localcloud.provider.kinds.delivery import (
    certificates,
    dns,
    lifecycle_hooks,
    listener_rules,
    listeners,
    load_balancers,
    repositories,
    scaling_groups,
    scaling_policies,
    target_groups,
)
from localcloud.provider.kinds.delivery.lookups import LOOKUPS

__all__ = ["LOOKUPS", "TYPES"]

TYPES: tuple[AwsType, ...] = (
    *certificates.TYPES,
    *dns.TYPES,
    *lifecycle_hooks.TYPES,
    *listener_rules.TYPES,
    *listeners.TYPES,
    *load_balancers.TYPES,
    *repositories.TYPES,
    *scaling_groups.TYPES,
    *scaling_policies.TYPES,
    *target_groups.TYPES,
)
