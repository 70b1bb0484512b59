"""The servers of one colour: a scaling group over zones, every instance of which runs one container by digest."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import autoscaling, ec2, vpc

from .boot.user_data import Container, check_environment, encoded, user_data
from .bounds import whole
from .children import Children
from .former_names import remembering
from .instance_types import architecture
from .naming import COLOURS
from .security_groups import ANYWHERE, allow_to, security_group
from .servers.data_access import attach_right, data_disk
from .servers.instance_role import Reach, instance_role
from .servers.launch import Launch, launch_template, mixed_launch, newest_image, only_launch
from .servers.readiness import first_hook, ready_hook
from .tagging import named


class FleetArgs(TypedDict):
    """What a Fleet needs to know."""

    colour: str
    """Colour of the fleet, blue or green."""
    image: pulumi.Input[str]
    """Image by digest, <registry>/<repository>@sha256:<64 hex digits>; empty while nothing is released."""
    capacity: int
    """Instances that the fleet holds at least, from the ledger; 0 means none. Plain, so that a preview shows it."""
    min_size: int
    """Fewest instances of a fleet that is not at 0, 1 to 1000."""
    max_size: int
    """Most instances that scaling may reach, min_size to 1000."""
    instance_types: Sequence[str]
    """EC2 instance types of one architecture, preferred first; several spread the risk that AWS is out of one."""
    vpc_id: pulumi.Input[str]
    """VPC that the fleet's security group lives in."""
    subnet_ids: pulumi.Input[Sequence[pulumi.Input[str]]]
    """Private subnets, one a zone, that instances start in."""
    load_balancer_security_group_id: pulumi.Input[str]
    """Security group of the load balancer, the only source of traffic."""
    target_group_arn: pulumi.Input[str]
    """Target group that instances join and that judges their health."""
    repository_arn: pulumi.Input[str]
    """ECR repository that instances may pull from."""
    log_group_name: pulumi.Input[str]
    """CloudWatch log group that the container's output goes to."""
    log_group_arn: pulumi.Input[str]
    """ARN of that log group, without the trailing :*."""
    image_id: NotRequired[pulumi.Input[str]]
    """AMI that runs cloud-init and systemd; default the newest Amazon Linux 2023 of the types' architecture."""
    is_baked: NotRequired[bool]
    """Whether image_id was baked by machine/, so that it has Docker, boot script and unit in it; default false."""
    port: NotRequired[int]
    """TCP port that the container answers HTTP on, 1024 to 65535; default 8080."""
    volume_gib: NotRequired[int]
    """Size of the root volume in GiB, 8 to 16384; default 16."""
    environment: NotRequired[Mapping[str, str]]
    """Variables for the container, no names on TEAL_. No secrets: whoever may describe the instance reads them."""
    secret_parameter_arns: NotRequired[pulumi.Input[Mapping[str, pulumi.Input[str]]]]
    """ARN of the SSM parameter by the variable that the container gets its value in; read at each start."""
    data_volume_arn: NotRequired[pulumi.Input[str] | None]
    """DataVolume that the container finds at /data, in the zone of the one subnet given; max_size is 1 then."""
    data_volume_key_arn: NotRequired[pulumi.Input[str] | None]
    """KMS key that the data volume is encrypted with."""
    permissions_boundary_arn: NotRequired[pulumi.Input[str] | None]
    """IAM policy beyond which the instances' role can not go; default none."""
    cpu_target_percent: NotRequired[int]
    """Mean CPU use that scaling aims at, 10 to 90 percent; default 50."""
    boot_seconds: NotRequired[int]
    """Seconds that an instance may take until it serves, 30 to 3600; then it is given up. Default 180."""
    force_delete: NotRequired[bool]
    """Whether a destroy may drop the scaling group without waiting for its instances to end; default false."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on every child, instance and volume, beside its own Name and Colour."""


class Fleet(pulumi.ComponentResource):
    """One colour's instances, reached from the load balancer only, administered by SSM instead of SSH.

    The ledger's capacity is the floor of the scaling group: scaling may go above it, and running the program again
    neither takes that back nor finds a difference. An idle fleet has no instances. A new image makes a new numbered
    version of the launch template and touches no running instance. Raises ValueError, naming the input, for one out of
    bounds.
    """

    scaling_group_name: pulumi.Output[str]
    """Name of the scaling group."""
    scaling_group_arn: pulumi.Output[str]
    """ARN of the scaling group."""
    launch_template_id: pulumi.Output[str]
    """Id of the launch template."""
    launch_template_version: pulumi.Output[int]
    """Version number of the launch template that the scaling group starts instances from."""
    role_arn: pulumi.Output[str]
    """ARN of the role that instances have."""
    security_group_id: pulumi.Output[str]
    """Security group of the instances."""

    def __init__(self, name: str, args: FleetArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        floor, ceiling = group_sizes(args["capacity"], args["min_size"], args["max_size"])
        if args["colour"] not in COLOURS:
            raise ValueError(f"colour must be one of {', '.join(COLOURS)}, got {args['colour']!r}")
        port = whole("port", args.get("port", 8080), 1024, 65_535)
        volume_gib = whole("volume_gib", args.get("volume_gib", 16), 8, 16_384)
        boot_seconds = whole("boot_seconds", args.get("boot_seconds", 180), 30, 3600)
        cpu_percent = whole("cpu_target_percent", args.get("cpu_target_percent", 50), 10, 90)
        processor = architecture(args["instance_types"])
        check_environment(args.get("environment", {}))
        disk = data_disk(args.get("data_volume_arn"), args.get("data_volume_key_arn"), args["max_size"])
        super().__init__("teal:index:Fleet", name, {}, remembering("teal:index:Fleet", name, opts))
        children = Children(name, {**args.get("tags", {}), "Colour": args["colour"]}, self)

        security = security_group(children, "security", args["vpc_id"], f"Instances of the {args['colour']} fleet")
        role = instance_role(
            children,
            Reach(args["repository_arn"], args["log_group_arn"], args.get("secret_parameter_arns", {})),
            args.get("permissions_boundary_arn"),
        )
        template = launch_template(
            children,
            Launch(
                description=f"Instances of the {args['colour']} fleet",
                image_id=args.get("image_id") or newest_image(children, processor),
                instance_type=args["instance_types"][0],
                user_data=_user_data(args, port),
                profile_arn=role.profile.arn,
                security_group_id=security.id,
                volume_gib=volume_gib,
            ),
        )
        before = (*role.policies, *_rules(children, security, args["load_balancer_security_group_id"], port))
        group = autoscaling.Group(
            children.name("group"),
            min_size=floor,
            max_size=ceiling,
            vpc_zone_identifiers=args["subnet_ids"],
            target_group_arns=[args["target_group_arn"]],
            health_check_type="ELB",
            health_check_grace_period=boot_seconds,
            default_instance_warmup=boot_seconds,
            initial_lifecycle_hooks=[first_hook(boot_seconds)],
            # Whoever releases waits for healthy targets; here the wait would hold up everything that comes after.
            wait_for_capacity_timeout="0",
            force_delete=args.get("force_delete", False),
            launch_template=only_launch(args["instance_types"], template),
            mixed_instances_policy=mixed_launch(args["instance_types"], template),
            tags=[
                {"key": key, "value": value, "propagate_at_launch": True}
                for key, value in named(children.tags, name).items()
            ],
            opts=children.following(*before).options(),
        )
        ready_hook(children, role.role, group, boot_seconds)
        if disk:
            attach_right(children, role.role, group, disk)
        if floor:
            autoscaling.Policy(
                children.name("cpu"),
                autoscaling_group_name=group.name,
                policy_type="TargetTrackingScaling",
                target_tracking_configuration={
                    "predefined_metric_specification": {"predefined_metric_type": "ASGAverageCPUUtilization"},
                    "target_value": float(cpu_percent),
                },
                opts=children.options(),
            )

        self.scaling_group_name = group.name
        self.scaling_group_arn = group.arn
        self.launch_template_id = template.id
        self.launch_template_version = template.latest_version
        self.role_arn = role.role.arn
        self.security_group_id = security.id
        self.register_outputs(
            {
                "scaling_group_name": self.scaling_group_name,
                "scaling_group_arn": self.scaling_group_arn,
                "launch_template_id": self.launch_template_id,
                "launch_template_version": self.launch_template_version,
                "role_arn": self.role_arn,
                "security_group_id": self.security_group_id,
            }
        )


def group_sizes(capacity: float, min_size: float, max_size: float) -> tuple[int, int]:
    """Fewest and most instances of the scaling group: none at capacity 0, else capacity brought within the sizes.

    Raises ValueError for a number out of bounds.
    """
    lowest = whole("min_size", min_size, 1, 1000)
    highest = whole("max_size", max_size, lowest, 1000)
    held = whole("capacity", capacity, 0, 1000)
    return (max(lowest, min(held, highest)), highest) if held else (0, 0)


def _user_data(args: FleetArgs, port: int) -> pulumi.Output[str]:
    def text(image: str, log_group: str, secrets: Mapping[str, str], volume_arn: str) -> str:
        container = Container(
            image=image,
            port=port,
            colour=args["colour"],
            environment=args.get("environment", {}),
            secret_arns=secrets,
            volume_arn=volume_arn,
        )
        return encoded(user_data(container, log_group, is_baked=args.get("is_baked", False)))

    if isinstance(args["image"], str):
        text(args["image"], "", {}, "")  # what is known already is checked at construction
    known = pulumi.Output.all(
        image=args["image"],
        log_group=args["log_group_name"],
        secrets=args.get("secret_parameter_arns", {}),
        volume_arn=args.get("data_volume_arn") or "",
    )
    return known.apply(lambda values: text(**values))


def _rules(
    children: Children, group: ec2.SecurityGroup, load_balancer_group_id: pulumi.Input[str], port: int
) -> tuple[pulumi.Resource, ...]:
    from_balancer = vpc.SecurityGroupIngressRule(
        children.name("from-balancer"),
        security_group_id=group.id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        referenced_security_group_id=load_balancer_group_id,
        description="Requests from the load balancer",
        tags=children.tagged("from-balancer"),
        opts=children.options(),
    )
    # Amazon's own DNS, time and metadata services are no matter of security groups, and packages come over HTTPS.
    purpose = "Registry, logs, packages and session manager over HTTPS"
    return from_balancer, allow_to(children, "to-https", group, ANYWHERE, 443, purpose)
