"""What EC2 refuses and moto does not: deleting what is in use, and tying together what cannot go together."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

from moto.ec2.exceptions import DependencyViolationError, EC2ClientError, RouteAlreadyExistsError, VolumeInUseError
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.nat_gateways import NatGateways
from moto.ec2.responses.route_tables import RouteTables
from moto.ec2.responses.security_groups import SecurityGroups
from moto.ec2.responses.subnets import Subnets
from moto.ec2.responses.vpcs import VPCs
from moto.elbv2.models import elbv2_backends

TARGETS = (
    "GatewayId", "NatGatewayId", "NetworkInterfaceId", "EgressOnlyInternetGatewayId", "TransitGatewayId",
    "VpcPeeringConnectionId", "InstanceId", "CarrierGatewayId", "VpcEndpointId", "LocalGatewayId", "CoreNetworkArn",
)  # fmt: skip
DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
GONE = ("terminated", "deleted")


def install() -> None:
    """Puts the refusals before moto's own handling in this process; a second call changes nothing."""
    for owner, name, refusal in REFUSALS:
        original = getattr(owner, name)
        if not hasattr(original, "__wrapped__"):
            setattr(owner, name, _after(refusal, original))


def _after(refusal: Callable[[Any], None], original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    @functools.wraps(original)
    def handle(request: Any) -> Any:
        refusal(request)
        return original(request)

    return handle


def _subnet_in_use(request: Any) -> None:
    subnet_id = request._get_param("SubnetId")
    for user in _users_of_subnet(request, subnet_id):
        raise DependencyViolationError(
            f"The subnet '{subnet_id}' has dependencies and cannot be deleted: {user} is in it."
        )


def _users_of_subnet(request: Any, subnet_id: str) -> Iterator[str]:
    yield from (one.id for one in request.ec2_backend.enis.copy().values() if one.subnet.id == subnet_id)
    for balancer in _load_balancers(request):
        if subnet_id in {subnet.id for subnet in balancer.subnets}:
            yield f"load balancer {balancer.name}"


def _load_balancers(request: Any) -> list[Any]:
    return list(elbv2_backends[request.current_account][request.region].load_balancers.copy().values())


def _zone_elsewhere(request: Any) -> None:
    zone = request._get_param("AvailabilityZone")
    names = [known.name for known in request.ec2_backend.describe_availability_zones()]
    if zone and zone not in names:
        raise EC2ClientError(
            "InvalidParameterValue",
            f"Value ({zone}) for parameter availabilityZone is invalid. This region has {', '.join(names)}.",
        )


def _vpc_in_use(request: Any) -> None:
    vpc_id = request._get_param("VpcId")
    for user in _users_of_vpc(request.ec2_backend, vpc_id):
        raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted: {user} is in it.")


def _users_of_vpc(backend: Any, vpc_id: str) -> Iterator[str]:
    yield from (one.id for one in backend.internet_gateways.copy().values() if one.vpc and one.vpc.id == vpc_id)
    yield from (one.id for one in backend.groups.get(vpc_id, {}).copy().values() if not one.is_default)
    for endpoint in backend.vpc_end_points.copy().values():
        if endpoint.vpc_id == vpc_id and endpoint.state not in GONE:
            yield endpoint.id


def _group_in_use(request: Any) -> None:
    group_id = request._get_param("GroupId")
    group = request.ec2_backend.get_security_group_from_id(group_id)
    if group is not None and group.is_default:
        raise EC2ClientError("CannotDelete", f"the specified group: '{group_id}' name: 'default' cannot be deleted")
    for user in _users_of_group(request, group_id):
        raise DependencyViolationError(f"resource {group_id} has a dependent object: {user}")


def _users_of_group(request: Any, group_id: str) -> Iterator[str]:
    backend = request.ec2_backend
    for interface in backend.enis.copy().values():
        if group_id in {group.id for group in interface.group_set}:
            yield interface.id
    for instance in backend.all_instances():
        if instance.state not in GONE and group_id in {group.id for group in instance.security_groups}:
            yield instance.id
    for balancer in _load_balancers(request):
        if group_id in (balancer.security_groups or []):
            yield f"load balancer {balancer.name}"
    for rule in backend.describe_security_group_rules([], {}):
        if rule.group_id != group_id and rule.source_group.get("GroupId") == group_id:
            yield f"{rule.id} of {rule.group_id}"


def _rule_without_ports(request: Any) -> None:
    for permission in request._get_param("IpPermissions", []):
        ports = permission.get("FromPort"), permission.get("ToPort")
        if permission.get("IpProtocol") in ("tcp", "udp", "6", "17") and (None in ports or -1 in map(int, ports)):
            raise EC2ClientError(
                "InvalidParameterValue",
                "Invalid value for portRange. Must specify both from and to ports with TCP/UDP.",
            )


def _nat_gateway_misplaced(request: Any) -> None:
    backend = request.ec2_backend
    if (request._get_param("ConnectivityType") or "public") == "private":
        return
    allocation = request._get_param("AllocationId")
    if not allocation:
        raise EC2ClientError("MissingParameter", "The request must include the AllocationId parameter.")
    if backend.address_by_allocation([allocation])[0].association_id:
        raise EC2ClientError("Resource.AlreadyAssociated", f"Elastic IP address [{allocation}] is already associated")
    vpc_id = backend.get_subnet(request._get_param("SubnetId")).vpc_id
    if not any(one.vpc and one.vpc.id == vpc_id for one in backend.internet_gateways.copy().values()):
        raise EC2ClientError("Gateway.NotAttached", f"Network {vpc_id} has no Internet gateway attached")


def _nat_gateway_gone(request: Any) -> None:
    _find_nat_gateway(request.ec2_backend, request._get_param("NatGatewayId"))


def _find_nat_gateway(backend: Any, nat_gateway_id: str) -> None:
    gateway = backend.nat_gateways.get(nat_gateway_id)
    if gateway is None or gateway.state in GONE:
        raise EC2ClientError("InvalidNatGatewayID.NotFound", f"NAT gateway {nat_gateway_id} was not found")


def _route_astray(request: Any) -> None:
    """A route that leads nowhere, to a NAT gateway that is gone, or to another network's internet gateway."""
    backend = request.ec2_backend
    if not any(request._get_param(target) for target in TARGETS):
        raise EC2ClientError("MissingParameter", "The request must contain a target for the route.")
    if request._get_param("NatGatewayId"):
        _find_nat_gateway(backend, request._get_param("NatGatewayId"))
    gateway = backend.internet_gateways.get(request._get_param("GatewayId"))
    table = backend.get_route_table(request._get_param("RouteTableId"))
    if gateway is not None and (gateway.vpc is None or gateway.vpc.id != table.vpc_id):
        raise EC2ClientError(
            "InvalidParameterValue",
            f"route table {table.id} and network gateway {gateway.id} belong to different networks",
        )


def _route_twice(request: Any) -> None:
    _route_astray(request)
    destination = next((value for value in map(request._get_param, DESTINATIONS) if value), None)
    if destination is None:
        raise EC2ClientError("MissingParameter", f"The request must contain one of {', '.join(DESTINATIONS)}.")
    table = request.ec2_backend.get_route_table(request._get_param("RouteTableId"))
    for route in table.routes:
        taken = (route.destination_cidr_block, route.destination_ipv6_cidr_block, route.destination_prefix_list_id)
        if destination in taken:
            raise RouteAlreadyExistsError(destination)


def _subnet_taken(request: Any) -> None:
    """A subnet has one route table, of its own VPC."""
    backend, subnet_id = request.ec2_backend, request._get_param("SubnetId")
    if not subnet_id:
        return
    wanted = backend.get_route_table(request._get_param("RouteTableId"))
    if backend.get_subnet(subnet_id).vpc_id != wanted.vpc_id:
        raise EC2ClientError(
            "InvalidParameterValue", f"Route table {wanted.id} and subnet {subnet_id} belong to different networks"
        )
    for table in backend.route_tables.copy().values():
        if subnet_id in table._associations.values():
            raise EC2ClientError(
                "Resource.AlreadyAssociated", f"the specified association for subnet {subnet_id} exists: {table.id}"
            )


def _endpoint_misplaced(request: Any) -> None:
    backend = request.ec2_backend
    vpc = backend.get_vpc(request._get_param("VpcId"))
    for group_id in request._get_param("SecurityGroupIds", []):
        if backend.get_security_group_from_id(group_id) is None:
            raise EC2ClientError("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
    for table_id in request._get_param("RouteTableIds", []):
        backend.get_route_table(table_id)
    if str(request._get_param("PrivateDnsEnabled")).lower() != "true":
        return
    if not (_is_on(vpc.enable_dns_support) and _is_on(vpc.enable_dns_hostnames)):
        raise EC2ClientError(
            "InvalidParameter",
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true",
        )


def _volume_taken(request: Any) -> None:
    """A volume has one instance at a time, in its own zone."""
    backend = request.ec2_backend
    volume, instance = (
        backend.get_volume(request._get_param("VolumeId")),
        backend.get_instance(request._get_param("InstanceId")),
    )
    if volume.attachment:
        raise VolumeInUseError(volume.id, volume.attachment.instance.id)
    if instance._state.name in GONE:
        raise EC2ClientError("IncorrectState", f"Instance '{instance.id}' is {instance._state.name}")
    if volume.availability_zone != instance._placement.zone:
        reason = f"The volume '{volume.id}' is not in the same availability zone as instance '{instance.id}'"
        raise EC2ClientError("InvalidVolume.ZoneMismatch", reason)


def _volume_shrunk(request: Any) -> None:
    volume, wanted = request.ec2_backend.get_volume(request._get_param("VolumeId")), request._get_param("Size")
    if wanted and int(wanted) < volume.size:
        raise EC2ClientError(
            "InvalidParameterValue", f"New size cannot be smaller than existing size: {wanted} after {volume.size} GiB"
        )


def _is_on(attribute: Any) -> bool:
    return str(attribute).lower() == "true"


REFUSALS: tuple[tuple[type, str, Callable[[Any], None]], ...] = (
    (Subnets, "create_subnet", _zone_elsewhere),
    (Subnets, "delete_subnet", _subnet_in_use),
    (VPCs, "delete_vpc", _vpc_in_use),
    (VPCs, "create_vpc_endpoint", _endpoint_misplaced),
    (SecurityGroups, "delete_security_group", _group_in_use),
    (SecurityGroups, "authorize_security_group_ingress", _rule_without_ports),
    (SecurityGroups, "authorize_security_group_egress", _rule_without_ports),
    (NatGateways, "create_nat_gateway", _nat_gateway_misplaced),
    (NatGateways, "delete_nat_gateway", _nat_gateway_gone),
    (RouteTables, "create_route", _route_twice),
    (RouteTables, "replace_route", _route_astray),
    (RouteTables, "associate_route_table", _subnet_taken),
    (ElasticBlockStore, "attach_volume", _volume_taken),
    (ElasticBlockStore, "modify_volume", _volume_shrunk),
)
