import json
from typing import Any

import pytest

KEY = "aws:kms/key:Key"
ALIAS = "aws:kms/alias:Alias"
INPUTS = {
    "description": "Logs",
    "enableKeyRotation": True,
    "rotationPeriodInDays": 180,
    "deletionWindowInDays": 7,
    "tags": {"Team": "shop"},
}


def allow(action: str) -> str:
    principal = {"AWS": "arn:aws:iam::123456789012:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_key_changes_in_place(engine: Any) -> None:
    key = engine.create(KEY, INPUTS)
    assert key.outputs["arn"] == f"arn:aws:kms:eu-west-1:123456789012:key/{key.id}"
    told = {name: value for name, value in INPUTS.items() if name != "deletionWindowInDays"}
    assert told.items() <= key.imported().items()
    key.update(description=None, rotationPeriodInDays=None, policy=allow("kms:*"), tags={"Stage": "dev"})
    key.update(enableKeyRotation=False, policy=None, isEnabled=False)
    assert "key-default-1" in key.outputs["policy"]
    key.update(isEnabled=True)
    assert key.diff(customerMasterKeySpec="RSA_2048").replaces == ("customerMasterKeySpec",)
    key.delete()
    assert engine.api.call("kms", "describe_key", KeyId=key.id)["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_a_key_changed_behind_our_back_is_seen(engine: Any) -> None:
    key = engine.create(KEY, INPUTS)
    engine.api.call("kms", "enable_key_rotation", KeyId=key.id, RotationPeriodInDays=90)
    engine.api.call("kms", "disable_key", KeyId=key.id)
    seen = key.refresh()
    assert (seen["rotationPeriodInDays"], seen["isEnabled"]) == (90, False)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("deletionWindowInDays", 5, "deletionWindowInDays must be a whole number from 7 to 30, got 5"),
        ("rotationPeriodInDays", 30, "rotationPeriodInDays must be a whole number from 90 to 2560, got 30"),
        ("customerMasterKeySpec", "DES", "customerMasterKeySpec must be one of SYMMETRIC_DEFAULT"),
        ("policy", "{}", "policy must have a Statement"),
    ],
)
def test_what_kms_refuses_of_a_key(engine: Any, name: str, value: Any, reason: str) -> None:
    assert reason in engine.refusals(KEY, {**INPUTS, name: value})[name]


def test_an_alias_moves_to_another_key(engine: Any) -> None:
    first, second = (engine.create(KEY, {}, name=name) for name in ("first", "second"))
    alias = engine.create(ALIAS, {"targetKeyId": first.outputs["arn"]}, name="logs")
    assert alias.id.startswith("alias/logs-")
    alias.update(targetKeyId=second.id)
    assert alias.outputs["targetKeyArn"] == second.outputs["arn"]
    assert alias.imported() == {"name": alias.id, "targetKeyId": second.id}
    engine.api.call("kms", "update_alias", AliasName=alias.id, TargetKeyId=first.id)
    assert alias.refresh()["targetKeyId"] == first.id
    assert alias.diff(name="alias/other").replaces == ("name",)
    alias.delete()


def test_an_alias_of_aws_is_refused(engine: Any) -> None:
    assert "name must be alias/" in engine.refusals(ALIAS, {"name": "alias/aws/logs", "targetKeyId": "x"})["name"]
