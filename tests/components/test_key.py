import json
from fnmatch import fnmatchcase
from typing import Any

from components.key import Key, key_policy
from deployed import Registered, deploy


def key(**args: Any) -> Registered:
    return deploy(lambda: Key("main", {**args})).resources["main-key"]  # type: ignore[typeddict-item]


def test_it_rotates_and_can_be_saved_for_a_month() -> None:
    inputs = key().inputs
    assert inputs["enableKeyRotation"] is True
    assert inputs["deletionWindowInDays"] == 30


def test_it_belongs_to_its_component_and_is_tagged() -> None:
    made = key(tags={"Team": "shop"})
    assert made.parent == "main"
    assert made.inputs["tags"] == {"Team": "shop", "Name": "main-key"}
    assert made.inputs["policy"] == key_policy("123456789012", "eu-west-1")


def test_only_the_account_and_its_own_logs_and_alarms_may_use_it() -> None:
    by_sid = {each["Sid"]: each for each in json.loads(key_policy("123456789012", "eu-west-1"))["Statement"]}
    assert by_sid["Account"]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert by_sid["Logs"]["Principal"] == {"Service": "logs.eu-west-1.amazonaws.com"}
    assert by_sid["Alarms"]["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    [group] = by_sid["Logs"]["Condition"]["ArnLike"].values()
    assert fnmatchcase("arn:aws:logs:eu-west-1:123456789012:log-group:web-app", group)
    assert not fnmatchcase("arn:aws:logs:eu-west-1:210987654321:log-group:web-app", group)
    assert by_sid["Alarms"]["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    services = [action for sid in ("Logs", "Alarms") for action in by_sid[sid]["Action"]]
    assert not any(fnmatchcase(forbidden, each) for each in services for forbidden in ("kms:Put*", "kms:Create*"))
    assert not any(fnmatchcase("kms:ScheduleKeyDeletion", each) for each in services)
