import json
from typing import Any

import pytest

from localcloud.provider.errors import ApiRefused

ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
PROFILE = "aws:iam/instanceProfile:InstanceProfile"
SESSIONS = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"


def trust(service: str = "ec2.amazonaws.com") -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


INPUTS = {
    "assumeRolePolicy": trust(),
    "description": "Runs",
    "maxSessionDuration": 7200,
    "path": "/teal/",
    "permissionsBoundary": SESSIONS,
    "tags": {"Team": "shop"},
}


def test_a_role_changes_in_place(engine: Any) -> None:
    role = engine.create(ROLE, INPUTS)
    assert role.outputs["arn"] == f"arn:aws:iam::123456789012:role/teal/{role.id}"
    assert INPUTS.items() <= role.imported().items()
    role.update(assumeRolePolicy=trust("ecs.amazonaws.com"), maxSessionDuration=3600, tags={"Stage": "dev"})
    role.update(description=None, permissionsBoundary=None)
    assert not engine.api.call("iam", "get_role", RoleName=role.id)["Role"].get("Description")
    role.delete()


def test_a_role_of_another_path_or_name_is_another_role(engine: Any) -> None:
    role = engine.create(ROLE, INPUTS)
    assert role.diff(path="/other/").replaces == ("path",)
    found = role.diff(name="another")
    assert found.replaces == ("name",)
    assert found.deletes_first


def test_a_trust_written_differently_is_the_same(engine: Any) -> None:
    role = engine.create(ROLE, INPUTS)
    assert not role.diff(assumeRolePolicy=json.dumps(json.loads(trust()), indent=4)).changed


def test_a_role_changed_behind_our_back_is_seen(engine: Any) -> None:
    role = engine.create(ROLE, INPUTS)
    engine.api.call("iam", "update_assume_role_policy", RoleName=role.id, PolicyDocument=trust("lambda.amazonaws.com"))
    engine.api.call("iam", "delete_role_permissions_boundary", RoleName=role.id)
    seen = role.refresh()
    assert json.loads(seen["assumeRolePolicy"]) == json.loads(trust("lambda.amazonaws.com"))
    assert seen["permissionsBoundary"] == ""


def test_only_a_role_that_detaches_by_force_goes_with_its_policies(engine: Any) -> None:
    role = engine.create(ROLE, INPUTS)
    engine.create(ATTACHMENT, {"role": role.id, "policyArn": SESSIONS})
    with pytest.raises(ApiRefused, match="DeleteConflict"):
        role.delete()
    role.update(forceDetachPolicies=True)
    role.delete()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("assumeRolePolicy", "{nope", "must be a JSON object, got text that is no JSON"),
        ("assumeRolePolicy", allow("s3:*"), "statement 1 of assumeRolePolicy must have Principal or NotPrincipal"),
        ("maxSessionDuration", 60, "maxSessionDuration must be a whole number from 3600 to 43200, got 60"),
        ("path", "teal", "path must be a path that begins and ends with a slash"),
        ("name", "x" * 65, "name must be 1 to 64 letters"),
        ("permissionsBoundary", "boundary", "permissionsBoundary must be the ARN of an IAM policy"),
        ("description", "x" * 1001, "description may have 1000 characters, got 1001"),
        ("managedPolicyArns", [SESSIONS], "does not apply property managedPolicyArns of aws:iam/role:Role"),
    ],
)
def test_what_iam_refuses_of_a_role(engine: Any, name: str, value: Any, reason: str) -> None:
    assert reason in engine.refusals(ROLE, {**INPUTS, name: value})[name]


def test_an_inline_policy_lives_in_its_role(engine: Any) -> None:
    role = engine.create(ROLE, INPUTS)
    policy = engine.create(ROLE_POLICY, {"role": role.id, "policy": allow("s3:*")}, name="inline")
    assert policy.id == f"{role.id}:{policy.inputs['name']}"
    policy.update(policy=allow("ec2:*"))
    assert policy.diff(role="other").replaces == ("role",)
    assert policy.imported() == {key: policy.inputs[key] for key in ("role", "name")} | {
        "policy": json.dumps(json.loads(allow("ec2:*")))
    }
    engine.api.call(
        "iam", "put_role_policy", RoleName=role.id, PolicyName=policy.inputs["name"], PolicyDocument=allow("s3:Get*")
    )
    assert json.loads(policy.refresh()["policy"]) == json.loads(allow("s3:Get*"))
    policy.delete()


def test_an_inline_policy_that_names_principals_is_refused(engine: Any) -> None:
    reasons = engine.refusals(ROLE_POLICY, {"role": "r", "policy": trust()})["policy"]
    assert "Principal" in reasons


def test_an_attachment_comes_and_goes(engine: Any) -> None:
    role = engine.create(ROLE, INPUTS)
    attachment = engine.create(ATTACHMENT, {"role": role.id, "policyArn": SESSIONS})
    assert attachment.imported() == {"role": role.id, "policyArn": SESSIONS}
    assert attachment.diff(policyArn=f"{SESSIONS}2").replaces == ("policyArn",)
    attachment.delete()
    role.delete()
    assert attachment.refresh() is None


def test_an_instance_profile_changes_its_role_in_place(engine: Any) -> None:
    first, second = (engine.create(ROLE, INPUTS, name=name) for name in ("first", "second"))
    profile = engine.create(PROFILE, {"role": first.id, "tags": {"Team": "shop"}})
    assert profile.outputs["arn"].endswith(f":instance-profile/{profile.id}")
    profile.update(role=second.id, tags={})
    assert profile.imported()["role"] == second.id
    profile.update(role=None)
    profile.update(role=first.id)
    assert profile.diff(path="/x/").replaces == ("path",)
    first.delete()  # leaves its profiles first
    assert profile.refresh()["role"] == ""
    profile.delete()
