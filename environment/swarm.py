"""An environment's servers as a Docker swarm, in place of its twin fleets."""

import pulumi
import pulumi_aws as aws
import pulumi_docker as docker

from components.swarm_cluster import SwarmCluster, SwarmClusterArgs
from components.swarm_services import SwarmServices
from config.settings import Settings
from environment.servers import Site
from release.ledger import Colour


def services(site: Site) -> pulumi.Output[dict[str, str]]:
    """Declares nodes and services, and returns the services' names by colour."""
    wanted = site.wanted
    cluster: SwarmClusterArgs = {
        "environment": site.environment,
        "managers": wanted.swarm_managers,
        "workers": wanted.max_instances,
        "instance_types": wanted.instance_types,
        "volume_gib": wanted.volume_gib,
        "vpc_id": site.network.vpc_id,
        "subnet_ids": site.network.private_subnet_ids,
        "load_balancer_security_group_id": site.balancer.security_group_id,
        "target_group_arns": site.traffic.target_group_arns,
        "repository_arn": site.registry.arn,
        "log_group_arn": site.sight.log_group_arn,
        "kms_key_arn": site.key.arn,
        "permissions_boundary_arn": wanted.server_boundary_arn or None,
        "force_delete": not wanted.protects,
        "tags": site.tags,
    }
    if wanted.machine_image:
        cluster["image_id"] = wanted.machine_image
    nodes = SwarmCluster("swarm", cluster)
    images = {colour.value: site.released.image(colour) for colour in Colour}
    return SwarmServices(
        "app",
        {
            "environment": site.environment,
            "images": images,
            "replicas": {colour.value: replicas(site.released.capacity(colour), wanted) for colour in Colour},
            "log_group_name": site.sight.log_group_name,
            "region": aws.get_region_output().region,
        },
        _by_manager(nodes, wanted.swarm_host) if any(images.values()) else None,
    ).service_names


def replicas(capacity: int, wanted: Settings) -> int:
    """Tasks for a capacity of the ledger: as many as there are workers at most, since each takes one of a colour."""
    return min(capacity, wanted.max_instances)


def _by_manager(nodes: SwarmCluster, host: str) -> pulumi.ResourceOptions:
    """The Docker of a manager, once there are some; asked only where something runs, as it does not answer before."""
    manager = docker.Provider("swarm", host=host or None, opts=pulumi.ResourceOptions(depends_on=[nodes]))
    return pulumi.ResourceOptions(providers=[manager])
