"""EC2's rows at one mended API, and a network for them to live in."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from localcloud.api import gaps_ec2
from localcloud.provider.errors import ProviderError
from localcloud.provider.kinds.ec2 import (
    endpoints,
    gateways,
    group_rules,
    instances,
    launch_template,
    routes,
    security_groups,
    subnet,
    volumes,
    vpc,
)
from localcloud.provider.kinds.ec2 import lookups as lookups_ec2
from localcloud.provider.lookups import table
from localcloud.provider.package import TableType

ROOMS = (endpoints, gateways, group_rules, instances, launch_template, routes, security_groups, subnet, volumes)
KINDS = (vpc.VPC, *(kind for room in ROOMS for kind in room.TYPES))
VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"


@pytest.fixture(scope="session")
def ec2(engine: Any) -> Any:
    """The engine with all rows of this family."""
    gaps_ec2.install()
    rows = dict(engine.package.types) | {kind.token: TableType(kind) for kind in KINDS}
    package = dataclasses.replace(engine.package, types=rows, lookups=table(*lookups_ec2.LOOKUPS))
    return dataclasses.replace(engine, package=package)


@pytest.fixture(scope="session")
def vpc_id(ec2: Any) -> str:
    """A VPC with DNS on, 10.0.0.0/16, and an internet gateway, for all tests."""
    made = ec2.create(VPC, {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True})
    ec2.create("aws:ec2/internetGateway:InternetGateway", {"vpcId": made.id})
    return str(made.id)


@pytest.fixture(scope="session")
def new_subnet(ec2: Any, vpc_id: str) -> Callable[..., Any]:
    """Makes a subnet of its own block in the shared VPC."""
    numbers: Iterator[int] = iter(range(256))

    def make(**inputs: Any) -> Any:
        block = {"vpcId": vpc_id, "cidrBlock": f"10.0.{next(numbers)}.0/24", "availabilityZone": "eu-west-1a"}
        return ec2.create(SUBNET, {**block, **inputs})

    return make


@pytest.fixture
def refused() -> Callable[..., str]:
    """Runs a call that the API must refuse, and gives the one line that it answers."""

    def run(call: Callable[..., Any], *arguments: Any, **named: Any) -> str:
        with pytest.raises(ProviderError) as caught:
            call(*arguments, **named)
        line = str(caught.value)
        assert "\n" not in line
        return line

    return run
