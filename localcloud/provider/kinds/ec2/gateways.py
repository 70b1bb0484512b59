"""Ways in and out of a VPC: internet gateways, fixed public addresses, NAT gateways."""

from typing import Any

from localcloud.provider.kind import AwsType, Change, Create, Prop, Read, Step
from localcloud.provider.kinds.bounds import among
from localcloud.provider.kinds.common import by_id, deletes, ec2_arn
from localcloud.provider.kinds.ec2.ec2_rules import one_at_most
from localcloud.provider.tags import ec2_tags
from localcloud.provider.values import Properties

TARGETS = ("instance", "networkInterface")


def _attached_to(change: Change) -> str | None:
    gateways = change.call("describe_internet_gateways", InternetGatewayIds=[change.id])["InternetGateways"]
    attachments = gateways[0].get("Attachments", [])
    return str(attachments[0]["VpcId"]) if attachments else None


def _attach(change: Change) -> None:
    """Detaches from where it is now, whatever our state says, and attaches to where it belongs."""
    current, wanted = _attached_to(change), change.inputs.get("vpcId")
    if current and current != wanted:
        change.call("detach_internet_gateway", InternetGatewayId=change.id, VpcId=current)
    if wanted and current != wanted:
        change.call("attach_internet_gateway", InternetGatewayId=change.id, VpcId=wanted)


def _delete_internet_gateway(change: Change) -> None:
    current = _attached_to(change)
    if current:
        change.call("detach_internet_gateway", InternetGatewayId=change.id, VpcId=current)
    change.call("delete_internet_gateway", InternetGatewayId=change.id)


INTERNET_GATEWAY = AwsType(
    token="aws:ec2/internetGateway:InternetGateway",
    service="ec2",
    properties={"vpcId": Prop(resettable=True, read="Attachments[0].VpcId || ''"), "tags": Prop()},
    create=Create("create_internet_gateway", "InternetGateway.InternetGatewayId"),
    reads=(Read("describe_internet_gateways", by_id("InternetGatewayIds", many=True), "InternetGateways[0]"),),
    steps=(Step(frozenset({"vpcId"}), _attach),),
    delete=_delete_internet_gateway,
    outputs={"arn": ec2_arn("internet-gateway"), "ownerId": "OwnerId"},
    tags=ec2_tags("internet-gateway"),
)


def _address(change: Change) -> Properties:
    return dict(change.call("describe_addresses", AllocationIds=[change.id])["Addresses"][0])


def _associate(change: Change) -> None:
    """Points the address to its target, taking it from the one before; without a target, to nothing."""
    instance, interface = change.inputs.get("instance"), change.inputs.get("networkInterface")
    if instance or interface:
        change.call(
            "associate_address",
            AllocationId=change.id, InstanceId=instance, NetworkInterfaceId=interface, AllowReassociation=True,
        )  # fmt: skip
    elif association := _address(change).get("AssociationId"):
        change.call("disassociate_address", AssociationId=association)


def _release(change: Change) -> None:
    if association := _address(change).get("AssociationId"):
        change.call("disassociate_address", AssociationId=association)
    change.call("release_address", AllocationId=change.id)


def _public_dns(change: Change, found: dict[str, Any]) -> str:
    zone = "compute-1" if change.api.region == "us-east-1" else f"{change.api.region}.compute"
    return f"ec2-{found['PublicIp'].replace('.', '-')}.{zone}.amazonaws.com"


EIP = AwsType(
    token="aws:ec2/eip:Eip",
    service="ec2",
    properties={
        "domain": Prop(),
        "address": Prop(read="PublicIp"),
        "instance": Prop(resettable=True, read="InstanceId || ''"),
        "networkInterface": Prop(resettable=True, read="NetworkInterfaceId || ''"),
        "tags": Prop(),
    },
    create=Create("allocate_address", "AllocationId"),
    reads=(Read("describe_addresses", by_id("AllocationIds", many=True), "Addresses[0]"),),
    steps=(Step(frozenset(TARGETS), _associate),),
    delete=_release,
    outputs={
        "arn": ec2_arn("elastic-ip"),
        "allocationId": "AllocationId",
        "associationId": "AssociationId || ''",
        "publicIp": "PublicIp",
        "publicDns": _public_dns,
        "privateIp": "PrivateIpAddress || ''",
    },
    volatile=frozenset({"associationId", "privateIp"}),
    stirred_by=frozenset(TARGETS),
    tags=ec2_tags("elastic-ip"),
    rules=(among("domain", "vpc"),),
    presence=(one_at_most(TARGETS),),
)

NAT_GATEWAY = AwsType(
    token="aws:ec2/natGateway:NatGateway",
    service="ec2",
    properties={
        "subnetId": Prop(required=True),
        "allocationId": Prop(read="NatGatewayAddresses[0].AllocationId"),
        "connectivityType": Prop(default="public"),
        "tags": Prop(),
    },
    create=Create("create_nat_gateway", "NatGateway.NatGatewayId"),
    reads=(
        Read(
            "describe_nat_gateways",
            by_id("NatGatewayIds", many=True),
            "NatGateways[0]",
            gone_if="contains(['deleting', 'deleted', 'failed'], State)",
        ),
    ),
    delete=deletes("delete_nat_gateway", "NatGatewayId"),
    outputs={
        "associationId": "NatGatewayAddresses[0].AssociationId",
        "networkInterfaceId": "NatGatewayAddresses[0].NetworkInterfaceId",
        "privateIp": "NatGatewayAddresses[0].PrivateIp",
        "publicIp": "NatGatewayAddresses[0].PublicIp",
        "vpcId": "VpcId",
    },
    tags=ec2_tags("natgateway"),
    rules=(among("connectivityType", "public", "private"),),
)

TYPES = (INTERNET_GATEWAY, EIP, NAT_GATEWAY)
