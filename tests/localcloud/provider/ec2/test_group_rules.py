from typing import Any

import pytest

from localcloud.provider.values import UNKNOWN

GROUP = "aws:ec2/securityGroup:SecurityGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
WEB = {"ipProtocol": "tcp", "fromPort": 80, "toPort": 80, "cidrIpv4": "10.0.0.0/8"}


@pytest.fixture
def group(ec2: Any, vpc_id: str) -> Any:
    return ec2.create(GROUP, {"vpcId": vpc_id, "revokeRulesOnDelete": True}, name="ruled")


@pytest.mark.parametrize("token", [INGRESS, EGRESS])
def test_a_rule_lives(ec2: Any, group: Any, token: str) -> None:
    other = ec2.create(GROUP, {"vpcId": group.inputs["vpcId"]}, name="other")
    inputs = {**WEB, "securityGroupId": group.id, "description": "Web", "tags": {"Name": "web"}}
    rule = ec2.create(token, inputs)
    assert rule.id.startswith("sgr-")
    assert rule.outputs["arn"].endswith(f":security-group-rule/{rule.id}")
    assert rule.imported() == inputs
    rule.update(tags={"Name": "shop"})
    rule.update(fromPort=8080, toPort=8081, description=None)
    rule.update(cidrIpv4=None, cidrIpv6="2001:db8::/32", description="IPv6")
    rule.update(cidrIpv6=None, referencedSecurityGroupId=other.id)
    rule.update(ipProtocol="-1", fromPort=None, toPort=None)
    rule.update(ipProtocol="50")
    rule.update(ipProtocol="icmp", fromPort=-1, toPort=-1, description="Ping")
    assert rule.diff(securityGroupId="sg-2").replaces == ("securityGroupId",)
    wrong = EGRESS if token == INGRESS else INGRESS
    assert ec2.package.types[wrong].read(ec2.api, rule.id, {}, {}) is None
    rule.delete()
    other.delete()


def test_a_group_that_goes_takes_its_rules_along(ec2: Any, group: Any) -> None:
    rule = ec2.create(INGRESS, {**WEB, "securityGroupId": group.id})
    group.delete()
    assert rule.refresh() is None
    rule.delete()


def test_a_rule_changed_behind_our_back_is_seen(ec2: Any, group: Any, refused: Any) -> None:
    rule = ec2.create(INGRESS, {**WEB, "securityGroupId": group.id, "description": "Web"})
    now = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0"}
    changed = [{"SecurityGroupRuleId": rule.id, "SecurityGroupRule": now}]
    ec2.api.call("ec2", "modify_security_group_rules", GroupId=group.id, SecurityGroupRules=changed)
    assert rule.refresh().items() >= {"fromPort": 22, "cidrIpv4": "0.0.0.0/0", "description": ""}.items()
    twice = {**WEB, "fromPort": 22, "toPort": 22, "cidrIpv4": "0.0.0.0/0", "securityGroupId": group.id}
    assert "InvalidPermission.Duplicate" in refused(ec2.create, INGRESS, twice)


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        ({"toPort": 99999}, "ipProtocol", "toPort must be a whole number from 0 to 65535, got 99999"),
        ({"fromPort": 81}, "ipProtocol", "fromPort 81 is above toPort 80"),
        ({"ipProtocol": "NOPE"}, "ipProtocol", "protocol must be one of tcp, udp"),
        ({"ipProtocol": "-1"}, "fromPort", "no meaning for ipProtocol -1"),
        ({"ipProtocol": "50"}, "fromPort", "no meaning for ipProtocol 50"),
        ({"toPort": None}, "toPort", "ipProtocol tcp needs toPort"),
        ({"cidrIpv4": "10.0.0.1/8"}, "cidrIpv4", "host bits"),
        ({"cidrIpv4": None}, "cidrIpv4", "one of cidrIpv4"),
        ({"cidrIpv6": "::/0"}, "cidrIpv6", "cannot go together with cidrIpv4"),
        ({"description": "<web>"}, "description", "got '<>'"),
    ],
)
def test_what_ec2_refuses_is_refused(ec2: Any, change: dict[str, Any], name: str, words: str) -> None:
    assert words in ec2.refusals(INGRESS, {**WEB, "securityGroupId": "sg-1", **change})[name]


def test_what_is_not_known_yet_is_not_refused(ec2: Any) -> None:
    inputs = {**WEB, "securityGroupId": UNKNOWN, "cidrIpv4": UNKNOWN, "toPort": UNKNOWN}
    assert ec2.refusals(INGRESS, inputs) == {}
