import base64
from typing import Any

import pytest

from localcloud.provider.values import UNKNOWN

TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def fleet_like(group_id: str) -> dict[str, Any]:
    """What a Fleet declares."""
    return {
        "description": "Instances of the blue fleet",
        "imageId": "ami-12345678",
        "instanceType": "t4g.small",
        "userData": encoded("#cloud-config\n"),
        "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
        "networkInterfaces": [
            {
                "deviceIndex": 0,
                "associatePublicIpAddress": "false",
                "deleteOnTermination": "true",
                "securityGroups": [group_id],
            }
        ],
        "blockDeviceMappings": [
            {
                "deviceName": "/dev/xvda",
                "ebs": {
                    "volumeSize": 16,
                    "volumeType": "gp3",
                    "encrypted": "true",
                    "deleteOnTermination": "true",
                },
            }
        ],
        "tagSpecifications": [{"resourceType": "volume", "tags": {"Team": "shop"}}],
        "tags": {"Name": "blue"},
    }


@pytest.fixture(scope="module")
def group_id(ec2: Any, vpc_id: str) -> str:
    return str(ec2.create("aws:ec2/securityGroup:SecurityGroup", {"vpcId": vpc_id}, name="fleet").id)


def test_every_change_makes_a_version(ec2: Any, group_id: str) -> None:
    template = ec2.create(TEMPLATE, fleet_like(group_id), name="blue-template")
    assert template.outputs["name"].startswith("blue-template-")
    assert template.outputs["arn"].endswith(f":launch-template/{template.id}")
    assert (template.outputs["latestVersion"], template.outputs["defaultVersion"]) == (1, 1)
    template.update(userData=encoded("#cloud-config\n# 2\n"))
    assert (template.outputs["latestVersion"], template.outputs["defaultVersion"]) == (2, 1)
    template.update(tags={"Name": "green"})
    assert template.outputs["latestVersion"] == 2
    template.update(description=None, blockDeviceMappings=None, instanceType="t4g.medium")
    template.update(updateDefaultVersion=True)
    assert (template.outputs["latestVersion"], template.outputs["defaultVersion"]) == (3, 3)
    template.update(iamInstanceProfile={"arn": "arn:aws:iam::123456789012:instance-profile/fleet"})
    assert (template.outputs["latestVersion"], template.outputs["defaultVersion"]) == (4, 4)
    template.update(updateDefaultVersion=None, defaultVersion=2)
    assert (template.outputs["latestVersion"], template.outputs["defaultVersion"]) == (4, 2)
    template.update(metadataOptions={"httpTokens": "optional"}, monitoring={"enabled": True}, tagSpecifications=None)
    assert template.diff(name="other").replaces == ("name",)
    template.delete()


def test_an_import_finds_what_was_declared(ec2: Any, group_id: str) -> None:
    inputs = fleet_like(group_id)
    found = ec2.create(TEMPLATE, inputs).imported()
    for name in inputs.keys() - {"blockDeviceMappings", "networkInterfaces"}:
        assert found[name] == inputs[name]
    assert found["networkInterfaces"][0]["securityGroups"] == [group_id]
    assert found["blockDeviceMappings"][0]["ebs"]["volumeSize"] == 16


def test_a_version_made_behind_our_back_is_seen(ec2: Any, group_id: str) -> None:
    template = ec2.create(TEMPLATE, fleet_like(group_id))
    data = {"InstanceType": "m7g.large"}
    ec2.api.call("ec2", "create_launch_template_version", LaunchTemplateId=template.id, LaunchTemplateData=data)
    found = template.refresh()
    assert (found["instanceType"], found["userData"], found["metadataOptions"]) == ("m7g.large", "", {})
    assert found["networkInterfaces"] == []


def test_a_preview_leaves_the_version_open_only_where_one_will_be_made(ec2: Any, group_id: str) -> None:
    template = ec2.create(TEMPLATE, fleet_like(group_id))
    kind = ec2.package.types[TEMPLATE]
    retagged = {**template.inputs, "tags": {"Name": "green"}}
    assert kind.planned(retagged, template.outputs)["latestVersion"] == 1
    changed = {**template.inputs, "userData": UNKNOWN}
    assert kind.planned(changed, template.outputs)["latestVersion"] == UNKNOWN


def test_instances_start_from_any_version(ec2: Any, group_id: str, new_subnet: Any) -> None:
    template = ec2.create(TEMPLATE, {"imageId": "ami-12345678", "userData": encoded("one")})
    template.update(userData=encoded("two"))
    subnet = new_subnet()
    specification = {"LaunchTemplateId": template.id, "Version": "2"}
    started = ec2.api.call(
        "ec2", "run_instances", MinCount=1, MaxCount=1, SubnetId=subnet.id, LaunchTemplate=specification
    )["Instances"][0]["InstanceId"]
    told = ec2.api.call("ec2", "describe_instance_attribute", InstanceId=started, Attribute="userData")
    assert base64.b64decode(told["UserData"]["Value"]) == b"two"
    ec2.api.call("ec2", "terminate_instances", InstanceIds=[started])
    subnet.delete()


@pytest.mark.parametrize(
    ("inputs", "name", "words"),
    [
        ({"userData": "#cloud-config"}, "userData", "must be base64"),
        ({"userData": encoded("x" * 16385)}, "userData", "at most 16384 bytes before base64, got 16385"),
        ({"name": "a b"}, "name", "letters, digits"),
        ({"name": "ab"}, "name", "3 to 128 characters"),
        ({"imageId": "nope"}, "imageId", "an image id"),
        ({"instanceType": "small"}, "instanceType", "an instance type"),
        ({"metadataOptions": {"httpTokens": "perhaps"}}, "metadataOptions.httpTokens", "optional, required"),
        ({"metadataOptions": {"httpPutResponseHopLimit": 65}}, "metadataOptions.httpPutResponseHopLimit", "1 to 64"),
        ({"blockDeviceMappings": [{"ebs": {"volumeSize": 8}}]}, "blockDeviceMappings", "needs deviceName"),
        (
            {"blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"volumeType": "gp9"}}]},
            "blockDeviceMappings",
            "gp9",
        ),
        ({"tagSpecifications": [{"resourceType": "cloud", "tags": {}}]}, "tagSpecifications", "got 'cloud'"),
        ({"updateDefaultVersion": True, "defaultVersion": 1}, "updateDefaultVersion", "cannot go together"),
        ({"vpcSecurityGroupIds": ["sg-1"], "networkInterfaces": [{}]}, "vpcSecurityGroupIds", "name the groups there"),
        ({"mystery": 1}, "mystery", "does not apply property mystery"),
    ],
)
def test_what_ec2_refuses_is_refused(ec2: Any, inputs: dict[str, Any], name: str, words: str) -> None:
    assert words in ec2.refusals(TEMPLATE, inputs)[name]


def test_a_key_that_templates_lack_is_refused(ec2: Any, refused: Any) -> None:
    inputs = {"metadataOptions": {"mystery": 1}}
    assert "does not apply property metadataOptions.mystery" in refused(ec2.create, TEMPLATE, inputs)
