"""What moto's VPC endpoints forget: interfaces and routes that follow the subnets, groups and route tables."""

import json
from collections.abc import Callable
from typing import Any

from moto.ec2.models.vpcs import VPCBackend, VPCEndPoint
from moto.ec2.responses.vpcs import VPCs


def _create(original: Any, self: Any, **named: Any) -> Any:
    endpoint = original(self, **named)
    _sync(self, endpoint)
    return endpoint


def _modify(original: Any, self: Any, vpc_id: str, **named: Any) -> None:  # vpc_id: moto's name for the endpoint's id
    original(self, vpc_id=vpc_id, **named)
    _sync(self, self.vpc_end_points[vpc_id])


def _modify_response(original: Any, self: Any) -> Any:
    """Private names and the policy's reset are parameters that moto does not look at."""
    answer = original(self)
    endpoint = self.ec2_backend.vpc_end_points[self._get_param("VpcEndpointId")]
    private_names = self._get_param("PrivateDnsEnabled")
    if private_names is not None:
        endpoint.private_dns_enabled = str(private_names).lower() == "true"
    if self._get_param("ResetPolicy"):
        endpoint.policy_document = json.dumps(VPCEndPoint.DEFAULT_POLICY)
    return answer


def _delete(original: Any, self: Any, vpce_ids: list[str] | None = None) -> None:
    """Removes what the endpoint made; route tables that are gone by now do not matter."""
    for endpoint in filter(None, map(self.vpc_end_points.get, vpce_ids or [])):
        for interface_id in endpoint.network_interface_ids:
            self.enis.pop(interface_id, None)
        endpoint.route_table_ids = []
        _sync_routes(self, endpoint)
        endpoint.state = "deleted"


def _sync(backend: Any, endpoint: Any) -> None:
    if (endpoint.vpc_endpoint_type or "Gateway").lower() == "interface":
        _sync_interfaces(backend, endpoint)
    else:
        _sync_routes(backend, endpoint)


def _sync_interfaces(backend: Any, endpoint: Any) -> None:
    """One interface in each subnet, in the endpoint's groups (the VPC's default group where none is named)."""
    interfaces = [backend.enis[interface_id] for interface_id in endpoint.network_interface_ids]
    for interface in interfaces:
        if interface.subnet.id not in endpoint.subnet_ids:
            backend.enis.pop(interface.id, None)
    kept = [interface for interface in interfaces if interface.subnet.id in endpoint.subnet_ids]
    present = {interface.subnet.id for interface in kept}
    kept += [backend.create_network_interface(new, []) for new in endpoint.subnet_ids if new not in present]
    if not endpoint.security_group_ids:
        endpoint.security_group_ids = [backend.get_default_security_group(endpoint.vpc_id).id]
    for interface in kept:
        interface._group_set = [backend.get_security_group_from_id(one) for one in endpoint.security_group_ids]
        interface.description = f"VPC Endpoint Interface {endpoint.id}"
    endpoint.network_interface_ids = [interface.id for interface in kept]


def _sync_routes(backend: Any, endpoint: Any) -> None:
    prefix_list = endpoint.destination_prefix_list_id
    if not prefix_list:
        return
    for table in backend.route_tables.values():
        mine = [
            key
            for key, route in table._routes.items()
            if route.destination_prefix_list_id == prefix_list and route.gateway_id == endpoint.id
        ]
        is_wanted = table.id in endpoint.route_table_ids
        if is_wanted and not mine:
            backend.create_route(table.id, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list)
        for key in mine if not is_wanted else []:
            del table._routes[key]


ENDPOINT_MENDS: tuple[tuple[type, str, Callable[..., Any]], ...] = (
    (VPCBackend, "create_vpc_endpoint", _create),
    (VPCBackend, "modify_vpc_endpoint", _modify),
    (VPCBackend, "delete_vpc_endpoints", _delete),
    (VPCs, "modify_vpc_endpoint", _modify_response),
)
