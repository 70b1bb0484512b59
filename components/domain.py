"""A domain name for a load balancer: its DNS-validated certificate and its address records."""

import re
from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import acm, route53

from .children import Children
from .former_names import remembering

HOST_NAME = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
CERTIFICATE_NAME_MAX_LENGTH = 64
VALIDATION_TTL_SECONDS = 300


class DomainArgs(TypedDict):
    """What a Domain takes."""

    domain_name: str
    """Host name that the service gets, in lower case. Plain, since it is checked against the zone."""
    zone_name: str
    """Public Route 53 hosted zone, which must exist already: domain_name or a parent of it."""
    load_balancer_dns_name: pulumi.Input[str]
    """Host name that AWS gave the load balancer."""
    load_balancer_zone_id: pulumi.Input[str]
    """Hosted zone of that host name, which AWS owns."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on the certificate, the one child that takes tags, beside its own Name."""


class Domain(pulumi.ComponentResource):
    """Leads a host name to a load balancer and has a certificate issued for it.

    It stands between LoadBalancer and TrafficSplit: it needs the first one's address, and the second one's listener
    needs the certificate. Raises ValueError for a malformed host name or one outside the zone.
    """

    certificate_arn: pulumi.Output[str]
    """ARN of the certificate, known once it has been issued."""
    url: pulumi.Output[str]
    """Address of the service, known once the host name leads there."""

    def __init__(self, name: str, args: DomainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_domain(args["domain_name"], args["zone_name"])
        super().__init__("teal:index:Domain", name, {}, remembering("teal:index:Domain", name, opts))
        children = Children(name, args.get("tags", {}), self)
        zone = route53.get_zone_output(name=args["zone_name"], private_zone=False, opts=children.invoke_options())

        certificate = acm.Certificate(
            children.name("certificate"),
            domain_name=args["domain_name"],
            validation_method="DNS",
            tags=children.tagged("certificate"),
            opts=children.options(),
        )
        proof = certificate.domain_validation_options[0]  # the only one, since the certificate has one name
        proof_record = route53.Record(
            children.name("proof"),
            zone_id=zone.zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            records=[proof.resource_record_value],
            ttl=VALIDATION_TTL_SECONDS,
            allow_overwrite=True,  # the same account and name always get the same record, in every region
            opts=children.options(),
        )
        issued = acm.CertificateValidation(
            children.name("issued"),
            certificate_arn=certificate.arn,
            validation_record_fqdns=[proof_record.fqdn],
            opts=children.options(),
        )
        address = route53.Record(
            children.name("address"),
            zone_id=zone.zone_id,
            name=args["domain_name"],
            type="A",
            aliases=[
                {
                    "name": args["load_balancer_dns_name"],
                    "zone_id": args["load_balancer_zone_id"],
                    "evaluate_target_health": False,  # there is nowhere else to send requests
                }
            ],
            opts=children.options(),
        )

        self.certificate_arn = issued.certificate_arn
        self.url = address.id.apply(lambda _: f"https://{args['domain_name']}")
        self.register_outputs({"certificate_arn": self.certificate_arn, "url": self.url})


def check_domain(domain_name: str, zone_name: str) -> None:
    """Raises ValueError unless both are host names, and the domain is short enough and the zone or below it."""
    for field, value in (("domain_name", domain_name), ("zone_name", zone_name)):
        if not HOST_NAME.fullmatch(value):
            raise ValueError(f"{field} must be a host name in lower case, such as shop.example.com, got {value!r}")
    if len(domain_name) > CERTIFICATE_NAME_MAX_LENGTH:
        raise ValueError(
            f"domain_name has {len(domain_name)} characters; a certificate takes {CERTIFICATE_NAME_MAX_LENGTH} at most"
        )
    if domain_name != zone_name and not domain_name.endswith(f".{zone_name}"):
        raise ValueError(f"domain_name {domain_name} must be zone_name {zone_name} or below it")
