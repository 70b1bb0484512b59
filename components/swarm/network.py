"""Security groups of a swarm: nodes talk among themselves, workers get requests from the load balancer."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2

from ..children import Children
from ..security_groups import ANYWHERE, Lane, allow_in, allow_out, allow_to, security_group

AMONG_NODES = (
    Lane("nodes-gossip-tcp", "tcp", 7946, "Who is in the swarm, node to node"),
    Lane("nodes-gossip-udp", "udp", 7946, "Who is in the swarm, node to node"),
    Lane("nodes-overlay", "udp", 4789, "The overlay network, node to node"),
    Lane("nodes-encrypted", "50", None, "The overlay network as it is encrypted (ESP), node to node"),
)
MANAGEMENT = Lane("nodes-orders", "tcp", 2377, "Joining the swarm and taking its orders")


@dataclass(frozen=True, slots=True)
class SwarmNetwork:
    """The groups, and what must exist before nodes are started in them."""

    nodes: ec2.SecurityGroup
    managers: ec2.SecurityGroup
    workers: ec2.SecurityGroup
    rules: tuple[pulumi.Resource, ...]


def swarm_network(
    children: Children, vpc_id: pulumi.Input[str], balancer_group_id: pulumi.Input[str], ports: Mapping[str, int]
) -> SwarmNetwork:
    """A group of all nodes, one of managers and one of workers, each with the rules that it needs; ports by colour."""
    nodes = security_group(children, "nodes", vpc_id, "All nodes of the swarm")
    managers = security_group(children, "managers", vpc_id, "Managers of the swarm")
    workers = security_group(children, "workers", vpc_id, "Workers of the swarm")
    # Amazon's own DNS, time and metadata services are no matter of security groups, and packages come over HTTPS.
    way_out = "Registry, logs, parameters, packages and session manager over HTTPS"
    rules: list[pulumi.Resource] = [allow_to(children, "to-https", nodes, ANYWHERE, 443, way_out)]
    for lane in AMONG_NODES:
        rules += [allow_in(children, nodes, nodes.id, lane), allow_out(children, nodes, nodes.id, lane)]
    rules += [allow_in(children, managers, nodes.id, MANAGEMENT), allow_out(children, nodes, managers.id, MANAGEMENT)]
    for colour, port in ports.items():
        lane = Lane(f"balancer-{colour}", "tcp", port, f"Requests from the load balancer to {colour}")
        rules.append(allow_in(children, workers, balancer_group_id, lane))
    return SwarmNetwork(nodes, managers, workers, tuple(rules))
