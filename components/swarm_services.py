"""Blue and green as two services of a Docker swarm, on an encrypted network of their own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import pulumi
import pulumi_docker as docker

from .boot.user_data import check_environment
from .bounds import whole
from .former_names import remembering
from .naming import COLOURS
from .parameters import parameter_name
from .swarm_cluster import cluster_ports

DOOR = "127.0.0.1:5000/"
"""Where a worker's own door to ECR listens: components/boot/swarm_door.py."""
SCRATCH = ("/run", "/tmp")  # noqa: S108  # the container's own
DROPPED = "ALL"

_IMAGE = re.compile(r"[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}")
_NAMED_BY_US = '{{if gt (len .Node.Hostname) 20}}{{if eq (slice .Node.Hostname 0 2) "i-"}}%s{{end}}{{end}}'
_ZONE = _NAMED_BY_US % "{{slice .Node.Hostname 20}}"
"""The end of a node's name, which the boot script makes of instance id (19 characters), a dot, and zone."""


class SwarmServicesArgs(TypedDict):
    """What SwarmServices need to know."""

    environment: str
    """Name of the environment; services are called teal-<environment>-<colour>."""
    images: Mapping[str, pulumi.Input[str]]
    """Image in ECR by digest, <registry>/<repository>@sha256:<64 hex digits>, by colour; plainly empty while none."""
    replicas: Mapping[str, int]
    """Tasks by colour, 0 to 1000, from the ledger, at most one on a worker. Plain, so that a preview shows it."""
    log_group_name: pulumi.Input[str]
    """CloudWatch log group that tasks write to."""
    region: pulumi.Input[str]
    """AWS region of that log group."""
    ports: NotRequired[Mapping[str, int]]
    """TCP port that workers publish a colour's tasks on, by colour; default 8081 for blue, 8082 for green."""
    container_port: NotRequired[int]
    """TCP port that the container answers HTTP on, 1024 to 65535; default 8080."""
    memory_mib: NotRequired[int]
    """Memory that a task may take, 64 to 1048576 MiB; default 512. A worker has room for one of each colour."""
    stop_seconds: NotRequired[int]
    """Seconds that a task may take to finish once it is told to stop, 1 to 3600; default 60."""
    environment_variables: NotRequired[Mapping[str, str]]
    """Variables for the containers, no names on TEAL_. No secrets: whoever may look at the service reads them."""


class SwarmServices(pulumi.ComponentResource):
    """The services that run a blue/green app in a swarm; they need the Docker provider of one of its managers.

    A task that ends is started again after a second, for ever; a task whose worker is lost goes to another worker that
    has none of its colour. A worker publishes a task's port on itself, so that a load balancer sees which workers run a
    colour. Nothing is made while no colour has an image. Raises ValueError, naming the input, for one out of bounds.
    """

    service_names: pulumi.Output[dict[str, str]]
    """Name of the service by colour, also of one that has no image yet."""

    def __init__(self, name: str, args: SwarmServicesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        parameter_name(args["environment"], "swarm")
        ports = cluster_ports(args.get("ports"))
        common = _common(args)
        variables = args.get("environment_variables", {})
        check_environment(variables)
        tasks = [_tasks(colour, args, ports[colour]) for colour in COLOURS]
        super().__init__("teal:index:SwarmServices", name, {}, remembering("teal:index:SwarmServices", name, opts))
        child = pulumi.ResourceOptions(parent=self)

        names = {colour: service_name(args["environment"], colour) for colour in COLOURS}
        running = [each for each in tasks if each.image != ""]
        if running:
            network = docker.Network(
                f"{name}-network",
                name=f"teal-{args['environment']}",
                driver="overlay",
                options={"encrypted": "true"},
                opts=child,
            )
            for each in running:
                docker.Service(
                    f"{name}-{each.colour}",
                    name=names[each.colour],
                    task_spec=_task_spec(each, common, network.id, variables),
                    mode={"replicated": {"replicas": each.replicas}},
                    endpoint_spec={
                        "ports": [
                            {
                                "protocol": "tcp",
                                "target_port": common.port,
                                "published_port": each.published,
                                "publish_mode": "host",
                            }
                        ]
                    },
                    # A worker's port is one task's: the old one goes before the new one comes.
                    update_config={"order": "stop-first", "parallelism": 1, "failure_action": "pause"},
                    opts=child,
                )

        self.service_names = pulumi.Output.from_input(names)
        self.register_outputs({"service_names": self.service_names})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Common:
    port: int
    memory_mib: int
    stop_seconds: int
    log_group_name: pulumi.Input[str]
    region: pulumi.Input[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tasks:
    colour: str
    image: pulumi.Input[str]
    replicas: int
    published: int


def service_name(environment: str, colour: str) -> str:
    """Name of a colour's service."""
    return f"teal-{environment}-{colour}"


def through_door(image: str) -> str:
    """An image in ECR as a worker's own door to ECR knows it. Raises ValueError for one not named by digest."""
    if not _IMAGE.fullmatch(image):
        raise ValueError(f"images must be empty or <registry>/<repository>@sha256:<64 hex digits>, got {image!r}")
    return DOOR + image


def _common(args: SwarmServicesArgs) -> _Common:
    return _Common(
        port=whole("container_port", args.get("container_port", 8080), 1024, 65_535),
        memory_mib=whole("memory_mib", args.get("memory_mib", 512), 64, 1_048_576),
        stop_seconds=whole("stop_seconds", args.get("stop_seconds", 60), 1, 3600),
        log_group_name=args["log_group_name"],
        region=args["region"],
    )


def _tasks(colour: str, args: SwarmServicesArgs, published: int) -> _Tasks:
    for field in ("images", "replicas"):
        if set(args[field]) != set(COLOURS):
            raise ValueError(f"{field} must be for {' and '.join(COLOURS)}")
    image = args["images"][colour]
    if not isinstance(image, str):
        image = pulumi.Output.from_input(image).apply(through_door)  # type: ignore[arg-type]  # any input
    elif image:
        image = through_door(image)  # what is known already is checked at construction
    replicas = whole(f"replicas for {colour}", args["replicas"][colour], 0, 1000)
    return _Tasks(colour=colour, image=image, replicas=replicas, published=published)


def _task_spec(
    tasks: _Tasks, common: _Common, network_id: pulumi.Input[str], variables: Mapping[str, str]
) -> docker.ServiceTaskSpecArgsDict:
    image = pulumi.Output.from_input(tasks.image)
    return {
        "container_spec": {
            "image": image,
            "env": {
                **variables,
                "TEAL_COLOUR": tasks.colour,
                "TEAL_DIGEST": image.apply(lambda known: known.partition("@")[2]),
                "TEAL_INSTANCE": "{{.Task.Name}}",
                "TEAL_ZONE": _ZONE,
            },
            "read_only": True,
            "cap_drops": [DROPPED],
            "mounts": [{"target": path, "type": "tmpfs"} for path in SCRATCH],
            "stop_grace_period": f"{common.stop_seconds}s",
            "labels": [{"label": "teal.colour", "value": tasks.colour}],
        },
        "resources": {"limits": {"memory_bytes": common.memory_mib * 1024 * 1024}},
        "restart_policy": {"condition": "any", "delay": "1s"},
        "placement": {
            "constraints": ["node.role==worker"],
            "prefs": ["spread=node.labels.zone"],
            "max_replicas": 1,
        },
        "networks_advanceds": [{"id": network_id}],
        "log_driver": {
            "name": "awslogs",
            "options": {
                "awslogs-group": common.log_group_name,
                "awslogs-region": common.region,
                "mode": "non-blocking",
                "tag": f"{tasks.colour}/{{{{.Name}}}}",
            },
        },
    }
