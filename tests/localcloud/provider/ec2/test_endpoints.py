import json
from typing import Any

import pytest

ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"
S3 = "com.amazonaws.eu-west-1.s3"
SSM = "com.amazonaws.eu-west-1.ssm"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*"}]})


def routes_of(ec2: Any, table: Any) -> list[str]:
    found = ec2.api.call("ec2", "describe_route_tables", RouteTableIds=[table.id])["RouteTables"][0]["Routes"]
    return [route["GatewayId"] for route in found]


def test_a_gateway_endpoint_puts_its_routes(ec2: Any, vpc_id: str, refused: Any) -> None:
    first, second = (ec2.create("aws:ec2/routeTable:RouteTable", {"vpcId": vpc_id}) for _ in range(2))
    inputs = {"vpcId": vpc_id, "serviceName": S3, "routeTableIds": [first.id], "tags": {"Name": "s3"}}
    endpoint = ec2.create(ENDPOINT, inputs)
    assert endpoint.outputs["state"] == "available"
    assert endpoint.outputs["prefixListId"].startswith("pl-")
    assert routes_of(ec2, first) == ["local", endpoint.id]
    endpoint.update(routeTableIds=[second.id], tags={})
    assert (routes_of(ec2, first), routes_of(ec2, second)) == (["local"], ["local", endpoint.id])
    endpoint.update(routeTableIds=[second.id, first.id], policy=POLICY)
    assert json.loads(endpoint.imported()["policy"]) == json.loads(POLICY)
    endpoint.update(policy=None)
    assert endpoint.diff(serviceName=SSM).replaces == ("serviceName",)
    assert endpoint.diff(vpcEndpointType="Interface", routeTableIds=None).replaces == ("vpcEndpointType",)
    first.assert_unchanged()
    endpoint.delete()
    assert routes_of(ec2, second) == ["local"]
    assert "NotFound" in refused(ec2.create, ENDPOINT, {**inputs, "routeTableIds": ["rtb-0"]})
    first.delete()


def test_an_interface_endpoint_has_an_interface_in_each_subnet(ec2: Any, vpc_id: str, new_subnet: Any) -> None:
    zones = ("eu-west-1a", "eu-west-1b")
    first, second = (new_subnet(availabilityZone=zone) for zone in zones)
    group = ec2.create("aws:ec2/securityGroup:SecurityGroup", {"vpcId": vpc_id}, name="endpoints")
    endpoint = ec2.create(
        ENDPOINT,
        {
            "vpcId": vpc_id,
            "serviceName": SSM,
            "vpcEndpointType": "Interface",
            "privateDnsEnabled": True,
            "subnetIds": [first.id],
            "securityGroupIds": [group.id],
        },
    )
    interfaces = endpoint.outputs["networkInterfaceIds"]
    assert len(interfaces) == 1
    assert endpoint.outputs["dnsEntries"][0]["dnsName"].startswith(endpoint.id)
    endpoint.update(subnetIds=[second.id, first.id])
    assert endpoint.outputs["networkInterfaceIds"][0] == interfaces[0]
    endpoint.update(subnetIds=[second.id], privateDnsEnabled=False)
    first.delete()
    ec2.api.call("ec2", "modify_vpc_endpoint", VpcEndpointId=endpoint.id, RemoveSecurityGroupIds=[group.id])
    endpoint.inputs = endpoint.refresh()
    assert group.id not in endpoint.inputs["securityGroupIds"]
    endpoint.update(securityGroupIds=[group.id], tags={"Name": "ssm"})
    endpoint.delete()
    group.delete()
    second.delete()


def test_private_names_need_the_vpcs_dns(ec2: Any, refused: Any) -> None:
    vpc = ec2.create("aws:ec2/vpc:Vpc", {"cidrBlock": "10.5.0.0/16"})
    inputs = {"vpcId": vpc.id, "serviceName": SSM, "vpcEndpointType": "Interface", "privateDnsEnabled": True}
    assert "requires both enableDnsSupport and enableDnsHostnames" in refused(ec2.create, ENDPOINT, inputs)


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        ({"subnetIds": ["subnet-1"]}, "subnetIds", "for endpoints of type Interface"),
        ({"privateDnsEnabled": True}, "privateDnsEnabled", "for endpoints of type Interface"),
        (
            {"vpcEndpointType": "Interface", "routeTableIds": ["rtb-1"]},
            "routeTableIds",
            "for endpoints of type Gateway",
        ),
        ({"vpcEndpointType": "Tunnel"}, "vpcEndpointType", "one of Gateway, Interface, got 'Tunnel'"),
        ({"serviceName": "s3"}, "serviceName", "full name such as"),
        ({"policy": "[]"}, "policy", "JSON"),
    ],
)
def test_what_ec2_refuses_is_refused(ec2: Any, change: dict[str, Any], name: str, words: str) -> None:
    assert words in ec2.refusals(ENDPOINT, {"vpcId": "vpc-1", "serviceName": S3, **change})[name]


def test_a_flow_log_lives(ec2: Any, vpc_id: str, new_subnet: Any, refused: Any) -> None:
    inputs = {
        "vpcId": vpc_id,
        "trafficType": "ALL",
        "logDestination": "arn:aws:logs:eu-west-1:123456789012:log-group:flows",
        "iamRoleArn": "arn:aws:iam::123456789012:role/flows",
        "maxAggregationInterval": 60,
        "tags": {"Name": "flows"},
    }
    log = ec2.create(FLOW_LOG, inputs)
    assert log.outputs["arn"].endswith(f":vpc-flow-log/{log.id}")
    log.update(tags={"Name": "traffic"})
    assert log.imported().items() >= {**inputs, "tags": {"Name": "traffic"}}.items()
    changes: dict[str, Any] = {
        "trafficType": "REJECT",
        "maxAggregationInterval": 600,
        "iamRoleArn": "arn:aws:iam::1:role/x",
    }
    for name, value in changes.items():
        assert log.diff(**{name: value}).replaces == (name,)
    assert "FlowLogAlreadyExists" in refused(ec2.create, FLOW_LOG, inputs)
    log.delete()
    watched = {**inputs, "vpcId": None, "subnetId": new_subnet().id}
    ec2.create(FLOW_LOG, {name: value for name, value in watched.items() if value}).delete()
    bucket = {**inputs, "logDestinationType": "s3", "logDestination": "arn:aws:s3:::nowhere", "iamRoleArn": None}
    assert "does not exist" in refused(ec2.create, FLOW_LOG, bucket)


@pytest.mark.parametrize(
    ("change", "name", "words"),
    [
        ({"trafficType": "SOME"}, "trafficType", "one of ACCEPT, REJECT, ALL"),
        ({"maxAggregationInterval": 61}, "maxAggregationInterval", "one of 60, 600"),
        ({"logDestination": "flows"}, "logDestination", "the ARN of a log group or bucket"),
        ({"vpcId": None}, "vpcId", "one of vpcId, subnetId, eniId must be given"),
        ({"subnetId": "subnet-1"}, "subnetId", "cannot go together with vpcId"),
    ],
)
def test_what_flow_logs_refuse_is_refused(ec2: Any, change: dict[str, Any], name: str, words: str) -> None:
    inputs = {"vpcId": "vpc-1", "trafficType": "ALL", "logDestination": "arn:aws:s3:::flows", **change}
    assert words in ec2.refusals(FLOW_LOG, inputs)[name]
