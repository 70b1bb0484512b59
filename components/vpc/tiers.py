"""Subnets of one tier over all zones, with the route tables that make them public or private."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import ec2

from ..children import Children
from ..security_groups import ANYWHERE
from .subnets import ZoneSubnets, zone_letter


class RouteTarget(TypedDict):
    """What a private route table's way out leads to; one of the two."""

    nat_gateway_id: NotRequired[pulumi.Input[str]]
    network_interface_id: NotRequired[pulumi.Input[str]]


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier's subnets by zone, its route tables, and the resources that link the former to where they lead."""

    subnets: dict[str, ec2.Subnet] = field(default_factory=dict)
    route_tables: list[ec2.RouteTable] = field(default_factory=list)
    links: list[ec2.Route | ec2.RouteTableAssociation] = field(default_factory=list)

    def ids(self) -> dict[str, pulumi.Output[str]]:
        """Subnet ids by zone, known as soon as the subnets exist."""
        return {zone: subnet.id for zone, subnet in self.subnets.items()}

    def linked_ids(self) -> pulumi.Output[list[str]]:
        """Subnet ids by position of the zone, known once every link exists, so that dependants start with a way out."""
        links = pulumi.Output.all(*(link.id for link in self.links))
        return links.apply(lambda _: pulumi.Output.all(*self.ids().values()))


def public_tier(children: Children, vpc_id: pulumi.Input[str], plan: Mapping[str, ZoneSubnets]) -> Tier:
    """Public subnets on one route table that leads to an internet gateway; nothing gets a public address unasked."""
    tier = Tier()
    gateway = ec2.InternetGateway(
        children.name("internet"), vpc_id=vpc_id, tags=children.tagged("internet"), opts=children.options()
    )
    table = add_route_table(children, tier, "public-routes", vpc_id)
    add_route_out(children, tier, "public-out", table, gateway_id=gateway.id)
    for zone, blocks in plan.items():
        add_subnet(children, tier, f"public-{zone_letter(zone)}", vpc_id, zone, blocks.public, table)
    return tier


def private_tier(
    children: Children,
    vpc_id: pulumi.Input[str],
    plan: Mapping[str, ZoneSubnets],
    targets: Mapping[str, RouteTarget],
) -> Tier:
    """Private subnets with a route table each, which leads to the zone's target where there is one."""
    tier = Tier()
    for zone, blocks in plan.items():
        role = f"private-{zone_letter(zone)}"
        table = add_route_table(children, tier, f"{role}-routes", vpc_id)
        if zone in targets:
            add_route_out(children, tier, f"{role}-out", table, **targets[zone])
        add_subnet(children, tier, role, vpc_id, zone, blocks.private, table)
    return tier


def add_route_table(children: Children, tier: Tier, role: str, vpc_id: pulumi.Input[str]) -> ec2.RouteTable:
    """Adds a route table that leads nowhere but the VPC."""
    table = ec2.RouteTable(children.name(role), vpc_id=vpc_id, tags=children.tagged(role), opts=children.options())
    tier.route_tables.append(table)
    return table


def add_route_out(
    children: Children,
    tier: Tier,
    role: str,
    table: ec2.RouteTable,
    *,
    gateway_id: pulumi.Input[str] | None = None,
    nat_gateway_id: pulumi.Input[str] | None = None,
    network_interface_id: pulumi.Input[str] | None = None,
) -> None:
    """Adds the table's default route, to the one target given."""
    route = ec2.Route(
        children.name(role),
        route_table_id=table.id,
        destination_cidr_block=ANYWHERE,
        gateway_id=gateway_id,
        nat_gateway_id=nat_gateway_id,
        network_interface_id=network_interface_id,
        opts=children.options(),
    )
    tier.links.append(route)


def add_subnet(
    children: Children,
    tier: Tier,
    role: str,
    vpc_id: pulumi.Input[str],
    zone: str,
    cidr_block: str,
    table: ec2.RouteTable,
) -> None:
    """Adds the zone's subnet, on the given route table."""
    subnet = ec2.Subnet(
        children.name(role),
        vpc_id=vpc_id,
        availability_zone=zone,
        cidr_block=cidr_block,
        map_public_ip_on_launch=False,
        tags=children.tagged(role),
        opts=children.options(),
    )
    association = ec2.RouteTableAssociation(
        children.name(f"{role}-association"), subnet_id=subnet.id, route_table_id=table.id, opts=children.options()
    )
    tier.subnets[zone] = subnet
    tier.links.append(association)
