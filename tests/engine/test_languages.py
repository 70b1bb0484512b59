"""A stack in another language uses our components, and the provider's own types, in the embedded cloud."""

import sys
from pathlib import Path

import yaml

from engine.world import PROJECT, REGION, World

HOST = """
from pulumi.provider.experimental import component_provider_host

from components.network import Network
from components.registry import Registry

if __name__ == "__main__":
    component_provider_host(name="teal", components=[Network, Registry])
"""
PROGRAM = """
name: yaml-user
runtime: yaml
packages:
  teal: {package}
resources:
  images:
    type: teal:index:Registry
    properties: {{ forceDelete: true, keepBuilds: 7, tags: {{ Team: shop }} }}
  net:
    type: teal:index:Network
    properties:
      cidrBlock: 10.60.0.0/16
      zones: [eu-west-1a, eu-west-1b]
      nat: none
      flowLogRetentionDays: 30
      tags: {{ Team: shop }}
  group:
    type: aws:ec2:SecurityGroup
    properties: {{ vpcId: "${{net.vpcId}}", description: Made in YAML }}
outputs:
  repository: ${{images.repositoryUrl}}
  subnets: ${{net.privateSubnetIds}}
  group: ${{group.id}}
"""


def test_a_yaml_stack_uses_our_components_beside_the_providers_types(
    world: World, untouched: frozenset[str], tmp_path: Path
) -> None:
    package, folder = tmp_path / "package", tmp_path / "yaml-user"
    package.mkdir()
    folder.mkdir()
    runtime = {"name": "python", "options": {"virtualenv": sys.prefix}}
    (package / "PulumiPlugin.yaml").write_text(yaml.safe_dump({"runtime": runtime}))
    (package / "__main__.py").write_text(HOST)
    (package / "components").symlink_to(PROJECT / "components")
    (folder / "Pulumi.yaml").write_text(PROGRAM.format(package=package))
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": {"aws:region": REGION}}))
    stack, before = world.stack("dev", folder), world.inventory()
    exports = stack.up()
    try:
        assert len(exports["subnets"]) == 2
        [group] = world.aws("ec2").describe_security_groups(GroupIds=[exports["group"]])["SecurityGroups"]
        assert group["Description"] == "Made in YAML"
        name = exports["repository"].partition("/")[2]
        [repository] = world.aws("ecr").describe_repositories(repositoryNames=[name])["repositories"]
        assert repository["imageTagMutability"] == "IMMUTABLE"
        stack.preview(refresh=True, expect_no_changes=True)
    finally:
        stack.destroy()
    assert world.inventory() == before
