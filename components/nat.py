"""The private subnets' way out to the internet: NAT gateways, a NAT instance, or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pulumi
from pulumi_aws import ec2, ssm

from .children import Children
from .security_groups import ANYWHERE, allow_from, allow_to, security_group
from .servers.instance_role import managed_role
from .vpc.subnets import zone_letter
from .vpc.tiers import RouteTarget

IMAGE_PARAMETER = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
WEB_PORTS = (80, 443)


class Nat(StrEnum):
    """How private subnets reach the internet."""

    NONE = "none"
    """Not at all: only the VPC's endpoints are in reach."""
    INSTANCE = "instance"
    """Through one small instance in the first zone, which passes HTTP and HTTPS only."""
    SINGLE = "single"
    """Through one NAT gateway in the first zone, which all zones depend on."""
    PER_ZONE = "per_zone"
    """Through a NAT gateway in each zone."""


@dataclass(frozen=True, slots=True)
class NatSite:
    """Where NAT is put: the VPC, its public subnets by zone in the caller's order, and what an instance would be."""

    vpc_id: pulumi.Input[str]
    cidr_block: str
    public_subnet_ids: Mapping[str, pulumi.Input[str]]
    instance_type: pulumi.Input[str]
    image_id: pulumi.Input[str] | None
    boundary_arn: pulumi.Input[str] | None
    """IAM policy beyond which an instance's role can not go."""


@dataclass(frozen=True, slots=True)
class NatRoutes:
    """What NAT came to: the route target by zone (empty where there is no way out) and the public addresses."""

    targets: Mapping[str, RouteTarget]
    public_ips: list[pulumi.Output[str]]


def parse_nat(value: str) -> Nat:
    """The NAT that a caller, perhaps in another language, named. Raises ValueError for an unknown one."""
    if value not in list(Nat):
        raise ValueError(f"nat must be one of {', '.join(Nat)}, got {value!r}")
    return Nat(value)


def nat_routes(children: Children, nat: Nat, site: NatSite) -> NatRoutes:
    """Makes the NAT that was asked for; children must follow the route to the internet gateway."""
    zones = list(site.public_subnet_ids)
    if nat is Nat.NONE:
        return NatRoutes({}, [])
    if nat is Nat.INSTANCE:
        return nat_instance(children, site)
    return nat_gateways(children, site, zones if nat is Nat.PER_ZONE else zones[:1])


def nat_gateways(children: Children, site: NatSite, homes: Sequence[str]) -> NatRoutes:
    """A NAT gateway in each home zone; zones without one of their own use the first."""
    gateways, public_ips = {}, []
    for zone in homes:
        role = f"nat-{zone_letter(zone)}"
        address = nat_address(children, role)
        public_ips.append(address.public_ip)
        gateways[zone] = ec2.NatGateway(
            children.name(role),
            allocation_id=address.id,
            subnet_id=site.public_subnet_ids[zone],
            tags=children.tagged(role),
            # An address serves one gateway at a time: the old one goes first.
            opts=pulumi.ResourceOptions.merge(children.options(), pulumi.ResourceOptions(delete_before_replace=True)),
        )
    shared = gateways[homes[0]]
    targets = {zone: RouteTarget(nat_gateway_id=gateways.get(zone, shared).id) for zone in site.public_subnet_ids}
    return NatRoutes(targets, public_ips)


def nat_instance(children: Children, site: NatSite) -> NatRoutes:
    """One instance in the first zone that masquerades for the VPC."""
    group = security_group(children, "nat-group", site.vpc_id, "NAT instance: web traffic of the VPC only")
    for port in WEB_PORTS:
        allow_from(children, f"nat-from-vpc-{port}", group, site.cidr_block, port, "Web requests to pass on")
        allow_to(children, f"nat-to-internet-{port}", group, ANYWHERE, port, "Web requests passed on")
    role = managed_role(children, "NAT instance of a Teal network", site.boundary_arn, "nat-")
    looks_image_up = site.image_id is None
    instance = ec2.Instance(
        children.name("nat"),
        ami=latest_image(children) if looks_image_up else site.image_id,
        instance_type=site.instance_type,
        subnet_id=next(iter(site.public_subnet_ids.values())),
        vpc_security_group_ids=[group.id],
        iam_instance_profile=role.profile.name,
        source_dest_check=False,
        metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
        root_block_device={"encrypted": True, "volume_type": "gp3"},
        user_data=nat_user_data(site.cidr_block),
        user_data_replace_on_change=True,
        tags=children.tagged("nat"),
        # A newer image comes every few weeks: it must not replace the way out during an unrelated update.
        opts=children.options(ignoring=("ami",) if looks_image_up else ()),
    )
    address = nat_address(children, "nat", instance.id)
    target = RouteTarget(network_interface_id=instance.primary_network_interface_id)
    return NatRoutes(dict.fromkeys(site.public_subnet_ids, target), [address.public_ip])


def nat_address(children: Children, role: str, instance_id: pulumi.Input[str] | None = None) -> ec2.Eip:
    """A fixed public address, of the instance where one is given."""
    role = f"{role}-address"
    return ec2.Eip(
        children.name(role),
        domain="vpc",
        instance=instance_id,
        tags=children.tagged(role),
        opts=children.options(),
    )


def latest_image(children: Children) -> pulumi.Output[str]:
    """Id of the newest Amazon Linux 2023 image for ARM."""
    return ssm.get_parameter_output(name=IMAGE_PARAMETER, opts=children.invoke_options()).apply(
        lambda parameter: parameter.value
    )


def nat_user_data(cidr_block: str) -> str:
    """Shell script that makes an Amazon Linux instance masquerade for the block, now and after each boot.

    The public address may arrive some seconds after the boot, so installing is retried, for five minutes at most.
    """
    return f"""#!/bin/bash
set -euo pipefail
echo 'net.ipv4.ip_forward = 1' >/etc/sysctl.d/50-nat.conf
sysctl --quiet --system
deadline=$((SECONDS + 300))
until dnf install --assumeyes --quiet nftables; do
  ((SECONDS < deadline)) || exit 1
  sleep 5
done
cat >/etc/nftables/nat.nft <<'RULES'
table ip nat {{
  chain postrouting {{
    type nat hook postrouting priority srcnat;
    ip saddr {cidr_block} ip daddr != {cidr_block} masquerade
  }}
}}
RULES
echo 'include "/etc/nftables/nat.nft"' >>/etc/sysconfig/nftables.conf
systemctl enable --now nftables
"""
