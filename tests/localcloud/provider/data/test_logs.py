from typing import Any

import pytest

GROUP = "aws:cloudwatch/logGroup:LogGroup"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
INPUTS = {"retentionInDays": 30, "kmsKeyId": KEY, "tags": {"Team": "shop"}}


def test_a_log_group_changes_in_place(engine: Any) -> None:
    group = engine.create(GROUP, INPUTS)
    assert group.outputs["arn"] == f"arn:aws:logs:eu-west-1:123456789012:log-group:{group.id}"
    assert INPUTS.items() <= group.imported().items()
    group.update(retentionInDays=7, kmsKeyId=f"{KEY}2", tags={"Stage": "dev"})
    group.update(retentionInDays=None, kmsKeyId=None)
    assert "retentionInDays" not in _told(engine, group)
    assert "kmsKeyId" not in _told(engine, group)
    assert group.diff(name="/other").replaces == ("name",)
    group.delete()


def test_a_log_group_is_told_from_one_whose_name_goes_on(engine: Any) -> None:
    longer, group = engine.create(GROUP, {"name": "/teal/logs/app"}), engine.create(GROUP, {"name": "/teal/logs"})
    group.delete()
    longer.assert_unchanged()
    longer.delete()


def test_a_log_group_changed_behind_our_back_is_seen(engine: Any) -> None:
    group = engine.create(GROUP, INPUTS)
    engine.api.call("logs", "delete_retention_policy", logGroupName=group.id)
    engine.api.call("logs", "disassociate_kms_key", logGroupName=group.id)
    engine.api.call("logs", "tag_resource", resourceArn=group.outputs["arn"], tags={"Stray": "1"})
    seen = group.refresh()
    assert (seen["retentionInDays"], seen["kmsKeyId"]) == (0, "")
    assert seen["tags"] == {"Team": "shop", "Stray": "1"}


def test_a_log_group_that_is_to_stay_stays(engine: Any) -> None:
    group = engine.create(GROUP, {"skipDestroy": True})
    engine.package.types[GROUP].delete(engine.api, group.id, group.inputs, group.outputs)
    group.assert_unchanged()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("retentionInDays", 4, "retentionInDays must be 0 (for ever) or one of 1, 3, 5, 7, 14, 30"),
        ("kmsKeyId", "alias/logs", "kmsKeyId must be the ARN of a KMS key"),
        ("name", "no blanks", "name must be 1 to 512 letters"),
        ("logGroupClass", "STANDARD", "does not apply property logGroupClass"),
    ],
)
def test_what_cloudwatch_refuses_of_a_log_group(engine: Any, name: str, value: Any, reason: str) -> None:
    assert reason in engine.refusals(GROUP, {name: value})[name]


def _told(engine: Any, group: Any) -> dict[str, Any]:
    found = engine.api.call("logs", "describe_log_groups", logGroupNamePrefix=group.id)["logGroups"]
    return dict(found[0])
