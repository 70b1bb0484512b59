from typing import Any

import pytest

ROUTE_TABLE = "aws:ec2/routeTable:RouteTable"
ROUTE = "aws:ec2/route:Route"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
ANYWHERE = "0.0.0.0/0"


@pytest.fixture(scope="module")
def gateway_id(ec2: Any, vpc_id: str) -> str:
    filters = [{"Name": "attachment.vpc-id", "Values": [vpc_id]}]
    found = ec2.api.call("ec2", "describe_internet_gateways", Filters=filters)
    return str(found["InternetGateways"][0]["InternetGatewayId"])


@pytest.fixture
def interface_id(ec2: Any, new_subnet: Any) -> str:
    return str(
        ec2.api.call("ec2", "create_network_interface", SubnetId=new_subnet().id)["NetworkInterface"][
            "NetworkInterfaceId"
        ]
    )


def test_a_route_table_lives(ec2: Any, vpc_id: str, gateway_id: str, interface_id: str) -> None:
    table = ec2.create(ROUTE_TABLE, {"vpcId": vpc_id, "tags": {"Name": "public"}})
    assert table.outputs["arn"].endswith(f":route-table/{table.id}")
    table.update(tags={"Name": "open"})
    table.update(routes=[{"cidrBlock": ANYWHERE, "gatewayId": gateway_id}])
    table.update(routes=[{"cidrBlock": ANYWHERE, "networkInterfaceId": interface_id}])
    table.update(routes=[{"cidrBlock": "8.0.0.0/8", "gatewayId": gateway_id, "natGatewayId": ""}])
    assert table.imported()["routes"] == [{"cidrBlock": "8.0.0.0/8", "gatewayId": gateway_id}]
    ec2.api.call("ec2", "delete_route", RouteTableId=table.id, DestinationCidrBlock="8.0.0.0/8")
    assert table.refresh()["routes"] == []
    table.update(routes=None)
    assert table.diff(vpcId="vpc-2").replaces == ("vpcId",)
    table.delete()


def test_a_route_lives(ec2: Any, vpc_id: str, gateway_id: str, interface_id: str, refused: Any) -> None:
    table = ec2.create(ROUTE_TABLE, {"vpcId": vpc_id})
    inputs = {"routeTableId": table.id, "destinationCidrBlock": ANYWHERE, "gatewayId": gateway_id}
    route = ec2.create(ROUTE, inputs)
    assert route.id == f"{table.id}_{ANYWHERE}"
    assert route.outputs["state"] == "active"
    assert route.imported() == inputs
    route.update(gatewayId=None, networkInterfaceId=interface_id)
    assert route.diff(destinationCidrBlock="8.0.0.0/8").replaces == ("destinationCidrBlock",)
    assert "RouteAlreadyExists" in refused(ec2.create, ROUTE, inputs)
    target = {"RouteTableId": table.id, "DestinationCidrBlock": ANYWHERE, "GatewayId": gateway_id}
    ec2.api.call("ec2", "replace_route", **target)
    assert route.refresh()["networkInterfaceId"] == ""
    assert table.outputs.get("routes", []) == []
    route.delete()
    table.delete()
    assert route.refresh() is None


def test_a_route_that_leads_nowhere_is_refused(ec2: Any, vpc_id: str, refused: Any) -> None:
    table = ec2.create(ROUTE_TABLE, {"vpcId": vpc_id})
    inputs = {"routeTableId": table.id, "destinationCidrBlock": ANYWHERE}
    assert "one of gatewayId" in ec2.refusals(ROUTE, inputs)["gatewayId"]
    both = {**inputs, "gatewayId": "igw-1", "natGatewayId": "nat-1"}
    assert "cannot go together with gatewayId" in ec2.refusals(ROUTE, both)["natGatewayId"]
    assert "host bits" in ec2.refusals(ROUTE, {**inputs, "destinationCidrBlock": "10.0.0.1/8"})["destinationCidrBlock"]
    assert "NotFound" in refused(ec2.create, ROUTE, {**inputs, "natGatewayId": "nat-0123456789abcdef0"})
    elsewhere = ec2.create("aws:ec2/internetGateway:InternetGateway", {})
    assert "different networks" in refused(ec2.create, ROUTE, {**inputs, "gatewayId": elsewhere.id})
    assert "does not apply routes.nonsense" in ec2.refusals(
        ROUTE_TABLE, {"vpcId": vpc_id, "routes": [{"cidrBlock": ANYWHERE, "gatewayId": "igw-1", "nonsense": 1}]}
    ).get("routes", "")


def test_an_association_keeps_its_id_when_the_table_changes(
    ec2: Any, vpc_id: str, new_subnet: Any, refused: Any
) -> None:
    subnet = new_subnet()
    first, second = (ec2.create(ROUTE_TABLE, {"vpcId": vpc_id}) for _ in range(2))
    inputs = {"subnetId": subnet.id, "routeTableId": first.id}
    association = ec2.create(ASSOCIATION, inputs)
    assert association.id.startswith("rtbassoc-")
    assert association.imported() == inputs
    assert association.diff(subnetId="subnet-2").replaces == ("subnetId",)
    assert "AlreadyAssociated" in refused(ec2.create, ASSOCIATION, {**inputs, "routeTableId": second.id})
    association.update(routeTableId=second.id)
    association.update(routeTableId=first.id)
    assert "DependencyViolation" in refused(first.delete)
    kind = ec2.package.types[ASSOCIATION]
    assert kind.read(ec2.api, f"{subnet.id}/{first.id}", {}, {}).inputs == inputs
    association.delete()
    first.delete()


def test_a_deleted_subnet_frees_its_table(ec2: Any, vpc_id: str, new_subnet: Any) -> None:
    subnet, table = new_subnet(), ec2.create(ROUTE_TABLE, {"vpcId": vpc_id})
    association = ec2.create(ASSOCIATION, {"subnetId": subnet.id, "routeTableId": table.id})
    subnet.delete()
    assert association.refresh() is None
    table.delete()
