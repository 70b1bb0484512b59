"""KMS keys and their aliases."""

import json
from typing import Any

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, spelled, whole
from localcloud.provider.kinds.common import ACCOUNT_ID, applies, by_id, deletes
from localcloud.provider.kinds.documents import literal, resource_policy
from localcloud.provider.tags import listed_tags
from localcloud.provider.values import Properties

SYMMETRIC = "SYMMETRIC_DEFAULT"
SPECS = (
    SYMMETRIC,
    *("RSA_2048", "RSA_3072", "RSA_4096"),
    *("ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1"),
    *("HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512"),
)
ALIAS_NAME = r"alias/(?!aws/)[A-Za-z0-9/_-]{1,250}"


def default_policy() -> str:
    """The policy that KMS gives a key by itself: everything, to whom the account's own policies allow it."""
    statement = {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [statement]})


def _describes(change: Change) -> None:
    change.call("update_key_description", KeyId=change.id, Description=change.inputs.get("description", ""))


def _permits(change: Change) -> None:
    policy = change.inputs.get("policy") or default_policy()
    change.call("put_key_policy", KeyId=change.id, PolicyName="default", Policy=policy)


def _rotates(change: Change) -> None:
    if change.inputs["enableKeyRotation"]:
        days = change.inputs.get("rotationPeriodInDays")
        change.call("enable_key_rotation", KeyId=change.id, RotationPeriodInDays=int(days) if days else None)
    elif change.olds.get("enableKeyRotation"):
        change.call("disable_key_rotation", KeyId=change.id)


def _enables(change: Change) -> None:
    change.call("enable_key" if change.inputs["isEnabled"] else "disable_key", KeyId=change.id)


def _deletes_key(change: Change) -> None:
    days = change.inputs.get("deletionWindowInDays")
    change.call("schedule_key_deletion", KeyId=change.id, PendingWindowInDays=int(days) if days else None)


def _rotation_fits(inputs: Properties) -> Failures:
    if inputs.get("enableKeyRotation") and inputs.get("customerMasterKeySpec") not in (None, SYMMETRIC):
        yield "enableKeyRotation", f"enableKeyRotation must be false for a key of {inputs['customerMasterKeySpec']}"
    if "rotationPeriodInDays" in inputs and inputs.get("enableKeyRotation") is False:
        yield "rotationPeriodInDays", "rotationPeriodInDays must not be given without enableKeyRotation"


KEY = AwsType(
    token="aws:kms/key:Key",
    service="kms",
    properties={
        "description": Prop(resettable=True),
        "policy": Prop(resettable=True, read="Policy"),
        "keyUsage": Prop(default="ENCRYPT_DECRYPT"),
        "customerMasterKeySpec": Prop(at="KeySpec", default=SYMMETRIC),
        "multiRegion": Prop(default=False),
        "enableKeyRotation": Prop(default=False, read="Rotation.KeyRotationEnabled"),
        "rotationPeriodInDays": Prop(resettable=True, read="Rotation.RotationPeriodInDays"),
        "isEnabled": Prop(default=True, read="Enabled"),
        "deletionWindowInDays": Prop(local=True),
        "tags": Prop(),
    },
    create=Create("create_key", "KeyMetadata.KeyId"),
    reads=(
        Read("describe_key", by_id("KeyId"), "KeyMetadata", gone_if="contains(KeyState, 'Deletion')"),
        Read("get_key_policy", lambda change: {"KeyId": change.id, "PolicyName": "default"}),
        Read("get_key_rotation_status", by_id("KeyId"), into="Rotation"),
        Read("list_resource_tags", by_id("KeyId")),
    ),
    steps=(
        Step(frozenset({"description"}), _describes),
        Step(frozenset({"policy"}), _permits),
        Step(frozenset({"enableKeyRotation", "rotationPeriodInDays"}), _rotates),
        Step(frozenset({"isEnabled"}), _enables),
    ),
    delete=_deletes_key,
    outputs={"arn": "Arn", "keyId": "KeyId"},
    tags=listed_tags("tag_resource", "untag_resource", "KeyId", "TagKeys", pair=("TagKey", "TagValue")),
    rules=(
        among("keyUsage", "ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC"),
        among("customerMasterKeySpec", *SPECS),
        whole("deletionWindowInDays", 7, 30),
        whole("rotationPeriodInDays", 90, 2560),
        spelled("description", r"(?s).{0,8192}", "at most 8192 characters"),
        resource_policy("policy", 32768),
        _rotation_fits,
    ),
    gone=frozenset({"KMSInvalidStateException"}),  # deleted already, and lingering
)


def _same_key(declared: Any, actual: Any) -> bool:
    """A key's ARN and its id mean the same."""
    return str(declared).rsplit("/", 1)[-1] == str(actual).rsplit("/", 1)[-1]


ALIAS = AwsType(
    token="aws:kms/alias:Alias",
    service="kms",
    properties={
        "name": Prop(at="AliasName"),
        "targetKeyId": Prop(required=True, holds=_same_key),
    },
    create=Create("create_alias", lambda change, _: str(change.inputs["name"])),
    reads=(
        Read(
            "list_aliases",
            lambda change: {"Limit": 100},
            lambda change: f"Aliases[?AliasName=={literal(change.id)}] | [0]",
        ),
    ),
    steps=(applies("update_alias", "AliasName", "targetKeyId"),),
    delete=deletes("delete_alias", "AliasName"),
    outputs={
        "arn": "AliasArn",
        "targetKeyArn": lambda change, found: (
            f"arn:aws:kms:{change.api.region}:{ACCOUNT_ID}:key/{found['TargetKeyId']}"
        ),
    },
    name=AutoName("name", 256, prefix="alias/"),
    rules=(spelled("name", ALIAS_NAME, "alias/ and 1 to 250 letters, digits, slashes, hyphens or underscores"),),
)

TYPES = (KEY, ALIAS)
