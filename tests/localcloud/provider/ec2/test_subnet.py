from typing import Any

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"


def test_a_subnet_lives(ec2: Any, new_subnet: Any) -> None:
    subnet = new_subnet(tags={"Name": "public-a"})
    assert subnet.outputs["arn"] == f"arn:aws:ec2:eu-west-1:123456789012:subnet/{subnet.id}"
    assert subnet.outputs["mapPublicIpOnLaunch"] is False
    subnet.update(mapPublicIpOnLaunch=True, tags={"Name": "open-a"})
    subnet.update(enableResourceNameDnsARecordOnLaunch=True)
    assert subnet.imported().items() >= {"tags": {"Name": "open-a"}, "mapPublicIpOnLaunch": True}.items()
    assert subnet.diff(cidrBlock="10.0.250.0/24").replaces == ("cidrBlock",)
    assert subnet.diff(availabilityZone="eu-west-1b").replaces == ("availabilityZone",)
    subnet.delete()


def test_what_changed_behind_our_back_is_seen(ec2: Any, new_subnet: Any) -> None:
    subnet = new_subnet()
    ec2.api.call("ec2", "modify_subnet_attribute", SubnetId=subnet.id, MapPublicIpOnLaunch={"Value": True})
    assert subnet.refresh()["mapPublicIpOnLaunch"] is True


def test_blocks_that_overlap_or_lie_outside_are_refused(ec2: Any, new_subnet: Any, vpc_id: str, refused: Any) -> None:
    taken = new_subnet().inputs["cidrBlock"]
    place = {"vpcId": vpc_id, "availabilityZone": "eu-west-1a"}
    assert "InvalidSubnet.Conflict" in refused(ec2.create, SUBNET, {**place, "cidrBlock": taken})
    assert "InvalidSubnet.Range" in refused(ec2.create, SUBNET, {**place, "cidrBlock": "10.9.0.0/24"})
    refusal = ec2.refusals(SUBNET, {"vpcId": vpc_id, "cidrBlock": "10.0.0.1/24"})
    assert "host bits" in refusal["cidrBlock"]
    assert "/16 to /28" in ec2.refusals(SUBNET, {"vpcId": vpc_id, "cidrBlock": "10.0.0.0/29"})["cidrBlock"]


def test_a_zone_of_another_region_is_refused(ec2: Any, vpc_id: str, refused: Any) -> None:
    inputs = {"vpcId": vpc_id, "cidrBlock": "10.0.255.0/24", "availabilityZone": "eu-central-1a"}
    assert "This region has eu-west-1a, eu-west-1b, eu-west-1c" in refused(ec2.create, SUBNET, inputs)


def test_a_subnet_in_use_stays(ec2: Any, new_subnet: Any, refused: Any) -> None:
    subnet = new_subnet()
    interface = ec2.api.call("ec2", "create_network_interface", SubnetId=subnet.id)["NetworkInterface"]
    line = refused(subnet.delete)
    assert line.startswith("ec2 delete_subnet: DependencyViolation: ")
    assert interface["NetworkInterfaceId"] in line


def test_a_vpc_in_use_stays_and_an_empty_one_leaves_nothing(ec2: Any, refused: Any) -> None:
    vpc = ec2.create(VPC, {"cidrBlock": "10.1.0.0/16"})
    gateway = ec2.create("aws:ec2/internetGateway:InternetGateway", {"vpcId": vpc.id})
    assert gateway.id in refused(vpc.delete)
    gateway.delete()
    vpc.delete()
    about = {"Filters": [{"Name": "vpc-id", "Values": [vpc.id]}]}
    assert ec2.api.call("ec2", "describe_network_acls", **about)["NetworkAcls"] == []
    assert ec2.api.call("ec2", "describe_security_groups", **about)["SecurityGroups"] == []
    assert ec2.api.call("ec2", "describe_route_tables", **about)["RouteTables"] == []
