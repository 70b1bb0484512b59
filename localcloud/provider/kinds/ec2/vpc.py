"""VPCs."""

from localcloud.provider.kind import AwsType, Change, Create, Prop, Read, Step
from localcloud.provider.kinds.common import by_id, deletes, ec2_arn, filters
from localcloud.provider.kinds.ec2.ec2_rules import network
from localcloud.provider.tags import ec2_tags


def _vpc_attribute(name: str, member: str) -> Step:
    def run(change: Change) -> None:
        change.call("modify_vpc_attribute", VpcId=change.id, **{member: {"Value": change.inputs[name]}})

    return Step(frozenset({name}), run)


def _attribute_read(attribute: str, member: str) -> Read:
    return Read(
        "describe_vpc_attribute",
        lambda change: {"VpcId": change.id, "Attribute": attribute},
        at=f"{member}.{{{member}: Value}}",
    )


VPC = AwsType(
    token="aws:ec2/vpc:Vpc",
    service="ec2",
    properties={
        "cidrBlock": Prop(required=True),
        "instanceTenancy": Prop(default="default"),
        "enableDnsSupport": Prop(default=True),
        "enableDnsHostnames": Prop(default=False),
        "tags": Prop(),
    },
    create=Create("create_vpc", "Vpc.VpcId"),
    reads=(
        Read("describe_vpcs", by_id("VpcIds", many=True), "Vpcs[0]"),
        _attribute_read("enableDnsSupport", "EnableDnsSupport"),
        _attribute_read("enableDnsHostnames", "EnableDnsHostnames"),
        Read(
            "describe_route_tables",
            lambda change: {"Filters": filters({"vpc-id": change.id, "association.main": "true"})},
            "RouteTables[0].{MainRouteTableId: RouteTableId}",
        ),
        Read(
            "describe_security_groups",
            lambda change: {"Filters": filters({"vpc-id": change.id, "group-name": "default"})},
            "SecurityGroups[0].{DefaultSecurityGroupId: GroupId}",
        ),
    ),
    steps=(
        _vpc_attribute("enableDnsSupport", "EnableDnsSupport"),
        _vpc_attribute("enableDnsHostnames", "EnableDnsHostnames"),
    ),
    delete=deletes("delete_vpc", "VpcId"),
    outputs={
        "arn": ec2_arn("vpc"),
        "ownerId": "OwnerId",
        "mainRouteTableId": "MainRouteTableId",
        "defaultSecurityGroupId": "DefaultSecurityGroupId",
    },
    tags=ec2_tags("vpc"),
    rules=(network("cidrBlock", largest=16, smallest=28),),
)

TYPES = (VPC,)
