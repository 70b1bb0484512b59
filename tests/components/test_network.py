"""A network: subnets in several zones, ways out, private ways to AWS, and flow logs."""

import json
from typing import Any

import pulumi
import pytest

from components.nat import IMAGE_PARAMETER, Nat, nat_user_data
from components.network import Network
from deployed import Deployment, Registered, deploy

ZONES = ["eu-west-1a", "eu-west-1b"]
ARGS: dict[str, Any] = {"cidr_block": "10.0.0.0/16", "zones": ZONES}
UNTAGGABLE = ("Route", "RouteTableAssociation", "RolePolicy", "RolePolicyAttachment")


def args(**changes: Any) -> Any:
    return {**ARGS, **changes}


def deployment(**changes: Any) -> Deployment:
    def program() -> None:
        network = Network("net", args(**changes))
        for output in ("vpc_id", "cidr_block", "zones", "public_subnet_ids", "private_subnet_ids", "nat_public_ips"):
            pulumi.export(output, getattr(network, output))

    return deploy(program)


def network(**changes: Any) -> dict[str, Registered]:
    return deployment(**changes).resources


def children(resources: dict[str, Registered]) -> dict[str, Registered]:
    return {name: found for name, found in resources.items() if found.type.startswith("aws:")}


def test_it_gives_its_ids_by_position_of_the_zone() -> None:
    exports = deployment(zones=["eu-west-1b", "eu-west-1a"]).exports
    assert exports["vpc_id"] == "net-vpc-id"
    assert exports["cidr_block"] == "10.0.0.0/16"
    assert exports["zones"] == ["eu-west-1b", "eu-west-1a"]
    assert exports["public_subnet_ids"] == ["net-public-b-id", "net-public-a-id"]
    assert exports["private_subnet_ids"] == ["net-private-b-id", "net-private-a-id"]


def test_no_child_is_loose_or_untagged() -> None:
    for nat in Nat:
        made = children(network(nat=nat, interface_endpoints=["ssm"], tags={"Team": "shop"}))
        assert {child.parent for child in made.values()} == {"net"}
        taggable = {name: child for name, child in made.items() if not child.type.endswith(UNTAGGABLE)}
        assert {name: child.inputs["tags"] for name, child in taggable.items()} == {
            name: {"Team": "shop", "Name": name} for name in taggable
        }


def test_the_vpc_resolves_names() -> None:
    inputs = network()["net-vpc"].inputs
    assert inputs["enableDnsHostnames"]
    assert inputs["enableDnsSupport"]


def test_the_default_security_group_is_emptied() -> None:
    inputs = network()["net-default"].inputs
    assert inputs["vpcId"] == "net-vpc-id"
    assert not inputs.get("ingress")
    assert not inputs.get("egress")


def test_each_zone_has_a_public_and_a_private_subnet_and_none_gives_public_addresses() -> None:
    subnets = deployment().of_type("subnet:Subnet")
    assert {name: (s.inputs["availabilityZone"], s.inputs["cidrBlock"]) for name, s in subnets.items()} == {
        "net-public-a": ("eu-west-1a", "10.0.0.0/20"),
        "net-public-b": ("eu-west-1b", "10.0.16.0/20"),
        "net-private-a": ("eu-west-1a", "10.0.128.0/20"),
        "net-private-b": ("eu-west-1b", "10.0.144.0/20"),
    }
    assert not any(s.inputs["mapPublicIpOnLaunch"] for s in subnets.values())


def test_another_zone_changes_no_subnet_route_or_nat_gateway() -> None:
    stays = ("Subnet", "Route", "RouteTable", "RouteTableAssociation", "NatGateway", "Eip", "Vpc")
    for nat in (Nat.SINGLE, Nat.PER_ZONE):
        two, three = network(nat=nat), network(nat=nat, zones=[*ZONES, "eu-west-1c"])
        assert all(three[name].inputs == child.inputs for name, child in two.items() if child.type.endswith(stays))


def test_public_subnets_lead_to_the_internet_gateway() -> None:
    resources = network()
    assert resources["net-public-out"].inputs == {
        "routeTableId": "net-public-routes-id",
        "destinationCidrBlock": "0.0.0.0/0",
        "gatewayId": "net-internet-id",
    }
    for letter in "ab":
        assert resources[f"net-public-{letter}-association"].inputs == {
            "subnetId": f"net-public-{letter}-id",
            "routeTableId": "net-public-routes-id",
        }
        assert resources[f"net-private-{letter}-association"].inputs == {
            "subnetId": f"net-private-{letter}-id",
            "routeTableId": f"net-private-{letter}-routes-id",
        }


def ways_out(resources: dict[str, Registered]) -> dict[str, str | None]:
    return {
        letter: resources[f"net-private-{letter}-out"].inputs.get("natGatewayId")
        for letter in "ab"
        if f"net-private-{letter}-out" in resources
    }


def test_without_nat_private_subnets_have_no_way_out() -> None:
    found = deployment(nat=Nat.NONE)
    assert ways_out(found.resources) == {}
    assert found.exports["nat_public_ips"] == []
    assert not found.of_type(":NatGateway")


def test_a_single_nat_gateway_stands_in_the_first_zone_and_serves_all() -> None:
    found = deployment()
    assert ways_out(found.resources) == {"a": "net-nat-a-id", "b": "net-nat-a-id"}
    assert found.resources["net-nat-a"].inputs["subnetId"] == "net-public-a-id"
    assert found.resources["net-nat-a"].inputs["allocationId"] == "net-nat-a-address-id"
    assert len(found.exports["nat_public_ips"]) == 1


def test_a_nat_gateway_per_zone_serves_its_own_zone() -> None:
    found = deployment(nat="per_zone")
    assert ways_out(found.resources) == {"a": "net-nat-a-id", "b": "net-nat-b-id"}
    assert found.resources["net-nat-b"].inputs["subnetId"] == "net-public-b-id"
    assert len(found.exports["nat_public_ips"]) == 2


def test_the_nat_instance_forwards_and_is_locked_down() -> None:
    resources = network(nat=Nat.INSTANCE)
    instance = resources["net-nat"]
    assert instance.inputs["sourceDestCheck"] is False
    assert instance.inputs["instanceType"] == "t4g.nano"
    assert instance.inputs["subnetId"] == "net-public-a-id"
    assert instance.inputs["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
    assert instance.inputs["rootBlockDevice"]["encrypted"]
    assert instance.inputs["userData"] == nat_user_data("10.0.0.0/16")
    assert instance.inputs["vpcSecurityGroupIds"] == ["net-nat-group-id"]
    assert "associatePublicIpAddress" not in instance.inputs  # with a fixed address it would differ at each refresh
    assert resources["net-nat-address"].inputs["instance"] == "net-nat-id"
    assert {"net-private-a-out", "net-private-b-out"} <= resources.keys()


def test_the_nat_instance_is_administered_by_ssm_and_may_do_nothing_else() -> None:
    resources = network(nat=Nat.INSTANCE)
    assert resources["net-nat"].links["iamInstanceProfile"] == {resources["net-nat-profile"].urn}
    assert resources["net-nat-profile"].inputs["role"] == "net-nat-role"
    of_role = {
        name: r.inputs.get("policyArn") for name, r in resources.items() if r.inputs.get("role") == "net-nat-role"
    }
    assert of_role == {
        "net-nat-profile": None,
        "net-nat-session": "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
    }


def test_the_nat_instance_takes_web_traffic_of_the_vpc_only() -> None:
    found = deployment(nat=Nat.INSTANCE)
    ingress, egress = found.of_type("SecurityGroupIngressRule"), found.of_type("SecurityGroupEgressRule")
    assert {(r.inputs["cidrIpv4"], r.inputs["fromPort"], r.inputs["toPort"]) for r in ingress.values()} == {
        ("10.0.0.0/16", 80, 80),
        ("10.0.0.0/16", 443, 443),
    }
    assert {(r.inputs["cidrIpv4"], r.inputs["fromPort"], r.inputs["toPort"]) for r in egress.values()} == {
        ("0.0.0.0/0", 80, 80),
        ("0.0.0.0/0", 443, 443),
    }
    assert all(rule.inputs["description"] for rule in (*ingress.values(), *egress.values()))


def test_a_newer_image_does_not_replace_the_nat_instance_but_a_chosen_one_does() -> None:
    newest = network(nat=Nat.INSTANCE)["net-nat"]
    chosen = network(nat=Nat.INSTANCE, nat_image_id="ami-1", nat_instance_type="t4g.micro")["net-nat"]
    assert (newest.inputs["ami"], newest.ignored) == ("ami-0123456789abcdef0", ("ami",))
    assert (chosen.inputs["ami"], chosen.ignored, chosen.inputs["instanceType"]) == ("ami-1", (), "t4g.micro")


def test_the_newest_image_is_looked_up_for_arm() -> None:
    asked = []

    def parameter(wanted: dict[str, Any]) -> dict[str, str]:
        asked.append(wanted["name"])
        return {"value": "ami-2"}

    deploy(lambda: Network("net", args(nat=Nat.INSTANCE)), lookups={"aws:ssm/getParameter:getParameter": parameter})
    assert asked == [IMAGE_PARAMETER]
    assert IMAGE_PARAMETER.endswith("arm64")


def test_the_nat_instance_survives_a_reboot_and_gives_up_installing_at_a_deadline() -> None:
    script = nat_user_data("10.0.0.0/16")
    assert script.startswith("#!/bin/bash\nset -euo pipefail\n")
    assert "net.ipv4.ip_forward = 1" in script
    assert "ip saddr 10.0.0.0/16 ip daddr != 10.0.0.0/16 masquerade" in script
    assert "systemctl enable --now nftables" in script
    assert "SECONDS < deadline" in script


@pytest.mark.parametrize("nat", Nat)
def test_s3_is_reached_privately_from_every_route_table(nat: Nat) -> None:
    inputs = network(nat=nat)["net-s3"].inputs
    assert inputs["serviceName"] == "com.amazonaws.eu-west-1.s3"
    assert inputs["vpcEndpointType"] == "Gateway"
    assert inputs["routeTableIds"] == ["net-public-routes-id", "net-private-a-routes-id", "net-private-b-routes-id"]


def test_interface_endpoints_stand_in_every_zone_for_the_vpc_only() -> None:
    resources = network(interface_endpoints=["ecr.api", "ssm"])
    for role, service in (("ecr-api", "ecr.api"), ("ssm", "ssm")):
        inputs = resources[f"net-endpoint-{role}"].inputs
        assert inputs["serviceName"] == f"com.amazonaws.eu-west-1.{service}"
        assert inputs["vpcEndpointType"] == "Interface"
        assert inputs["privateDnsEnabled"]
        assert inputs["subnetIds"] == ["net-private-a-id", "net-private-b-id"]
        assert inputs["securityGroupIds"] == ["net-endpoints-id"]
    rule = resources["net-endpoints-from-vpc"].inputs
    assert (rule["cidrIpv4"], rule["fromPort"], rule["toPort"]) == ("10.0.0.0/16", 443, 443)


def test_no_endpoints_means_no_group_for_them() -> None:
    assert "net-endpoints" not in network()


def test_every_flow_is_logged_for_the_retention() -> None:
    resources = network(flow_log_retention_days=30.0)
    log = resources["net-flow-log"].inputs
    assert (log["vpcId"], log["trafficType"]) == ("net-vpc-id", "ALL")
    assert log["logDestination"] == "arn:net-flow-log-group"
    assert log["iamRoleArn"] == "arn:net-flow-log-role"
    assert resources["net-flow-log-group"].inputs["retentionInDays"] == 30
    assert network()["net-flow-log-group"].inputs["retentionInDays"] == 365


def test_flow_logs_are_encrypted_with_the_callers_key() -> None:
    assert network(kms_key_arn="arn:key")["net-flow-log-group"].inputs["kmsKeyId"] == "arn:key"
    assert "kmsKeyId" not in network()["net-flow-log-group"].inputs


def test_the_flow_log_role_serves_this_account_and_one_log_group() -> None:
    resources = network()
    [trust] = json.loads(resources["net-flow-log-role"].inputs["assumeRolePolicy"])["Statement"]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    [write] = json.loads(resources["net-flow-log-policy"].inputs["policy"])["Statement"]
    assert write["Resource"] == ["arn:net-flow-log-group", "arn:net-flow-log-group:*"]


def test_explicit_subnets_are_taken() -> None:
    own = {"eu-west-1b": {"public": "10.0.240.0/24", "private": "10.0.241.0/24"}}
    resources = network(subnet_cidr_blocks=own)
    assert resources["net-public-b"].inputs["cidrBlock"] == "10.0.240.0/24"
    assert resources["net-private-b"].inputs["cidrBlock"] == "10.0.241.0/24"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"cidr_block": "10.0.0.0/28"}, "too small for the zones"),
        ({"nat": "gateway"}, "nat must be one of none, instance, single, per_zone, got 'gateway'"),
        ({"interface_endpoints": ["com.amazonaws.eu-west-1.ssm"]}, "interface_endpoints takes short service names"),
        ({"interface_endpoints": ["ssm", "ssm"]}, "interface_endpoints must differ, got ssm, ssm"),
        ({"flow_log_retention_days": 10}, "flow_log_retention_days must be one of 1, 3, .*, got 10"),
        (
            {"subnet_cidr_blocks": {"eu-west-1b": {"public": "10.0.0.0/24", "private": "10.0.240.0/24"}}},
            "public subnet of eu-west-1a 10.0.0.0/20 overlaps public subnet of eu-west-1b 10.0.0.0/24",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Network("net", args(**changes))
