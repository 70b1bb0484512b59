"""All rules, by subject; a new module is named here."""

from policy.rule import Rule
from policy.rules import (
    access,
    balancing,
    buckets,
    containers,
    keys,
    network,
    registry,
    scaling,
    servers,
    watching,
)

SUBJECTS = (network, servers, scaling, balancing, registry, access, keys, buckets, watching, containers)
RULES: tuple[Rule, ...] = tuple(
    sorted(
        (value for subject in SUBJECTS for value in vars(subject).values() if isinstance(value, Rule)),
        key=lambda rule: rule.row,
    )
)
"""Every rule once, by row of the checklist."""
