"""VPCs and their subnets."""

import ipaddress
from collections.abc import Callable

from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.common import by_id, deletes, ec2_arn, filters
from localcloud.provider.tags import ec2_tags
from localcloud.provider.values import Properties


def _cidr(smallest: int, largest: int) -> Callable[[Properties], Failures]:
    """AWS refuses a block with host bits or outside the sizes it allows."""

    def rule(inputs: Properties) -> Failures:
        block = inputs.get("cidrBlock")
        if block is None:
            return
        try:
            prefix = ipaddress.IPv4Network(block).prefixlen
        except ValueError as error:
            yield "cidrBlock", f"{block!r} is not an IPv4 network: {error}"
            return
        if not largest <= prefix <= smallest:
            yield "cidrBlock", f"{block} is outside the sizes /{largest} to /{smallest}"

    return rule


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
    rules=(_cidr(28, 16),),
)
