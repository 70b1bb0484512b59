import base64
from typing import Any

import pytest

INSTANCE = "aws:ec2/instance:Instance"
GROUP = "aws:ec2/securityGroup:SecurityGroup"


@pytest.fixture(scope="module")
def group_id(ec2: Any, vpc_id: str) -> str:
    return str(ec2.create(GROUP, {"vpcId": vpc_id}, name="nat").id)


@pytest.fixture
def nat_like(new_subnet: Any, group_id: str) -> dict[str, Any]:
    """What Network declares for its NAT instance."""
    return {
        "ami": "ami-12345678",
        "instanceType": "t4g.nano",
        "subnetId": new_subnet().id,
        "vpcSecurityGroupIds": [group_id],
        "sourceDestCheck": False,
        "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
        "rootBlockDevice": {"encrypted": True, "volumeType": "gp3"},
        "userData": "#!/bin/bash\n",
        "userDataReplaceOnChange": True,
        "tags": {"Name": "nat"},
    }


def test_a_nat_instance_lives(ec2: Any, nat_like: dict[str, Any], vpc_id: str) -> None:
    instance = ec2.create(INSTANCE, nat_like)
    assert instance.outputs["primaryNetworkInterfaceId"].startswith("eni-")
    assert instance.outputs["arn"].endswith(f":instance/{instance.id}")
    assert instance.outputs["rootBlockDevice"]["encrypted"] is True
    other = ec2.create(GROUP, {"vpcId": vpc_id}, name="nat-b")
    instance.update(sourceDestCheck=True, tags={"Name": "nat-a"})
    instance.update(vpcSecurityGroupIds=[other.id])
    instance.update(metadataOptions={**nat_like["metadataOptions"], "httpTokens": "optional"})
    instance.update(instanceType="t4g.micro")
    imported = instance.imported()
    assert imported.items() >= {"ami": "ami-12345678", "userData": "#!/bin/bash\n", "sourceDestCheck": True}.items()
    instance.delete()
    other.delete()


def test_what_needs_a_new_instance(ec2: Any, nat_like: dict[str, Any]) -> None:
    instance = ec2.create(INSTANCE, nat_like)
    changes: dict[str, Any] = {
        "ami": "ami-2", "subnetId": "subnet-2", "rootBlockDevice": {"encrypted": False}, "userData": "#!/bin/sh\n",
        "privateIp": "10.0.0.9", "keyName": "mine",
    }  # fmt: skip
    for name, value in changes.items():
        assert instance.diff(**{name: value}).replaces == (name,)


def test_user_data_changes_in_place_where_nothing_else_is_said(ec2: Any, nat_like: dict[str, Any]) -> None:
    instance = ec2.create(INSTANCE, {**nat_like, "userDataReplaceOnChange": False})
    instance.update(userData="#!/bin/sh\n")
    instance.update(userData=None, userDataBase64=base64.b64encode(b"\xff\x00").decode())
    assert instance.outputs["instanceState"] == "running"


def test_a_role_and_protection_come_and_go(ec2: Any, nat_like: dict[str, Any], refused: Any) -> None:
    for name in ("first", "second"):
        ec2.api.call("iam", "create_instance_profile", InstanceProfileName=name)
    instance = ec2.create(INSTANCE, {**nat_like, "iamInstanceProfile": "first", "disableApiTermination": True})
    assert "OperationNotPermitted" in refused(instance.delete)
    instance.update(iamInstanceProfile="second", disableApiTermination=False)
    instance.update(iamInstanceProfile=None)
    instance.delete()


def test_what_changed_behind_our_back_is_seen(ec2: Any, nat_like: dict[str, Any]) -> None:
    instance = ec2.create(INSTANCE, nat_like)
    ec2.api.call("ec2", "modify_instance_attribute", InstanceId=instance.id, SourceDestCheck={"Value": True})
    ec2.api.call("ec2", "modify_instance_metadata_options", InstanceId=instance.id, HttpTokens="optional")
    found = instance.refresh()
    assert found["sourceDestCheck"] is True
    assert found["metadataOptions"]["httpTokens"] == "optional"
    ec2.api.call("ec2", "terminate_instances", InstanceIds=[instance.id])
    assert instance.refresh() is None


def test_a_public_address_is_asked_for_through_the_interface(ec2: Any, nat_like: dict[str, Any]) -> None:
    instance = ec2.create(INSTANCE, {**nat_like, "associatePublicIpAddress": True})
    assert instance.outputs["publicIp"]
    instance.delete()


def test_an_instance_takes_its_volume_and_interface_along(ec2: Any, nat_like: dict[str, Any]) -> None:
    instance = ec2.create(INSTANCE, nat_like)
    instance.delete()
    about = [{"Name": "subnet-id", "Values": [nat_like["subnetId"]]}]
    assert ec2.api.call("ec2", "describe_network_interfaces", Filters=about)["NetworkInterfaces"] == []
    volume = instance.outputs["rootBlockDevice"]
    assert volume["volumeType"] == "gp3"
    assert (
        ec2.api.call("ec2", "describe_volumes", Filters=[{"Name": "status", "Values": ["available"]}])["Volumes"] == []
    )


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        ({"ami": "nope"}, "ami", "an image id"),
        ({"instanceType": "small"}, "instanceType", "an instance type"),
        ({"userData": "x" * 16385}, "userData", "got 16385"),
        ({"userDataBase64": "IyE="}, "userDataBase64", "cannot go together with userData"),
        ({"rootBlockDevice": {"iops": 3000}}, "rootBlockDevice", "does not apply rootBlockDevice.iops"),
        ({"rootBlockDevice": {"volumeSize": 0}}, "rootBlockDevice", "1 to 65536, got 0"),
        ({"metadataOptions": {"httpTokens": "no"}}, "metadataOptions.httpTokens", "optional, required"),
        ({"hibernation": True}, "hibernation", "does not apply property hibernation"),
    ],
)
def test_what_ec2_refuses_is_refused(ec2: Any, change: dict[str, Any], name: str, words: str) -> None:
    inputs = {"ami": "ami-12345678", "instanceType": "t4g.nano", "userData": "#!", **change}
    assert words in ec2.refusals(INSTANCE, inputs)[name]


def test_an_unknown_group_is_refused(ec2: Any, nat_like: dict[str, Any], refused: Any) -> None:
    instance = ec2.create(INSTANCE, nat_like)
    assert "InvalidGroup.NotFound" in refused(instance.update, vpcSecurityGroupIds=["sg-0"])
