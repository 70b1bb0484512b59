"""IAM's customer-managed policies."""

from typing import Any

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Prop, Read, Step
from localcloud.provider.kinds.common import by_id
from localcloud.provider.kinds.data.iam_common import GONE, named, path
from localcloud.provider.kinds.documents import as_text, identity_policy
from localcloud.provider.tags import listed_tags

MOST_VERSIONS = 5  # that IAM keeps of a policy


def _versions(change: Change) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = change.call("list_policy_versions", PolicyArn=change.id)["Versions"]
    return found


def _adds_version(change: Change) -> None:
    versions = _versions(change)
    if len(versions) >= MOST_VERSIONS:
        oldest = min((old for old in versions if not old["IsDefaultVersion"]), key=lambda old: old["CreateDate"])
        change.call("delete_policy_version", PolicyArn=change.id, VersionId=oldest["VersionId"])
    change.call("create_policy_version", PolicyArn=change.id, PolicyDocument=change.inputs["policy"], SetAsDefault=True)


def _deletes(change: Change) -> None:
    for version in _versions(change):
        if not version["IsDefaultVersion"]:
            change.call("delete_policy_version", PolicyArn=change.id, VersionId=version["VersionId"])
    change.call("delete_policy", PolicyArn=change.id)


POLICY = AwsType(
    token="aws:iam/policy:Policy",
    service="iam",
    properties={
        "policy": Prop(at="PolicyDocument", required=True, read=as_text("Document")),
        "name": Prop(at="PolicyName"),
        "path": Prop(default="/"),
        "description": Prop(),
        "tags": Prop(),
    },
    create=Create("create_policy", "Policy.Arn"),
    reads=(
        Read("get_policy", by_id("PolicyArn"), "Policy"),
        Read("list_policy_versions", by_id("PolicyArn"), "Versions[?IsDefaultVersion] | [0].{Document: Document}"),
    ),
    steps=(Step(frozenset({"policy"}), _adds_version),),
    delete=_deletes,
    outputs={"arn": "Arn", "policyId": "PolicyId"},
    tags=listed_tags("tag_policy", "untag_policy", "PolicyArn", "TagKeys"),
    name=AutoName("name", 128),
    rules=(named(128), path(), identity_policy("policy", 6144)),
    gone=GONE,
)

TYPES = (POLICY,)
