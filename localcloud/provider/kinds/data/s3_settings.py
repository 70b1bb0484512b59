"""What is set on a bucket by a resource of its own. Their id is the bucket's name."""

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, no_other_keys
from localcloud.provider.kinds.common import by_id, deletes
from localcloud.provider.kinds.documents import literal, resource_policy
from localcloud.provider.values import Properties

BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
ENCRYPTION_NAMES = {
    "applyServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault",
    "sseAlgorithm": "SSEAlgorithm",
    "kmsMasterKeyId": "KMSMasterKeyID",
    "bucketKeyEnabled": "BucketKeyEnabled",
}


def the_bucket(change: Change, _: Any) -> str:
    """The id of whatever is set on a bucket."""
    return str(change.inputs["bucket"])


def with_bucket(path: str) -> Callable[[Change], str]:
    """JMESPath of what an answer holds at a path, put beside the bucket's name, which no answer tells."""
    return lambda change: f"{path} && {{Found: {path}, Bucket: {literal(change.id)}}}"


def _puts(method: str, wanted: Callable[[Change], dict[str, Any]], *of: str) -> Step:
    def run(change: Change) -> None:
        change.call(method, Bucket=change.id, **wanted(change))

    return Step(frozenset(of), run)


BUCKET_POLICY = AwsType(
    token="aws:s3/bucketPolicy:BucketPolicy",
    service="s3",
    properties={
        "bucket": Prop(required=True),
        "policy": Prop(required=True, read="Found"),
    },
    create=Create("put_bucket_policy", the_bucket),
    reads=(Read("get_bucket_policy", by_id("Bucket"), with_bucket("Policy")),),
    steps=(_puts("put_bucket_policy", lambda change: {"Policy": change.inputs["policy"]}, "policy"),),
    delete=deletes("delete_bucket_policy", "Bucket"),
    rules=(resource_policy("policy", 20480),),
)


def _block(change: Change) -> dict[str, Any]:
    flags = {name[0].upper() + name[1:]: bool(change.inputs[name]) for name in BLOCKS}
    return {"PublicAccessBlockConfiguration": flags}


PUBLIC_ACCESS_BLOCK = AwsType(
    token="aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    service="s3",
    properties={
        "bucket": Prop(required=True),
        **{name: Prop(default=False, read=f"Found.{name[0].upper()}{name[1:]}") for name in BLOCKS},
        "skipDestroy": Prop(default=False, local=True),
    },
    create=Create("put_public_access_block", the_bucket, extra=_block, of=frozenset(BLOCKS)),
    reads=(Read("get_public_access_block", by_id("Bucket"), with_bucket("PublicAccessBlockConfiguration")),),
    steps=(_puts("put_public_access_block", _block, *BLOCKS),),
    delete=lambda change: None if change.inputs.get("skipDestroy") else _unblocks(change),
)


def _unblocks(change: Change) -> None:
    change.call("delete_public_access_block", Bucket=change.id)


def _encryption(change: Change) -> dict[str, Any]:
    rules = [{ENCRYPTION_NAMES[key]: _in_aws(value) for key, value in rule.items()} for rule in change.inputs["rules"]]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _in_aws(value: Any) -> Any:
    return {ENCRYPTION_NAMES[key]: item for key, item in value.items()} if isinstance(value, Mapping) else value


def _known_encryption(inputs: Properties) -> Failures:
    for rule in inputs.get("rules", []):
        by_default = rule.get("applyServerSideEncryptionByDefault") or {}
        algorithm = by_default.get("sseAlgorithm")
        if algorithm not in ("AES256", "aws:kms", "aws:kms:dsse"):
            yield "rules", f"sseAlgorithm must be one of AES256, aws:kms, aws:kms:dsse, got {algorithm!r}"
        if algorithm == "AES256" and by_default.get("kmsMasterKeyId"):
            yield "rules", "kmsMasterKeyId must not be given with sseAlgorithm AES256"
        for key in sorted((rule.keys() | by_default.keys()) - ENCRYPTION_NAMES.keys()):
            yield "rules", f"the embedded cloud does not apply rules.{key}"


ENCRYPTION = AwsType(
    token="aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    service="s3",
    properties={
        "bucket": Prop(required=True),
        "rules": Prop(required=True, read="Found", names=ENCRYPTION_NAMES),
    },
    create=Create("put_bucket_encryption", the_bucket, extra=_encryption, of=frozenset({"rules"})),
    reads=(Read("get_bucket_encryption", by_id("Bucket"), with_bucket("ServerSideEncryptionConfiguration.Rules")),),
    steps=(_puts("put_bucket_encryption", _encryption, "rules"),),
    delete=deletes("delete_bucket_encryption", "Bucket"),
    rules=(_known_encryption,),
    gone=frozenset({"ServerSideEncryptionConfigurationNotFoundError"}),
)


def _ownership(change: Change) -> dict[str, Any]:
    return {"OwnershipControls": {"Rules": [{"ObjectOwnership": change.inputs["rule"]["objectOwnership"]}]}}


OWNERSHIP = AwsType(
    token="aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    service="s3",
    properties={"bucket": Prop(required=True), "rule": Prop(required=True, read="Found")},
    create=Create("put_bucket_ownership_controls", the_bucket, extra=_ownership, of=frozenset({"rule"})),
    reads=(Read("get_bucket_ownership_controls", by_id("Bucket"), with_bucket("OwnershipControls.Rules[0]")),),
    steps=(_puts("put_bucket_ownership_controls", _ownership, "rule"),),
    delete=deletes("delete_bucket_ownership_controls", "Bucket"),
    rules=(
        no_other_keys("rule", "objectOwnership"),
        among("rule.objectOwnership", "BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"),
    ),
)


def _versioning(change: Change) -> dict[str, Any]:
    return {"VersioningConfiguration": {"Status": change.inputs["versioningConfiguration"]["status"]}}


def _suspends(change: Change) -> None:
    """A bucket that ever kept versions can stop, but never be as if it had not."""
    if change.inputs.get("versioningConfiguration", {}).get("status") == "Enabled":
        change.call("put_bucket_versioning", Bucket=change.id, VersioningConfiguration={"Status": "Suspended"})


def _versions_now(change: Change) -> str:
    return f"{{Status: Status, Bucket: {literal(change.id)}}}"


VERSIONING = AwsType(
    token="aws:s3/bucketVersioning:BucketVersioning",
    service="s3",
    properties={
        "bucket": Prop(required=True),
        "versioningConfiguration": Prop(required=True, read="{Status: Status}"),
    },
    create=Create("put_bucket_versioning", the_bucket, extra=_versioning, of=frozenset({"versioningConfiguration"})),
    reads=(Read("get_bucket_versioning", by_id("Bucket"), _versions_now),),
    steps=(_puts("put_bucket_versioning", _versioning, "versioningConfiguration"),),
    delete=_suspends,
    rules=(
        no_other_keys("versioningConfiguration", "status"),
        among("versioningConfiguration.status", "Enabled", "Suspended"),
    ),
)

TYPES = (BUCKET_POLICY, PUBLIC_ACCESS_BLOCK, ENCRYPTION, OWNERSHIP, VERSIONING)
