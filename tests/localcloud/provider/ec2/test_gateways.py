from typing import Any

VPC = "aws:ec2/vpc:Vpc"
INTERNET_GATEWAY = "aws:ec2/internetGateway:InternetGateway"
EIP = "aws:ec2/eip:Eip"
NAT_GATEWAY = "aws:ec2/natGateway:NatGateway"


def test_an_internet_gateway_moves_between_vpcs(ec2: Any) -> None:
    first, second = (ec2.create(VPC, {"cidrBlock": "10.2.0.0/16"}) for _ in range(2))
    gateway = ec2.create(INTERNET_GATEWAY, {"vpcId": first.id, "tags": {"Name": "internet"}})
    assert gateway.outputs["arn"].endswith(f":internet-gateway/{gateway.id}")
    gateway.update(vpcId=second.id, tags={"Name": "web"})
    assert gateway.imported() == {"vpcId": second.id, "tags": {"Name": "web"}}
    ec2.api.call("ec2", "detach_internet_gateway", InternetGatewayId=gateway.id, VpcId=second.id)
    assert gateway.refresh()["vpcId"] == ""
    gateway.update(vpcId=first.id)
    gateway.update(vpcId=None)
    gateway.update(vpcId=first.id)
    gateway.delete()
    first.delete()


def test_an_address_follows_its_instance(ec2: Any, new_subnet: Any) -> None:
    subnet = new_subnet()
    run = {"ImageId": "ami-12345678", "MinCount": 2, "MaxCount": 2, "SubnetId": subnet.id}
    first, second = (one["InstanceId"] for one in ec2.api.call("ec2", "run_instances", **run)["Instances"])
    address = ec2.create(EIP, {"domain": "vpc", "tags": {"Name": "nat"}})
    assert address.outputs["publicIp"].count(".") == 3
    assert address.outputs["associationId"] == ""
    address.update(instance=first)
    assert address.outputs["associationId"].startswith("eipassoc-")
    address.update(instance=second, tags={})
    address.update(instance=None)
    address.update(instance=first)
    ec2.api.call("ec2", "terminate_instances", InstanceIds=[first, second])
    assert address.refresh()["instance"] == ""
    assert address.imported()["domain"] == "vpc"
    address.delete()
    assert (
        "cannot go together" in ec2.refusals(EIP, {"instance": "i-1", "networkInterface": "eni-1"})["networkInterface"]
    )
    assert "must be one of vpc" in ec2.refusals(EIP, {"domain": "standard"})["domain"]


def test_a_nat_gateway_lives_and_frees_its_address(ec2: Any, new_subnet: Any, refused: Any) -> None:
    subnet, address = new_subnet(), ec2.create(EIP, {"domain": "vpc"})
    inputs = {"subnetId": subnet.id, "allocationId": address.id, "tags": {"Name": "nat-a"}}
    gateway = ec2.create(NAT_GATEWAY, inputs)
    assert gateway.outputs["publicIp"] == address.outputs["publicIp"]
    assert gateway.outputs["networkInterfaceId"].startswith("eni-")
    gateway.update(tags={"Name": "nat-b"})
    assert gateway.imported().items() >= {"subnetId": subnet.id, "connectivityType": "public"}.items()
    assert gateway.diff(connectivityType="private").replaces == ("connectivityType",)
    assert "AlreadyAssociated" in refused(ec2.create, NAT_GATEWAY, inputs)
    gateway.delete()
    address.delete()
    subnet.delete()


def test_a_nat_gateway_needs_a_way_out(ec2: Any, refused: Any) -> None:
    vpc = ec2.create(VPC, {"cidrBlock": "10.3.0.0/16"})
    subnet = ec2.create("aws:ec2/subnet:Subnet", {"vpcId": vpc.id, "cidrBlock": "10.3.0.0/24"})
    address = ec2.create(EIP, {"domain": "vpc"})
    inputs = {"subnetId": subnet.id, "allocationId": address.id}
    assert "Gateway.NotAttached" in refused(ec2.create, NAT_GATEWAY, inputs)
    assert "MissingParameter" in refused(ec2.create, NAT_GATEWAY, {"subnetId": subnet.id})
