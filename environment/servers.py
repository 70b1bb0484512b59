"""An environment's servers: twin fleets of scaling groups, with a data volume where the stack wants one.

swarm.py has the same place as a Docker swarm.
"""
# One call, one block, as in __main__.py.
# fmt: off

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.app_secrets import AppSecrets
from components.data_volume import DataVolume
from components.fleet import Fleet
from components.key import Key
from components.load_balancer import LoadBalancer
from components.network import Network
from components.observability import Observability
from components.registry import Registry
from components.traffic import TrafficSplit
from config.settings import Settings
from environment.released import Released
from release.ledger import Colour


@dataclass(frozen=True, kw_only=True)
class Site:
    """What servers stand in."""

    environment: str
    wanted: Settings
    zones: Sequence[str]
    released: Released
    key: Key
    registry: Registry
    network: Network
    balancer: LoadBalancer
    traffic: TrafficSplit
    sight: Observability
    secrets: AppSecrets | None
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Twins:
    """Both fleets, as others find them."""

    scaling_group_names: Mapping[str, pulumi.Output[str]]
    """By colour."""
    data_volume_id: pulumi.Output[str] | None


def fleets(site: Site) -> Twins:
    """Declares a fleet of each colour; with a data volume both in its zone, since only there a server can have it."""
    wanted, key, subnets = site.wanted, site.key, site.network.private_subnet_ids
    disk = DataVolume("data", {
        "zone": site.zones[0], "size_gib": wanted.data_volume_gib, "kms_key_arn": key.arn, "protects": wanted.protects,
        "tags": site.tags}) if wanted.data_volume_gib else None
    places = subnets.apply(lambda ids: ids[:1]) if disk else subnets
    made = {colour.value: Fleet(colour.value, {
        "colour": colour.value, "image": site.released.image(colour), "capacity": site.released.capacity(colour),
        "min_size": 1, "max_size": wanted.max_instances, "instance_types": wanted.instance_types,
        "volume_gib": wanted.volume_gib, "image_id": wanted.machine_image, "is_baked": bool(wanted.machine_image),
        "vpc_id": site.network.vpc_id, "subnet_ids": places, "repository_arn": site.registry.arn,
        "data_volume_arn": disk.volume_arn if disk else None, "data_volume_key_arn": key.arn if disk else None,
        "load_balancer_security_group_id": site.balancer.security_group_id,
        "log_group_name": site.sight.log_group_name, "log_group_arn": site.sight.log_group_arn,
        "target_group_arn": site.traffic.target_group_arns[colour.value],
        "secret_parameter_arns": site.secrets.parameter_arns if site.secrets else {},
        "permissions_boundary_arn": wanted.server_boundary_arn or None,
        "force_delete": not wanted.protects, "tags": {**site.tags, "Colour": colour.value}}) for colour in Colour}
    names = {colour: fleet.scaling_group_name for colour, fleet in made.items()}
    return Twins(names, disk.volume_id if disk else None)
