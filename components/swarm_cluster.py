"""The servers of a Docker swarm: managers and workers over zones, which find each other by parameters in SSM."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from .boot.swarm_user_data import Node, node_user_data
from .boot.user_data import encoded
from .bounds import MANAGER_COUNTS, whole
from .children import Children
from .former_names import remembering
from .instance_types import architecture
from .naming import COLOURS, SWARM_PORTS, colour_ports
from .parameters import parameter_name
from .servers.launch import newest_image
from .swarm.network import swarm_network
from .swarm.nodes import Kind, Machines, swarm_nodes
from .swarm.roles import Parameters, manager_policy, worker_policy

OVERLAY_BLOCK = "100.64.0.0/16"


class SwarmClusterArgs(TypedDict):
    """What a SwarmCluster needs to know."""

    environment: str
    """Name of the environment; nodes find each other by SSM parameters under /teal/<environment>/swarm."""
    workers: int
    """Workers that the swarm holds, 1 to 1000: tasks of one colour run on one worker each."""
    instance_types: Sequence[str]
    """EC2 instance types of one architecture, preferred first, for managers and workers."""
    vpc_id: pulumi.Input[str]
    """VPC that the nodes' security groups live in."""
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Private subnets, one a zone, that nodes start in."""
    load_balancer_security_group_id: pulumi.Input[str]
    """Security group of the load balancer, the only source of traffic to the workers' ports."""
    target_group_arns: pulumi.Input[Mapping[str, pulumi.Input[str]]]
    """Target group by colour; workers are in both, and one is healthy there while it runs a task of the colour."""
    repository_arn: pulumi.Input[str]
    """ECR repository that workers may pull from."""
    log_group_arn: pulumi.Input[str]
    """CloudWatch log group that tasks write to, without the trailing :*."""
    managers: NotRequired[int]
    """Managers that the swarm holds, 1, 3 or 5; 3 outlive the loss of one, 5 of two. Default 3."""
    ports: NotRequired[Mapping[str, int]]
    """TCP port that workers publish a colour's tasks on, by colour; default 8081 for blue, 8082 for green."""
    overlay_cidr_block: NotRequired[str]
    """IPv4 block of the overlay networks, apart from the VPC's, /8 to /20; default 100.64.0.0/16."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """KMS key that encrypts the join tokens; default SSM's own, by which whoever may read parameters reads them."""
    image_id: NotRequired[pulumi.Input[str]]
    """AMI that runs cloud-init and systemd; default the newest Amazon Linux 2023 of the types' architecture."""
    volume_gib: NotRequired[int]
    """Size of the root volume in GiB, 8 to 16384; default 16."""
    permissions_boundary_arn: NotRequired[pulumi.Input[str] | None]
    """IAM policy beyond which the nodes' roles can not go; default none."""
    boot_seconds: NotRequired[int]
    """Seconds that a node may take until it has joined, 30 to 3600; then it is given up. Default 300."""
    force_delete: NotRequired[bool]
    """Whether a destroy may drop the scaling groups without waiting for their instances to end; default false."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on every child, instance and volume, beside its own Name."""


class SwarmCluster(pulumi.ComponentResource):
    """A Docker swarm of its own on instances in private subnets, administered by SSM instead of SSH.

    Nodes make the swarm by themselves: the manager that is first to claim it starts it and writes the join tokens to
    SSM, all others join by them, and managers remove nodes whose instance is gone. Both scaling groups hold their
    size. What runs there is a matter of SwarmServices. Raises ValueError, naming the input, for one out of bounds.
    """

    manager_scaling_group_name: pulumi.Output[str]
    """Name of the managers' scaling group."""
    worker_scaling_group_name: pulumi.Output[str]
    """Name of the workers' scaling group."""
    manager_role_arn: pulumi.Output[str]
    """ARN of the role that managers have."""
    worker_role_arn: pulumi.Output[str]
    """ARN of the role that workers have."""
    node_security_group_id: pulumi.Output[str]
    """Security group of all nodes."""
    parameter_path: pulumi.Output[str]
    """Path of the SSM parameters that nodes find each other by."""

    def __init__(self, name: str, args: SwarmClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        path = parameter_name(args["environment"], "swarm")
        managers, ports = manager_count(args.get("managers", 3)), cluster_ports(args.get("ports"))
        workers = whole("workers", args["workers"], 1, 1000)
        pool = overlay_block(args.get("overlay_cidr_block", OVERLAY_BLOCK))
        volume_gib = whole("volume_gib", args.get("volume_gib", 16), 8, 16_384)
        boot_seconds = whole("boot_seconds", args.get("boot_seconds", 300), 30, 3600)
        processor = architecture(args["instance_types"])
        super().__init__("teal:index:SwarmCluster", name, {}, remembering("teal:index:SwarmCluster", name, opts))
        children = Children(name, args.get("tags", {}), self)

        network = swarm_network(children, args["vpc_id"], args["load_balancer_security_group_id"], ports)
        machines = Machines(
            instance_types=args["instance_types"],
            image_id=args.get("image_id") or newest_image(children, processor),
            volume_gib=volume_gib,
            boot_seconds=boot_seconds,
            subnet_ids=args["subnet_ids"],
            boundary_arn=args.get("permissions_boundary_arn"),
            force_delete=args.get("force_delete", False),
        )
        key_arn = pulumi.Output.from_input(args.get("kms_key_arn") or "")
        parameters = _parameters(children, path, key_arn)

        def told(role: str) -> pulumi.Output[str]:
            known = pulumi.Output.all(identity=network.nodes.id, key=key_arn)
            return known.apply(
                lambda known: encoded(
                    node_user_data(Node(cluster=args["environment"], role=role, parameters=path, pool=pool, **known))
                )
            )

        def kind(role: str) -> Children:
            parent = replace(children, component_name=children.name(f"{role}s"))
            return parent.following(*network.rules)

        managing = swarm_nodes(
            kind("manager"),
            machines,
            Kind(
                role="manager",
                count=managers,
                user_data=told("manager"),
                policy=parameters.apply(manager_policy),
                groups=(network.nodes, network.managers),
            ),
        )
        reach = pulumi.Output.all(parameters, args["repository_arn"], args["log_group_arn"])
        working = swarm_nodes(
            kind("worker"),
            machines,
            Kind(
                role="worker",
                count=workers,
                user_data=told("worker"),
                policy=reach.apply(lambda known: worker_policy(*known)),
                groups=(network.nodes, network.workers),
                target_group_arns=_by_colour(args["target_group_arns"]),
            ),
        )

        self.manager_scaling_group_name = managing.group.name
        self.worker_scaling_group_name = working.group.name
        self.manager_role_arn = managing.role.arn
        self.worker_role_arn = working.role.arn
        self.node_security_group_id = network.nodes.id
        self.parameter_path = pulumi.Output.from_input(path)
        self.register_outputs(
            {
                "manager_scaling_group_name": self.manager_scaling_group_name,
                "worker_scaling_group_name": self.worker_scaling_group_name,
                "manager_role_arn": self.manager_role_arn,
                "worker_role_arn": self.worker_role_arn,
                "node_security_group_id": self.node_security_group_id,
                "parameter_path": self.parameter_path,
            }
        )


def manager_count(managers: float) -> int:
    """How many managers. Raises ValueError for a number that is not 1, 3 or 5."""
    if managers not in MANAGER_COUNTS:
        raise ValueError(f"managers must be one of {', '.join(map(str, MANAGER_COUNTS))}, got {managers:g}")
    return int(managers)


def cluster_ports(ports: Mapping[str, float] | None) -> dict[str, int]:
    """Published port by colour, by default 8081 and 8082. Raises ValueError for ports that can't be."""
    found = colour_ports(ports or SWARM_PORTS)
    for colour, port in found.items():
        whole(f"ports for {colour}", port, 1024, 65_535)
        if port in (2377, 4789, 5000, 7946):
            raise ValueError(f"ports for {colour} must be another than {port}, which nodes use themselves")
    return found


def overlay_block(block: str) -> str:
    """The block as Docker takes it. Raises ValueError for one that is none, or of another size."""
    try:
        network = IPv4Network(block)
    except ValueError as error:
        raise ValueError(f"overlay_cidr_block must be an IPv4 block: {error}") from None
    if not 8 <= network.prefixlen <= 20:
        raise ValueError(f"overlay_cidr_block must be of size /8 to /20, got {block}")
    return str(network)


def _parameters(children: Children, path: str, key_arn: pulumi.Output[str]) -> pulumi.Output[Parameters]:
    def known(values: Mapping[str, Any]) -> Parameters:
        return Parameters(prefix=path, **values)

    return pulumi.Output.all(
        account_id=aws.get_caller_identity_output(opts=children.invoke_options()).account_id,
        region=aws.get_region_output(opts=children.invoke_options()).region,
        partition=aws.get_partition_output(opts=children.invoke_options()).partition,
        key_arn=key_arn,
    ).apply(known)


def _by_colour(arns: pulumi.Input[Mapping[str, pulumi.Input[str]]]) -> pulumi.Output[list[str]]:
    known: pulumi.Output[Mapping[str, str]] = pulumi.Output.from_input(arns)  # type: ignore[arg-type]  # flattens
    return known.apply(lambda known: [known[colour] for colour in COLOURS])
