from typing import Any

ZONES = "aws:index/getAvailabilityZones:getAvailabilityZones"
REGION = "aws:index/getRegion:getRegion"


def test_zones_are_those_of_the_region(ec2: Any) -> None:
    found = ec2.lookup(ZONES, state="available")
    assert found["names"] == ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    assert len(found["zoneIds"]) == 3
    assert (found["id"], found["state"]) == ("eu-west-1", "available")
    assert ec2.lookup(ZONES, excludeNames=["eu-west-1a"])["names"] == ["eu-west-1b", "eu-west-1c"]
    assert ec2.lookup(ZONES, filters=[{"name": "zone-name", "values": ["eu-west-1c"]}])["names"] == ["eu-west-1c"]
    assert ec2.lookup(ZONES, state="impaired")["names"] == []


def test_an_argument_that_is_not_honoured_is_refused(ec2: Any, refused: Any) -> None:
    assert "does not apply property mystery" in refused(ec2.lookup, ZONES, mystery=1)


def test_the_region_is_the_providers(ec2: Any, refused: Any) -> None:
    found = ec2.lookup(REGION)
    assert (found["id"], found["region"], found["name"]) == ("eu-west-1",) * 3
    assert found["endpoint"] == "ec2.eu-west-1.amazonaws.com"
    assert ec2.lookup(REGION, region="us-east-1")["id"] == "us-east-1"
    assert "nowhere-1" in refused(ec2.lookup, REGION, region="nowhere-1")


def test_the_account_is_the_embedded_clouds(ec2: Any) -> None:
    found = ec2.lookup("aws:index/getCallerIdentity:getCallerIdentity")
    assert found["accountId"] == found["id"] == "123456789012"
    assert found["arn"].startswith("arn:aws:sts::123456789012:")
    partition = ec2.lookup("aws:index/getPartition:getPartition")
    assert (partition["partition"], partition["dnsSuffix"]) == ("aws", "amazonaws.com")
