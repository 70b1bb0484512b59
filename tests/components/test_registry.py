import json
from typing import Any

import pytest

from components.registry import Registry
from deployed import Registered, deploy


def registry(**changes: Any) -> dict[str, Registered]:
    args: Any = changes
    return deploy(lambda: Registry("shop", args)).resources


def test_tags_are_immutable_images_scanned_and_layers_encrypted() -> None:
    inputs = registry()["shop-images"].inputs
    assert inputs["imageTagMutability"] == "IMMUTABLE"
    assert inputs["imageScanningConfiguration"] == {"scanOnPush": True}
    assert inputs["encryptionConfigurations"] == [{"encryptionType": "AES256"}]
    assert inputs["forceDelete"] is False


def test_a_key_of_ones_own_encrypts() -> None:
    [encryption] = registry(kms_key_arn="arn:key")["shop-images"].inputs["encryptionConfigurations"]
    assert encryption == {"encryptionType": "KMS", "kmsKey": "arn:key"}


def test_the_lifecycle_takes_counts_that_arrive_as_floats() -> None:
    policy = json.loads(registry(keep_builds=3.0, untagged_days=2.0)["shop-lifecycle"].inputs["policy"])
    assert [rule["selection"]["countNumber"] for rule in policy["rules"]] == [36500, 3, 2]
    assert "3.0" not in json.dumps(policy)


def test_nobody_else_may_pull_unless_named() -> None:
    assert "shop-pull" not in registry()
    assert "111111111111" in registry(pull_account_ids=["111111111111"])["shop-pull"].inputs["policy"]


def test_children_belong_to_the_component_and_carry_its_tags() -> None:
    found = registry(tags={"Team": "shop"}, pull_account_ids=["111111111111"])
    assert {r.parent for r in found.values() if r.type.startswith("aws:")} == {"shop"}
    assert found["shop-images"].inputs["tags"] == {"Team": "shop", "Name": "shop-images"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keep_builds": 0}, "keep_builds must be a whole number from 1 to 10000, got 0"),
        ({"untagged_days": 1.5}, "untagged_days must be a whole number from 1 to 3650, got 1.5"),
        ({"pull_account_ids": ["all"]}, "pull_account_ids must be 12 digits each, got 'all'"),
    ],
)
def test_a_wrong_input_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        registry(**changes)
