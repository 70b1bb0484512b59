import json
from typing import Any

import pytest

from components.data_volume import DataVolume
from components.fleet import Fleet
from components.servers.data_access import attach_policy
from deployed import Deployment, deploy
from fleet_world import ARGS as FLEET
from fleet_world import container

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0f"
ARN = "arn:aws:ec2:eu-west-1:123456789012:volume/vol-0123456789abcdef0"
ARGS: dict[str, Any] = {"zone": "eu-west-1a", "size_gib": 8.0, "kms_key_arn": KEY}
DISK = {"data_volume_arn": ARN, "data_volume_key_arn": KEY, "min_size": 1, "max_size": 1, "capacity": 1}


def volume(**changes: Any) -> Deployment:
    args: Any = {**ARGS, **changes}
    return deploy(lambda: DataVolume("data", args))


def fleet(**changes: Any) -> Deployment:
    args: Any = {**FLEET, **DISK, **changes}
    return deploy(lambda: Fleet("blue", args))


def test_it_is_an_encrypted_disk_in_one_zone() -> None:
    made = volume(tags={"Team": "shop"}).resources["data-volume"]
    assert made.inputs == {
        "availabilityZone": "eu-west-1a",
        "size": 8,
        "type": "gp3",
        "encrypted": True,
        "kmsKeyId": KEY,
        "tags": {"Team": "shop", "Name": "data-volume"},
    }
    assert made.parent == "data"


@pytest.mark.parametrize(("given", "protect"), [({}, True), ({"protects": True}, True), ({"protects": False}, False)])
def test_it_is_protected_unless_said_otherwise(given: dict[str, bool], protect: bool) -> None:
    made = volume(**given).resources["data-volume"]
    assert (made.protect, made.is_retained) == (protect, protect)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"zone": "eu-west-1"}, "zone must be an availability zone such as eu-west-1a, got 'eu-west-1'"),
        ({"size_gib": 0}, "size_gib must be a whole number from 1 to 16384, got 0"),
        ({"size_gib": 20_000}, "size_gib must be a whole number from 1 to 16384, got 20000"),
    ],
)
def test_a_wrong_input_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        volume(**changes)


def test_a_fleets_servers_are_told_which_volume_is_theirs() -> None:
    assert container(fleet().resources)["volume"] == {"id": "vol-0123456789abcdef0"}


def test_a_fleet_without_a_volume_may_not_attach_any() -> None:
    found = fleet(data_volume_arn=None, data_volume_key_arn=None)
    assert "blue-have-data" not in found.resources
    assert "volume" not in container(found.resources)


def test_its_servers_may_attach_this_volume_to_themselves_and_nothing_else() -> None:
    found = fleet().resources["blue-have-data"]
    statements = {each["Sid"]: each for each in json.loads(found.inputs["policy"])["Statement"]}
    both = ["ec2:AttachVolume", "ec2:DetachVolume"]
    assert {sid: (each["Action"], each["Resource"]) for sid, each in statements.items()} == {
        "Volume": (both, ARN),
        "Servers": (both, "arn:aws:ec2:eu-west-1:123456789012:instance/*"),
        "Look": ("ec2:DescribeVolumes", "*"),
        "Grant": ("kms:CreateGrant", KEY),
        "Decrypt": ("kms:Decrypt", KEY),
    }
    own = {"StringEquals": {"aws:ResourceTag/aws:autoscaling:groupName": "blue-group"}}
    assert statements["Servers"]["Condition"] == own
    through = {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}
    assert statements["Grant"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}, "StringEquals": through}
    assert statements["Decrypt"]["Condition"] == {"StringEquals": through}
    assert json.loads(attach_policy(ARN, KEY, "blue-group")) == json.loads(found.inputs["policy"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_size": 2}, "max_size must be 1 with a data volume, which one server at a time can have, got 2"),
        ({"data_volume_key_arn": None}, "data_volume_arn and data_volume_key_arn must be given together, or neither"),
        ({"data_volume_arn": None}, "data_volume_arn and data_volume_key_arn must be given together, or neither"),
    ],
)
def test_a_fleet_that_could_have_two_writers_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fleet(**changes)
