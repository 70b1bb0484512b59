"""The account's own project in an embedded cloud."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.world import PROJECT, World, run, write_project


@pytest.mark.long
def test_the_pipelines_roles_come_up_stay_and_go(world: World) -> None:
    stack = world.stack("account", PROJECT / "identity")
    exports = stack.up()
    assert set(exports["roleArns"]) == {"preview", "deploy", "release"}
    assert not run(stack.up).changes
    assert set(stack.preview(refresh=True, expect_no_changes=True)) <= {"same", "read"}
    iam = world.aws("iam")
    deploy = exports["roleArns"]["deploy"].rpartition("/")[2]
    trust = iam.get_role(RoleName=deploy)["Role"]["AssumeRolePolicyDocument"]
    [statement] = trust["Statement"]
    assert statement["Principal"] == {"Federated": exports["providerArn"]}
    attached = iam.list_attached_role_policies(RoleName=deploy)["AttachedPolicies"]
    texts = [
        json.dumps(iam.get_policy_version(PolicyArn=each["PolicyArn"], VersionId="v1")["PolicyVersion"]["Document"])
        for each in attached
    ]
    assert any("NeverThePipeline" in text for text in texts)
    stack.destroy()
    assert not iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert not [role for role in iam.list_roles()["Roles"] if role["Path"] == "/teal-pipeline/"]


PROGRAM = """
import pulumi
from components.network import Network

config = pulumi.Config()
Network("main", {
    "cidr_block": "10.9.0.0/16", "zones": ["eu-west-1a", "eu-west-1b"], "nat": "instance",
    "permissions_boundary_arn": config.get("boundary") or None})
"""


def bounding_identity(folder: Path) -> Path:
    """The account's own project, told to bound servers."""
    folder.mkdir(parents=True)
    for name in ("Pulumi.yaml", "__main__.py"):
        (folder / name).symlink_to(PROJECT / "identity" / name)
    (folder.parent / ".venv").symlink_to(PROJECT / ".venv")
    about = yaml.safe_load((PROJECT / "identity" / "Pulumi.account.yaml").read_text())
    about["config"]["teal-identity:boundsServers"] = True
    (folder / "Pulumi.account.yaml").write_text(yaml.safe_dump(about))
    return folder


@pytest.mark.long
def test_servers_roles_are_bounded_by_the_policy_that_identity_makes(world: World, tmp_path: Path) -> None:
    account = world.stack("account", bounding_identity(tmp_path / "account" / "identity"))
    boundary = account.up()["serverBoundaryArn"]
    assert ":policy/teal-pipeline/teal-server-boundary-" in boundary
    iam = world.aws("iam")
    version = iam.get_policy_version(PolicyArn=boundary, VersionId="v1")["PolicyVersion"]["Document"]
    assert {"Sessions", "Secrets"} < {statement["Sid"] for statement in version["Statement"]}
    giving = [
        statement
        for policy in iam.list_policies(Scope="Local")["Policies"]
        for statement in iam.get_policy_version(PolicyArn=policy["Arn"], VersionId="v1")["PolicyVersion"]["Document"][
            "Statement"
        ]
        if "iam:PutRolePolicy" in statement["Action"]
    ]
    assert [each["Condition"]["StringEquals"]["iam:PermissionsBoundary"] for each in giving] == [boundary]

    def bounds() -> dict[str, str | None]:
        names = [role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith("main-")]
        roles = [iam.get_role(RoleName=name)["Role"] for name in names]
        return {role["RoleName"]: role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") for role in roles}

    before = bounds()
    network = world.stack("dev", write_project(tmp_path / "bounded", PROGRAM, {"bounded:boundary": boundary}))
    network.up()
    bounded = {name.rpartition("-")[0]: arn for name, arn in bounds().items() if arn}
    assert bounded == dict.fromkeys(("main-nat-role", "main-flow-log-role"), boundary)
    assert not run(network.up).changes
    iam.delete_role_permissions_boundary(RoleName=role_of(iam, "main-nat-role-", boundary))
    assert run(lambda on: network.preview(on, refresh=True)).named("update"), "somebody took it off: a refresh sees it"
    network.destroy()
    account.destroy()
    assert bounds() == before


def role_of(iam: Any, prefix: str, boundary: str) -> str:
    """The role of that name that has the boundary."""
    names = [role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith(prefix)]
    roles = [iam.get_role(RoleName=name)["Role"] for name in names]
    [found] = [
        role["RoleName"]
        for role in roles
        if role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn") == boundary
    ]
    return str(found)
