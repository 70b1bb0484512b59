"""Private ways from a VPC to AWS services: the S3 gateway always, interface endpoints on request."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import ec2

from ..children import Children
from ..security_groups import allow_from, security_group

SERVICE_PATTERN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class EndpointSite:
    """Where endpoints are put."""

    vpc_id: pulumi.Input[str]
    cidr_block: str
    region: str
    route_table_ids: Sequence[pulumi.Input[str]]
    subnet_ids: Sequence[pulumi.Input[str]]

    def service_name(self, service: str) -> str:
        """The service's full name in this region."""
        return f"com.amazonaws.{self.region}.{service}"


def check_services(services: Sequence[str]) -> None:
    """Raises ValueError for a service name that is malformed, repeated, or full where the short form is meant."""
    for service in services:
        if not SERVICE_PATTERN.fullmatch(service) or service.startswith("com."):
            raise ValueError(f"interface_endpoints takes short service names such as ecr.api or ssm, got {service!r}")
    if len({role_of(service) for service in services}) < len(services):
        raise ValueError(f"interface_endpoints must differ, got {', '.join(services)}")


def role_of(service: str) -> str:
    """What the endpoint of this service is called among its siblings."""
    return f"endpoint-{service.replace('.', '-')}"


def s3_gateway(children: Children, site: EndpointSite) -> ec2.VpcEndpoint:
    """The free gateway to S3, where image layers and packages come from, on the site's route tables."""
    return ec2.VpcEndpoint(
        children.name("s3"),
        vpc_id=site.vpc_id,
        service_name=site.service_name("s3"),
        vpc_endpoint_type="Gateway",
        route_table_ids=site.route_table_ids,
        tags=children.tagged("s3"),
        opts=children.options(),
    )


def interface_endpoints(children: Children, site: EndpointSite, services: Sequence[str]) -> None:
    """An endpoint a service in the site's subnets, under the service's usual host name, for the VPC only."""
    if not services:
        return
    group = security_group(children, "endpoints", site.vpc_id, "Interface endpoints: HTTPS from the VPC only")
    allow_from(children, "endpoints-from-vpc", group, site.cidr_block, HTTPS_PORT, "HTTPS from the VPC")
    for service in services:
        role = role_of(service)
        ec2.VpcEndpoint(
            children.name(role),
            vpc_id=site.vpc_id,
            service_name=site.service_name(service),
            vpc_endpoint_type="Interface",
            private_dns_enabled=True,
            subnet_ids=site.subnet_ids,
            security_group_ids=[group.id],
            tags=children.tagged(role),
            opts=children.options(),
        )
