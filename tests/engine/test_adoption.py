"""What was there before Pulumi is taken into a stack, and a refresh follows what happens to it."""

from pathlib import Path

from engine.world import World, run, write_project

PROGRAM = """
import pulumi
from pulumi_aws import ec2

config = pulumi.Config()
vpc = ec2.Vpc("found", cidr_block="10.50.0.0/16", tags={"Name": "found"},
              opts=pulumi.ResourceOptions(import_=config.require("vpc")))
pulumi.export("tags", vpc.tags)
"""


def test_a_network_made_by_hand_is_imported_followed_and_put_back(
    world: World, untouched: frozenset[str], tmp_path: Path
) -> None:
    ec2 = world.aws("ec2")
    before = world.inventory()
    named = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "found"}]}]
    vpc = ec2.create_vpc(CidrBlock="10.50.0.0/16", TagSpecifications=named)["Vpc"]["VpcId"]
    stack = world.stack("dev", write_project(tmp_path / "adopter", PROGRAM, {"adopter:vpc": vpc}))
    assert run(stack.up).named("import") == {"found"}
    ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "lost"}])
    assert stack.refresh()["update"] == 1
    assert run(stack.up).named("update") == {"found"}
    [described] = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert described["Tags"] == [{"Key": "Name", "Value": "found"}]
    stack.destroy()
    assert world.inventory() == before
