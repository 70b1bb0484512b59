"""IAM roles, their policies, and the instance profiles that hand them to machines."""

from collections.abc import Callable
from typing import Any

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import spelled, whole
from localcloud.provider.kinds.common import by_id, deletes_by
from localcloud.provider.kinds.data.iam_common import GONE, arn, named, path
from localcloud.provider.kinds.documents import as_text, identity_policy, literal, trust_policy
from localcloud.provider.tags import listed_tags
from localcloud.provider.values import Properties


def _describes_role(change: Change) -> None:
    wanted = {"Description": change.inputs.get("description", "")} | change.parameters("update_role")
    change.call("update_role", **{**wanted, "RoleName": change.id})


def _bounds_role(change: Change) -> None:
    boundary = change.inputs.get("permissionsBoundary")
    if boundary:
        change.call("put_role_permissions_boundary", RoleName=change.id, PermissionsBoundary=boundary)
    else:
        change.call("delete_role_permissions_boundary", RoleName=change.id)


def _trusts(change: Change) -> None:
    change.call("update_assume_role_policy", RoleName=change.id, PolicyDocument=change.inputs["assumeRolePolicy"])


def _deletes_role(change: Change) -> None:
    role = change.id
    for profile in change.api.pages("iam", "list_instance_profiles_for_role", "InstanceProfiles", RoleName=role):
        name = profile["InstanceProfileName"]
        change.call("remove_role_from_instance_profile", RoleName=role, InstanceProfileName=name)
    if change.inputs.get("forceDetachPolicies"):
        for policy in change.api.pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=role):
            change.call("detach_role_policy", RoleName=role, PolicyArn=policy["PolicyArn"])
        for name in change.api.pages("iam", "list_role_policies", "PolicyNames", RoleName=role):
            change.call("delete_role_policy", RoleName=role, PolicyName=name)
    change.call("delete_role", RoleName=role)


def _short_description(most: int) -> Callable[[Properties], Failures]:
    def rule(inputs: Properties) -> Failures:
        length = len(str(inputs.get("description", "")))
        if length > most:
            yield "description", f"description may have {most} characters, got {length}"

    return rule


ROLE = AwsType(
    token="aws:iam/role:Role",
    service="iam",
    properties={
        "assumeRolePolicy": Prop(
            at="AssumeRolePolicyDocument", required=True, read=as_text("AssumeRolePolicyDocument")
        ),
        "name": Prop(at="RoleName"),
        "path": Prop(default="/"),
        "description": Prop(resettable=True, read=lambda found: found.get("Description", "")),
        "maxSessionDuration": Prop(default=3600),
        "permissionsBoundary": Prop(resettable=True, read="PermissionsBoundary.PermissionsBoundaryArn || ''"),
        "forceDetachPolicies": Prop(default=False, local=True),
        "tags": Prop(),
    },
    create=Create("create_role", "Role.RoleName"),
    reads=(Read("get_role", by_id("RoleName"), "Role"),),
    steps=(
        Step(frozenset({"assumeRolePolicy"}), _trusts),
        Step(frozenset({"description", "maxSessionDuration"}), _describes_role),
        Step(frozenset({"permissionsBoundary"}), _bounds_role),
    ),
    delete=_deletes_role,
    outputs={"arn": "Arn", "createDate": "CreateDate", "uniqueId": "RoleId"},
    tags=listed_tags("tag_role", "untag_role", "RoleName", "TagKeys"),
    name=AutoName("name", 64),
    rules=(
        named(64),
        path(),
        trust_policy("assumeRolePolicy"),
        whole("maxSessionDuration", 3600, 43200),
        arn("permissionsBoundary"),
        _short_description(1000),
    ),
    gone=GONE,
)


def _pair(change: Change, first: str, second: str, separator: str) -> dict[str, Any]:
    """The two names that an id joins."""
    left, _, right = change.id.partition(separator)
    return {first: left, second: right}


def _inline(change: Change) -> dict[str, Any]:
    return _pair(change, "RoleName", "PolicyName", ":")


def _puts_inline(change: Change) -> None:
    change.call("put_role_policy", **_inline(change), PolicyDocument=change.inputs["policy"])


ROLE_POLICY = AwsType(
    token="aws:iam/rolePolicy:RolePolicy",
    service="iam",
    properties={
        "role": Prop(at="RoleName", required=True),
        "name": Prop(at="PolicyName"),
        "policy": Prop(at="PolicyDocument", required=True, read=as_text("PolicyDocument")),
    },
    create=Create("put_role_policy", lambda change, _: f"{change.inputs['role']}:{change.inputs['name']}"),
    reads=(Read("get_role_policy", _inline),),
    steps=(Step(frozenset({"policy"}), _puts_inline),),
    delete=deletes_by("delete_role_policy", _inline),
    name=AutoName("name", 128),
    rules=(named(128), named(64, "role"), identity_policy("policy", 10240)),
    gone=GONE,
)


def _attachment(change: Change) -> dict[str, Any]:
    return _pair(change, "RoleName", "PolicyArn", "/")


def _the_attached(change: Change) -> str:
    role, policy = (literal(part) for part in _attachment(change).values())
    return f"AttachedPolicies[?PolicyArn=={policy}] | [0].{{PolicyArn: PolicyArn, RoleName: {role}}}"


ROLE_POLICY_ATTACHMENT = AwsType(
    token="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    service="iam",
    properties={
        "role": Prop(at="RoleName", required=True, read="RoleName"),
        "policyArn": Prop(required=True),
    },
    create=Create("attach_role_policy", lambda change, _: f"{change.inputs['role']}/{change.inputs['policyArn']}"),
    reads=(
        Read(
            "list_attached_role_policies",
            lambda change: {"RoleName": _attachment(change)["RoleName"], "MaxItems": 1000},
            _the_attached,
        ),
    ),
    delete=deletes_by("detach_role_policy", _attachment),
    rules=(named(64, "role"), arn("policyArn")),
    gone=GONE,
)


def _swaps_role(change: Change) -> None:
    found = change.call("get_instance_profile", InstanceProfileName=change.id)["InstanceProfile"]
    for role in found["Roles"]:
        change.call("remove_role_from_instance_profile", InstanceProfileName=change.id, RoleName=role["RoleName"])
    if change.inputs.get("role"):
        role = change.inputs["role"]
        change.call("add_role_to_instance_profile", InstanceProfileName=change.id, RoleName=role)


def _deletes_profile(change: Change) -> None:
    empty = Change(change.api, change.kind, change.id, {})
    _swaps_role(empty)
    change.call("delete_instance_profile", InstanceProfileName=change.id)


INSTANCE_PROFILE = AwsType(
    token="aws:iam/instanceProfile:InstanceProfile",
    service="iam",
    properties={
        "name": Prop(at="InstanceProfileName"),
        "path": Prop(default="/"),
        "role": Prop(resettable=True, read="Roles[0].RoleName || ''"),
        "tags": Prop(),
    },
    create=Create("create_instance_profile", "InstanceProfile.InstanceProfileName"),
    reads=(Read("get_instance_profile", by_id("InstanceProfileName"), "InstanceProfile"),),
    steps=(Step(frozenset({"role"}), _swaps_role),),
    delete=_deletes_profile,
    outputs={"arn": "Arn", "createDate": "CreateDate", "uniqueId": "InstanceProfileId"},
    tags=listed_tags("tag_instance_profile", "untag_instance_profile", "InstanceProfileName", "TagKeys"),
    name=AutoName("name", 128),
    rules=(named(128), path(), spelled("role", r"[\w+=,.@-]{1,64}", "the name of a role, not its ARN")),
    gone=GONE,
)

TYPES = (ROLE, ROLE_POLICY, ROLE_POLICY_ATTACHMENT, INSTANCE_PROFILE)
