from typing import Any

import pytest

GROUP = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
WEB = {"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": ["10.0.0.0/8"]}


def test_a_group_lives_and_lets_nothing_out(ec2: Any, vpc_id: str) -> None:
    group = ec2.create(GROUP, {"vpcId": vpc_id, "description": "Web only", "tags": {"Name": "web"}}, name="web")
    assert group.outputs["name"].startswith("web-")
    assert group.outputs["arn"].endswith(f":security-group/{group.id}")
    assert (group.outputs["ingress"], group.outputs["egress"]) == ([], [])
    group.update(tags={"Name": "shop"}, revokeRulesOnDelete=True)
    assert group.imported().items() >= {"vpcId": vpc_id, "description": "Web only"}.items()
    for name, value in (("description", "Shop"), ("name", "shop"), ("vpcId", "vpc-2")):
        assert group.diff(**{name: value}).replaces == (name,)
    group.delete()


def test_a_groups_own_rules_are_kept_as_declared(ec2: Any, vpc_id: str) -> None:
    group = ec2.create(GROUP, {"vpcId": vpc_id, "ingress": [WEB]})
    group.update(ingress=[{**WEB, "cidrBlocks": ["10.0.0.0/8", "172.16.0.0/12"], "description": "Web"}])
    group.update(egress=[{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}])
    group.update(ingress=[{**WEB, "self": True, "ipv6CidrBlocks": ["2001:db8::/32"]}, {**WEB, "toPort": 81}])
    other = ec2.create(GROUP, {"vpcId": vpc_id}, name="other")
    group.update(ingress=[{**WEB, "securityGroups": [other.id]}, {**WEB, "description": "again", "fromPort": 79}])
    stray = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    ec2.api.call("ec2", "authorize_security_group_ingress", GroupId=group.id, IpPermissions=[stray])
    assert any("::/0" in rule.get("ipv6CidrBlocks", []) for rule in group.refresh()["ingress"])
    group.update(ingress=[])
    group.update(egress=None)
    group.delete()


def test_a_group_in_use_stays(ec2: Any, vpc_id: str, new_subnet: Any, refused: Any) -> None:
    group, other = (ec2.create(GROUP, {"vpcId": vpc_id}, name=name) for name in ("used", "user"))
    subnet = new_subnet()
    interface = ec2.api.call("ec2", "create_network_interface", SubnetId=subnet.id, Groups=[group.id])
    interface_id = interface["NetworkInterface"]["NetworkInterfaceId"]
    assert interface_id in refused(group.delete)
    ec2.api.call("ec2", "delete_network_interface", NetworkInterfaceId=interface_id)
    other.update(ingress=[{"protocol": "tcp", "fromPort": 1, "toPort": 1, "securityGroups": [group.id]}])
    assert f"of {other.id}" in refused(group.delete)
    other.update(ingress=[])
    group.delete()


def test_the_default_group_is_adopted_and_emptied(ec2: Any) -> None:
    vpc = ec2.create("aws:ec2/vpc:Vpc", {"cidrBlock": "10.4.0.0/16"})
    group = ec2.create(DEFAULT_GROUP, {"vpcId": vpc.id, "tags": {"Name": "default"}})
    assert group.id == vpc.outputs["defaultSecurityGroupId"]
    assert (group.outputs["ingress"], group.outputs["egress"]) == ([], [])
    group.update(tags={})
    group.update(ingress=[WEB])
    assert group.diff(vpcId="vpc-2").replaces == ("vpcId",)
    kind = ec2.package.types[DEFAULT_GROUP]
    kind.delete(ec2.api, group.id, group.inputs, group.outputs)
    assert group.refresh() is not None  # it belongs to its VPC
    again = ec2.create(DEFAULT_GROUP, {"vpcId": vpc.id})
    assert again.outputs["ingress"] == []
    vpc.delete()
    assert again.refresh() is None


@pytest.mark.parametrize(
    ("inputs", "name", "words"),
    [
        ({"description": "Täglich"}, "description", "got 'ä'"),
        ({"description": ""}, "description", "1 to 255 characters"),
        ({"name": "sg-mine"}, "name", "must not start with sg-"),
        ({"name": "n" * 256}, "name", "got 256"),
        (
            {"ingress": [{**WEB, "toPort": 65536}]},
            "ingress",
            "toPort must be a whole number from 0 to 65535, got 65536",
        ),
        ({"ingress": [{**WEB, "toPort": 79}]}, "ingress", "fromPort 80 is above toPort 79"),
        ({"ingress": [{**WEB, "protocol": "NOPE"}]}, "ingress", "got 'nope'"),
        ({"ingress": [{**WEB, "cidrBlocks": ["10.0.0.1/8"]}]}, "ingress", "host bits"),
        ({"egress": [{**WEB, "mystery": 1}]}, "egress", "does not apply mystery"),
        ({"egress": [{**WEB, "protocol": "-1"}]}, "egress", "takes no ports"),
    ],
)
def test_what_ec2_refuses_is_refused(ec2: Any, inputs: dict[str, Any], name: str, words: str) -> None:
    assert words in ec2.refusals(GROUP, inputs)[name]
