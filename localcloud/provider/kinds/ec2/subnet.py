"""Subnets."""

from localcloud.provider.kind import AwsType, Change, Create, Prop, Read, Step
from localcloud.provider.kinds.common import by_id, deletes, ec2_arn
from localcloud.provider.kinds.ec2.ec2_rules import network, one_at_most
from localcloud.provider.tags import ec2_tags


def _switch(name: str, member: str) -> Step:
    def run(change: Change) -> None:
        change.call("modify_subnet_attribute", SubnetId=change.id, **{member: {"Value": change.inputs[name]}})

    return Step(frozenset({name}), run)


SUBNET = AwsType(
    token="aws:ec2/subnet:Subnet",
    service="ec2",
    properties={
        "vpcId": Prop(required=True),
        "cidrBlock": Prop(required=True),
        "availabilityZone": Prop(),
        "availabilityZoneId": Prop(),
        "mapPublicIpOnLaunch": Prop(default=False),
        "enableResourceNameDnsARecordOnLaunch": Prop(
            default=False, read="PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord"
        ),
        "tags": Prop(),
    },
    create=Create("create_subnet", "Subnet.SubnetId"),
    reads=(Read("describe_subnets", by_id("SubnetIds", many=True), "Subnets[0]"),),
    steps=(
        _switch("mapPublicIpOnLaunch", "MapPublicIpOnLaunch"),
        _switch("enableResourceNameDnsARecordOnLaunch", "EnableResourceNameDnsARecordOnLaunch"),
    ),
    delete=deletes("delete_subnet", "SubnetId"),
    outputs={"arn": ec2_arn("subnet"), "ownerId": "OwnerId"},
    tags=ec2_tags("subnet"),
    rules=(network("cidrBlock", largest=16, smallest=28),),
    presence=(one_at_most(["availabilityZone", "availabilityZoneId"]),),
)

TYPES = (SUBNET,)
