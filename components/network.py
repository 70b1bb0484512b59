"""A network: public and private subnets in several zones, ways out, private ways to AWS, and flow logs."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import ec2

from .bounds import retention
from .children import Children
from .former_names import remembering
from .nat import Nat, NatSite, nat_routes, parse_nat
from .vpc.endpoints import EndpointSite, check_services, interface_endpoints, s3_gateway
from .vpc.flow_logs import FlowLogKeeping, flow_log
from .vpc.subnets import ZoneSubnets, plan_subnets, zone_region
from .vpc.tiers import private_tier, public_tier


class SubnetCidrBlocks(TypedDict):
    """One zone's own choice of addresses."""

    public: str
    """CIDR block of the public subnet, /27 or larger, within the network."""
    private: str
    """CIDR block of the private subnet, /27 or larger, within the network."""


class NetworkArgs(TypedDict):
    """What a Network takes."""

    cidr_block: str
    """Addresses of the network: RFC 1918, /16 to /23. Plain, since the subnets are computed from it."""
    zones: list[str]
    """Availability zones, all of one region; the first one hosts a single NAT gateway or NAT instance."""
    subnet_cidr_blocks: NotRequired[Mapping[str, SubnetCidrBlocks]]
    """Own CIDR blocks by zone; zones that are not named get the sixteenths that their letter reserves."""
    nat: NotRequired[Nat]
    """The private subnets' way out: none, instance, single (the default) or per_zone."""
    nat_instance_type: NotRequired[pulumi.Input[str]]
    """Type of the NAT instance, of the image's architecture; default t4g.nano."""
    nat_image_id: NotRequired[pulumi.Input[str]]
    """Image of the NAT instance: Amazon Linux 2023; default the newest one for ARM when the instance is made."""
    interface_endpoints: NotRequired[list[str]]
    """Services that get an interface endpoint in every zone, by short name such as ecr.api or ssm; default none."""
    flow_log_retention_days: NotRequired[int]
    """Days that flow logs are kept for, one of those that CloudWatch Logs offers; default 365."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """KMS key for the flow logs, usable by CloudWatch Logs; default the service's own encryption."""
    permissions_boundary_arn: NotRequired[pulumi.Input[str] | None]
    """IAM policy beyond which the roles of a NAT instance and of the flow logs can not go; default none."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on every child, beside its own Name."""


class Network(pulumi.ComponentResource):
    """A VPC with a public and a private subnet a zone. Adding a zone moves none of the others.

    Raises ValueError, naming the input, for addresses, zones, NAT, endpoints or a retention that can't be.
    """

    vpc_id: pulumi.Output[str]
    """Id of the VPC."""
    cidr_block: pulumi.Output[str]
    """Addresses of the VPC."""
    zones: pulumi.Output[list[str]]
    """Availability zones, in the order of the subnet ids."""
    public_subnet_ids: pulumi.Output[list[str]]
    """Ids of the public subnets by position of the zone, known once they reach the internet gateway."""
    private_subnet_ids: pulumi.Output[list[str]]
    """Ids of the private subnets by position of the zone, known once their way out, if any, stands."""
    nat_public_ips: pulumi.Output[list[str]]
    """Public addresses that the private subnets' requests come from; empty without NAT."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        zones, services = list(args["zones"]), list(args.get("interface_endpoints", []))
        explicit = {zone: ZoneSubnets(**blocks) for zone, blocks in args.get("subnet_cidr_blocks", {}).items()}
        plan = plan_subnets(args["cidr_block"], zones, explicit)
        nat = parse_nat(args.get("nat", Nat.SINGLE))
        check_services(services)
        retention_days = retention("flow_log_retention_days", args.get("flow_log_retention_days", 365))
        super().__init__("teal:index:Network", name, {}, remembering("teal:index:Network", name, opts))
        children = Children(name, args.get("tags", {}), self)

        vpc = ec2.Vpc(
            children.name("vpc"),
            cidr_block=args["cidr_block"],
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=children.tagged("vpc"),
            opts=children.options(),
        )
        ec2.DefaultSecurityGroup(  # adopted without rules, so that whoever forgets to name a group gets no access
            children.name("default"), vpc_id=vpc.id, tags=children.tagged("default"), opts=children.options()
        )
        public = public_tier(children, vpc.id, plan)
        nat_site = NatSite(
            vpc_id=vpc.id,
            cidr_block=args["cidr_block"],
            public_subnet_ids=public.ids(),
            instance_type=args.get("nat_instance_type", "t4g.nano"),
            image_id=args.get("nat_image_id"),
            boundary_arn=args.get("permissions_boundary_arn"),
        )
        ways_out = nat_routes(children.following(*public.links), nat, nat_site)
        private = private_tier(children, vpc.id, plan, ways_out.targets)
        endpoint_site = EndpointSite(
            vpc_id=vpc.id,
            cidr_block=args["cidr_block"],
            region=zone_region(zones[0]),
            route_table_ids=[table.id for table in (*public.route_tables, *private.route_tables)],
            subnet_ids=list(private.ids().values()),
        )
        s3_gateway(children, endpoint_site)
        interface_endpoints(children, endpoint_site, services)
        kept = FlowLogKeeping(retention_days, args.get("kms_key_arn"), args.get("permissions_boundary_arn"))
        flow_log(children, vpc.id, kept)

        self.vpc_id = vpc.id
        self.cidr_block = vpc.cidr_block
        self.zones = pulumi.Output.from_input(zones)
        self.public_subnet_ids = public.linked_ids()
        self.private_subnet_ids = private.linked_ids()
        self.nat_public_ips = pulumi.Output.all(*ways_out.public_ips)
        self.register_outputs(
            {
                "vpc_id": self.vpc_id,
                "cidr_block": self.cidr_block,
                "zones": self.zones,
                "public_subnet_ids": self.public_subnet_ids,
                "private_subnet_ids": self.private_subnet_ids,
                "nat_public_ips": self.nat_public_ips,
            }
        )
