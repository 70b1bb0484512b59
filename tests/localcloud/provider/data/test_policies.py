import json
from typing import Any

POLICY = "aws:iam/policy:Policy"


def allow(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


INPUTS = {"policy": allow("s3:*"), "path": "/teal/", "description": "Reads", "tags": {"Team": "shop"}}


def test_a_policy_gets_a_new_version_with_every_change(engine: Any) -> None:
    policy = engine.create(POLICY, INPUTS)
    assert INPUTS.items() <= policy.imported().items()
    for number in range(6):
        policy.update(policy=allow(f"s3:Get{number}"))
    versions = engine.api.call("iam", "list_policy_versions", PolicyArn=policy.id)["Versions"]
    assert len(versions) == 5
    policy.update(tags={"Team": "till"})
    policy.delete()


def test_a_policy_of_another_text_about_it_is_another_policy(engine: Any) -> None:
    policy = engine.create(POLICY, INPUTS)
    assert policy.diff(description="Writes").replaces == ("description",)
    assert policy.diff(path="/").replaces == ("path",)


def test_another_default_version_is_seen(engine: Any) -> None:
    policy = engine.create(POLICY, INPUTS)
    engine.api.call(
        "iam", "create_policy_version", PolicyArn=policy.id, PolicyDocument=allow("ec2:*"), SetAsDefault=True
    )
    assert json.loads(policy.refresh()["policy"]) == json.loads(allow("ec2:*"))


def test_a_policy_that_is_too_long_is_refused(engine: Any) -> None:
    assert "may have 6144 characters" in engine.refusals(POLICY, {"policy": allow("s3:" + "x" * 6144)})["policy"]


def test_a_policy_without_action_is_refused(engine: Any) -> None:
    document = json.dumps({"Statement": {"Effect": "Permit", "Resource": "*"}})
    assert "must have Action or NotAction" in engine.refusals(POLICY, {"policy": document})["policy"]
