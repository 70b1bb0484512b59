"""The types of a delivery, with moto mended, and the parts of AWS that they stand on."""

from dataclasses import dataclass
from typing import Any

import pytest

from localcloud.api import gaps_autoscaling, gaps_elbv2, gaps_hooks, gaps_route53


@pytest.fixture(scope="session")
def engine(engine: Any) -> Any:
    for gaps in (gaps_autoscaling, gaps_elbv2, gaps_hooks, gaps_route53):
        gaps.install()
    return engine


@pytest.fixture(scope="session")
def call(engine: Any) -> Any:
    """An API operation: service, boto3 method, parameters."""
    return engine.api.call


@dataclass(frozen=True)
class Network:
    vpc: str
    subnets: list[str]
    zones: list[str]
    group: str


@pytest.fixture(scope="session")
def network(call: Any) -> Network:
    vpc = call("ec2", "create_vpc", CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    subnets = [
        call("ec2", "create_subnet", VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for n, zone in enumerate(zones)
    ]
    group = call("ec2", "create_security_group", GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    return Network(vpc, subnets, zones, group)


@pytest.fixture
def target_group(engine: Any, network: Any) -> Any:
    """A target group of its own, for each test."""
    about = {"port": 8080, "protocol": "HTTP", "vpcId": network.vpc}
    return engine.create("aws:lb/targetGroup:TargetGroup", about)


@pytest.fixture(scope="session")
def certificate(call: Any) -> str:
    return str(
        call("acm", "request_certificate", DomainName="shop.example.com", ValidationMethod="DNS")["CertificateArn"]
    )
