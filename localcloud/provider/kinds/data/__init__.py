"""What is kept and who may: identity, buckets, tables, logs, alarms, parameters, keys."""

from localcloud.provider.kind import AwsType
from localcloud.provider.kinds.data import (
    alarms,
    dashboards,
    dynamodb,
    dynamodb_items,
    kms,
    logs,
    oidc_providers,
    policies,
    roles,
    s3,
    s3_lifecycle,
    s3_settings,
    sns,
    ssm,
)
from localcloud.provider.kinds.data.lookups import LOOKUPS

__all__ = ["LOOKUPS", "TYPES"]

TYPES: tuple[AwsType, ...] = (
    *alarms.TYPES,
    *dashboards.TYPES,
    *dynamodb.TYPES,
    *dynamodb_items.TYPES,
    *kms.TYPES,
    *logs.TYPES,
    *oidc_providers.TYPES,
    *policies.TYPES,
    *roles.TYPES,
    *s3.TYPES,
    *s3_lifecycle.TYPES,
    *s3_settings.TYPES,
    *sns.TYPES,
    *ssm.TYPES,
)
