"""A network alone, by a program of ten lines: what changes in place, what moves nobody, what needs a new one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.world import Heard, World, run, write_project
from localcloud.stacks import LocalStack

PROGRAM = """
import pulumi
from components.network import Network

config = pulumi.Config("lone-network")
network = Network("main", {
    "cidr_block": config.require("block"),
    "zones": config.require_object("zones"),
    "flow_log_retention_days": 30,
    "tags": {"Team": config.require("team")},
})
pulumi.export("vpc", network.vpc_id)
"""
SETTINGS = {"block": "10.40.0.0/16", "zones": ["eu-west-1a", "eu-west-1b"], "team": "shop"}


class LoneNetwork:
    """The stack, and what is there of it."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.folder = world, folder
        self.stack = self.set()

    def set(self, **changes: object) -> LocalStack:
        """The stack with other settings in its file; nothing is run yet."""
        config = {f"lone-network:{key}": value for key, value in {**SETTINGS, **changes}.items()}
        return self.world.stack("dev", write_project(self.folder, PROGRAM, config))

    def up(self, **changes: object) -> Heard:
        """What an up with other settings did."""
        return run(self.set(**changes).up)

    def described(self, operation: str, key: str) -> list[dict[str, Any]]:
        """What EC2 tells of the network's VPC."""
        by_vpc = [{"Name": "vpc-id", "Values": [self.stack.exports()["vpc"]]}]
        found: list[dict[str, Any]] = getattr(self.world.aws("ec2"), operation)(Filters=by_vpc)[key]
        return found

    def subnets(self) -> dict[str, str]:
        """CIDR block by subnet."""
        return {subnet["SubnetId"]: subnet["CidrBlock"] for subnet in self.described("describe_subnets", "Subnets")}


@pytest.fixture(scope="module")
def network(world: World, untouched: frozenset[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoneNetwork]:
    lone = LoneNetwork(world, tmp_path_factory.mktemp("networks") / "lone-network")
    before = world.inventory()
    lone.up()
    try:
        yield lone
    finally:
        lone.set().destroy()
    assert world.inventory() == before


def test_another_tag_changes_in_place(network: LoneNetwork) -> None:
    before = network.subnets()
    assert dict(network.set(team="warehouse").preview()).keys() == {"same", "update"}
    heard = network.up(team="warehouse")
    assert heard.changes.keys() == {"update"}
    assert heard.changes["update"] > 10
    assert network.subnets() == before
    [vpc] = network.described("describe_vpcs", "Vpcs")
    assert {"Key": "Team", "Value": "warehouse"} in vpc["Tags"]
    network.up()


def test_a_third_zone_replaces_no_subnet_and_moves_no_address(network: LoneNetwork) -> None:
    before = network.subnets()
    heard = network.up(zones=[*SETTINGS["zones"], "eu-west-1c"])
    after = network.subnets()
    assert heard.changes.keys() <= {"create", "update"}
    assert before.items() < after.items()
    assert len(after) == len(before) + 2
    network.up()
    assert network.subnets() == before


def test_a_new_block_of_addresses_needs_a_new_network_and_the_preview_says_so(network: LoneNetwork) -> None:
    before = network.subnets()
    changed = network.set(block="10.41.0.0/16")
    promised = changed.preview()
    assert promised["replace"] >= 5
    assert network.subnets() == before
    heard = run(changed.up)
    assert {"main-vpc", "main-public-a", "main-private-b"} <= heard.named("replace") | heard.named(
        "create-replacement"
    ) | heard.named("delete-replaced")
    after = network.subnets()
    assert len(after) == len(before)
    assert not after.keys() & before.keys()
    assert all(block.startswith("10.41.") for block in after.values())
