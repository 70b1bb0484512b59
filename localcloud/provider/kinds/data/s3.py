"""S3 buckets."""

from typing import Any

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Prop, Read, Tags
from localcloud.provider.kinds.bounds import spelled
from localcloud.provider.kinds.common import by_id
from localcloud.provider.kinds.documents import literal
from localcloud.provider.tags import as_list, as_map

NEVER = r"(?!xn--|sthree-|amzn-s3-demo-)(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)(?!.*(?:-s3alias|--ol-s3)$)"
"""What S3 keeps for itself, addresses, and empty parts."""
NAME = NEVER + r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
NAME_MEANING = "3 to 63 lower-case letters, digits, dots or hyphens, like a host name and unlike an address"
DELETE_BATCH = 1000  # objects, the most that one call deletes
ELSEWHERE = "us-east-1"
"""The region that is no location constraint."""


def _place(change: Change) -> dict[str, Any]:
    region = change.api.region
    return {} if region == ELSEWHERE else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def _put_tags(change: Change, *_: Any) -> None:
    """S3 knows only whole sets of tags."""
    tags = change.inputs.get("tags")
    if tags:
        change.call("put_bucket_tagging", Bucket=change.id, Tagging={"TagSet": as_list(tags)})
    else:
        change.call("delete_bucket_tagging", Bucket=change.id)


def _empties(change: Change) -> None:
    for kind in ("Versions", "DeleteMarkers"):
        found = change.api.pages("s3", "list_object_versions", kind, Bucket=change.id)
        keys = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        for start in range(0, len(keys), DELETE_BATCH):
            batch = {"Objects": keys[start : start + DELETE_BATCH], "Quiet": True}
            change.call("delete_objects", Bucket=change.id, Delete=batch)


def _deletes(change: Change) -> None:
    if change.inputs.get("forceDestroy"):
        _empties(change)
    change.call("delete_bucket", Bucket=change.id)


def _regional_name(change: Change, _: Any) -> str:
    return f"{change.id}.s3.{change.api.region}.amazonaws.com"


def _head(change: Change) -> str:
    return f"{{Bucket: {literal(change.id)}}}"  # S3 answers with nothing but success


BUCKET = AwsType(
    token="aws:s3/bucket:Bucket",
    service="s3",
    properties={
        "bucket": Prop(read="Bucket"),
        "forceDestroy": Prop(default=False, local=True),
        "tags": Prop(),
    },
    create=Create("create_bucket", lambda change, _: str(change.inputs["bucket"]), extra=_place),
    reads=(
        Read("head_bucket", by_id("Bucket"), _head),
        Read("get_bucket_tagging", by_id("Bucket"), "{Tags: TagSet}"),
    ),
    delete=_deletes,
    outputs={
        "arn": lambda change, _: f"arn:aws:s3:::{change.id}",
        "bucketDomainName": lambda change, _: f"{change.id}.s3.amazonaws.com",
        "bucketRegion": lambda change, _: change.api.region,
        "bucketRegionalDomainName": _regional_name,
    },
    tags=Tags(lambda change: {}, lambda _, found: as_map(found.get("Tags")), _put_tags, late=True),
    name=AutoName("bucket", 63, is_lower=True),
    rules=(spelled("bucket", NAME, NAME_MEANING),),
    gone=frozenset({"404"}),
)

TYPES = (BUCKET,)
