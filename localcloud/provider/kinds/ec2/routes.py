"""Route tables, their routes and the subnets that use them."""

from collections.abc import Mapping
from typing import Any

from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.common import by_id, deletes, ec2_arn
from localcloud.provider.kinds.ec2.ec2_rules import (
    just_one,
    network,
    network6,
    network6_failures,
    network_failures,
)
from localcloud.provider.tags import ec2_tags
from localcloud.provider.translate import same
from localcloud.provider.values import Properties

TARGETS: Mapping[str, str] = {
    "gatewayId": "GatewayId",
    "natGatewayId": "NatGatewayId",
    "networkInterfaceId": "NetworkInterfaceId",
    "egressOnlyGatewayId": "EgressOnlyInternetGatewayId",
    "transitGatewayId": "TransitGatewayId",
    "vpcPeeringConnectionId": "VpcPeeringConnectionId",
}
"""Where a route may lead: our property to EC2's parameter."""
DESTINATIONS: Mapping[str, str] = {
    "destinationCidrBlock": "DestinationCidrBlock",
    "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}
INLINE_DESTINATIONS: Mapping[str, str] = {
    "cidrBlock": "DestinationCidrBlock",
    "ipv6CidrBlock": "DestinationIpv6CidrBlock",
    "destinationPrefixListId": "DestinationPrefixListId",
}
"""The same in a route table's own list of routes."""
INLINE: Mapping[str, str] = {**INLINE_DESTINATIONS, **TARGETS}


def _own_routes(found: dict[str, Any]) -> list[dict[str, str]]:
    """Routes that somebody made: neither the VPC's own nor those of gateway endpoints."""
    made = (
        route
        for route in found.get("Routes", [])
        if route.get("GatewayId") != "local" and not route.get("GatewayId", "").startswith("vpce-")
    )
    return [{ours: route[theirs] for ours, theirs in INLINE.items() if route.get(theirs)} for route in made]


def _destination(route: Mapping[str, Any]) -> dict[str, str]:
    return {theirs: route[ours] for ours, theirs in INLINE_DESTINATIONS.items() if route.get(ours)}


def _set_routes(change: Change) -> None:
    """Makes the table's own routes those declared: first what is new or leads elsewhere, then what is no more."""
    table = change.call("describe_route_tables", RouteTableIds=[change.id])["RouteTables"][0]
    present, wanted = _own_routes(table), change.inputs.get("routes", [])
    there = [_destination(route) for route in present]
    for route in wanted:
        if any(same(_given(route), other) for other in present):
            continue
        method = "replace_route" if _destination(route) in there else "create_route"
        change.call(method, RouteTableId=change.id, **{INLINE[key]: value for key, value in _given(route).items()})
    kept = [_destination(route) for route in wanted]
    for destination in there:
        if destination not in kept:
            change.call("delete_route", RouteTableId=change.id, **destination)


def _given(route: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in route.items() if value not in (None, "")}


def _same_routes(declared: Any, actual: Any) -> bool:
    return same([_given(route) for route in declared], actual)


def _inline_routes(inputs: Properties) -> Failures:
    for route in inputs.get("routes", []):
        for key in sorted(_given(route).keys() - INLINE.keys()):
            yield "routes", f"the embedded cloud does not apply routes.{key}"
        if len(_destination(route)) != 1:
            yield "routes", f"a route needs just one of {', '.join(INLINE_DESTINATIONS)}, got {route}"
        if sum(1 for target in TARGETS if route.get(target)) != 1:
            yield "routes", f"a route needs just one of {', '.join(TARGETS)}, got {route}"
        if route.get("cidrBlock"):
            yield from (("routes", reason) for _, reason in network_failures("cidrBlock", route["cidrBlock"]))
        if route.get("ipv6CidrBlock"):
            yield from (("routes", reason) for _, reason in network6_failures("ipv6CidrBlock", route["ipv6CidrBlock"]))


ROUTE_TABLE = AwsType(
    token="aws:ec2/routeTable:RouteTable",
    service="ec2",
    properties={
        "vpcId": Prop(required=True),
        "routes": Prop(resettable=True, read=_own_routes, holds=_same_routes),
        "tags": Prop(),
    },
    create=Create("create_route_table", "RouteTable.RouteTableId"),
    reads=(Read("describe_route_tables", by_id("RouteTableIds", many=True), "RouteTables[0]"),),
    steps=(Step(frozenset({"routes"}), _set_routes),),
    delete=deletes("delete_route_table", "RouteTableId"),
    outputs={"arn": ec2_arn("route-table"), "ownerId": "OwnerId"},
    tags=ec2_tags("route-table"),
    rules=(_inline_routes,),
)


def _route_key(route_id: str) -> tuple[str, str, str]:
    """Table, EC2's parameter for the destination, and the destination, of a route's id: rtb-1_10.0.0.0/8."""
    table, _, destination = route_id.partition("_")
    kind = "Ipv6CidrBlock" if ":" in destination else "PrefixListId" if destination.startswith("pl-") else "CidrBlock"
    return table, f"Destination{kind}", destination


def _route_at(change: Change) -> str:
    table, parameter, destination = _route_key(change.id)
    return f"RouteTables[0].Routes[?{parameter}=='{destination}'].merge(@, {{RouteTableId: '{table}'}}) | [0]"


def _route_id(change: Change, _: dict[str, Any]) -> str:
    destination = next(change.inputs[name] for name in DESTINATIONS if change.inputs.get(name))
    return f"{change.inputs['routeTableId']}_{destination}"


def _reroute(change: Change) -> None:
    table, parameter, destination = _route_key(change.id)
    targets = {theirs: change.inputs.get(ours) for ours, theirs in TARGETS.items()}
    change.call("replace_route", RouteTableId=table, **{parameter: destination}, **targets)


def _delete_route(change: Change) -> None:
    table, parameter, destination = _route_key(change.id)
    change.call("delete_route", RouteTableId=table, **{parameter: destination})


ROUTE = AwsType(
    token="aws:ec2/route:Route",
    service="ec2",
    properties={
        "routeTableId": Prop(required=True),
        **{name: Prop() for name in DESTINATIONS},
        **{ours: Prop(at=theirs, resettable=True, read=f"{theirs} || ''") for ours, theirs in TARGETS.items()},
    },
    create=Create("create_route", _route_id),
    reads=(Read("describe_route_tables", lambda change: {"RouteTableIds": [_route_key(change.id)[0]]}, _route_at),),
    steps=(Step(frozenset(TARGETS), _reroute),),
    delete=_delete_route,
    outputs={"origin": "Origin", "state": "State", "instanceId": "InstanceId || ''"},
    rules=(network("destinationCidrBlock"), network6("destinationIpv6CidrBlock")),
    presence=(just_one(DESTINATIONS), just_one(TARGETS)),
)


def _associations(change: Change) -> dict[str, Any]:
    """By subnet where it is known, since a change of the table gives the association a new id."""
    subnet = change.inputs.get("subnetId")
    return {"Filters": [{"Name": "association.subnet-id", "Values": [subnet]}]} if subnet else {}


def _association_at(change: Change) -> str:
    subnet, gateway = change.inputs.get("subnetId"), change.inputs.get("gatewayId")
    if "/" in change.id:  # as it is imported: subnet or gateway, slash, route table
        target = change.id.partition("/")[0]
        subnet, gateway = (target, None) if target.startswith("subnet-") else (None, target)
    if subnet:
        wanted = f"SubnetId=='{subnet}'"
    elif gateway:
        wanted = f"GatewayId=='{gateway}'"
    else:
        wanted = f"RouteTableAssociationId=='{change.id}'"
    return f"RouteTables[].Associations[] | [?{wanted}] | [0]"


def _current_association(change: Change) -> str:
    """Its id now, or the one that it had if it is gone, so that EC2 says so."""
    found = change.kind.found(change) or {}
    return str(found.get("RouteTableAssociationId", change.id))


def _use_table(change: Change) -> None:
    current, table = _current_association(change), change.inputs["routeTableId"]
    change.call("replace_route_table_association", AssociationId=current, RouteTableId=table)


def _disassociate(change: Change) -> None:
    change.call("disassociate_route_table", AssociationId=_current_association(change))


ROUTE_TABLE_ASSOCIATION = AwsType(
    token="aws:ec2/routeTableAssociation:RouteTableAssociation",
    service="ec2",
    properties={"routeTableId": Prop(required=True), "subnetId": Prop(), "gatewayId": Prop()},
    create=Create("associate_route_table", "AssociationId"),
    reads=(Read("describe_route_tables", _associations, _association_at),),
    steps=(Step(frozenset({"routeTableId"}), _use_table),),
    delete=_disassociate,
    presence=(just_one(["subnetId", "gatewayId"]),),
)

TYPES = (ROUTE_TABLE, ROUTE, ROUTE_TABLE_ASSOCIATION)
