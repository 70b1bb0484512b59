"""The account's own project in an embedded cloud."""

import json

import pytest

from engine.world import PROJECT, World, run


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
