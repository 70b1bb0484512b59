import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from components.identity import ROLES, PipelineRoles
from config.stack_files import stack_config
from deployed import Deployment, deploy
from localcloud.provider import aws

ROOT = Path(__file__).parents[2]
ARGS: dict[str, Any] = {"repository": "octo/shop", "environments": ["dev", "prod"]}
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
BUCKET = "arn:aws:s3:::state"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/12ab"


def made(**changes: Any) -> Deployment:
    return deploy(lambda: PipelineRoles("teal", {**ARGS, **changes}))  # type: ignore[typeddict-item]


def subjects(found: Deployment, role: str) -> list[str]:
    [statement] = json.loads(found.resources[f"teal-{role}"].inputs["assumeRolePolicy"])["Statement"]
    assert statement["Condition"].keys() == {"StringEquals"}
    assert statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:aud"] == "sts.amazonaws.com"
    told = statement["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
    assert not [subject for subject in told if "*" in subject or "?" in subject]
    return list(told)


def document(found: Deployment, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(found.resources[f"teal-{name}"].inputs["policy"])
    return told


def test_each_role_trusts_its_own_subjects_only() -> None:
    found = made()
    assert subjects(found, "preview") == ["repo:octo/shop:pull_request", "repo:octo/shop:ref:refs/heads/main"]
    assert subjects(found, "deploy") == ["repo:octo/shop:environment:dev", "repo:octo/shop:environment:prod"]
    assert subjects(found, "release") == ["repo:octo/shop:environment:dev", "repo:octo/shop:environment:prod"]


def test_who_may_take_a_role_is_for_the_caller_to_say() -> None:
    found = made(
        previews_pull_requests=False,
        preview_branches=["trunk"],
        deploy_environments=["rollout"],
        deploy_branches=["trunk"],
        release_environments=[],
        release_branches=["release/1"],
    )
    assert subjects(found, "preview") == ["repo:octo/shop:ref:refs/heads/trunk"]
    assert subjects(found, "deploy") == ["repo:octo/shop:environment:rollout", "repo:octo/shop:ref:refs/heads/trunk"]
    assert subjects(found, "release") == ["repo:octo/shop:ref:refs/heads/release/1"]


def test_pull_requests_reach_the_preview_role_alone() -> None:
    found = made()
    for role in ("deploy", "release"):
        assert not [subject for subject in subjects(found, role) if "pull_request" in subject]


def test_an_issuer_is_made_unless_one_is_given() -> None:
    [provider] = made().of_type("OpenIdConnectProvider").values()
    assert provider.inputs["url"] == "https://token.actions.githubusercontent.com"
    assert provider.inputs["clientIdLists"] == ["sts.amazonaws.com"]
    found = made(provider_arn=PROVIDER)
    assert not found.of_type("OpenIdConnectProvider")
    [statement] = json.loads(found.resources["teal-deploy"].inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Federated": PROVIDER}


def test_every_policy_is_attached_to_its_role_and_no_other() -> None:
    found = made()
    attached = {name: each.inputs for name, each in found.of_type("RolePolicyAttachment").items()}
    wanted = {f"teal-{role}-{purpose}" for role, policies in ROLES.items() for purpose in policies}
    assert set(found.of_type("policy:Policy")) == wanted
    assert set(attached) == {f"{name}-attachment" for name in wanted}
    for name, inputs in attached.items():
        assert inputs["policyArn"] == f"arn:{name.removesuffix('-attachment')}"


def test_policies_name_account_region_and_environments() -> None:
    found = made()
    [ledger] = [each for each in document(found, "release-release")["Statement"] if each["Sid"] == "Ledger"]
    assert ledger["Resource"] == "arn:aws:dynamodb:eu-west-1:123456789012:table/ledger-table-*"
    [pointers] = [each for each in document(found, "release-release")["Statement"] if each["Sid"] == "Pointers"]
    assert "arn:aws:ssm:eu-west-1:123456789012:parameter/teal/prod/*" in pointers["Resource"]
    assert not [arn for arn in pointers["Resource"] if "stage" in arn or "{" in arn]
    [traffic] = [each for each in document(found, "release-release")["Statement"] if each["Sid"] == "Traffic"]
    assert traffic["Condition"] == {
        "StringEquals": {"aws:ResourceTag/Project": "teal", "aws:ResourceTag/Environment": ["dev", "prod"]}
    }


def test_only_the_hosted_zones_given_are_written_to() -> None:
    by_sid = {each["Sid"]: each for each in document(made(hosted_zone_ids=["Z1", "Z2"]), "deploy-upkeep")["Statement"]}
    assert by_sid["Records"]["Resource"] == ["arn:aws:route53:::hostedzone/Z1", "arn:aws:route53:::hostedzone/Z2"]
    by_sid = {each["Sid"]: each for each in document(made(), "deploy-upkeep")["Statement"]}
    assert by_sid["Records"]["Resource"] == "arn:aws:route53:::hostedzone/*"


def test_boundary_duration_path_and_tags_are_on_every_role() -> None:
    found = made(permissions_boundary_arn=BOUNDARY, session_seconds=7200.0, tags={"Team": "shop"})
    roles = found.of_type("role:Role")
    assert set(roles) == {"teal-preview", "teal-deploy", "teal-release"}
    for name, role in roles.items():
        assert role.inputs["permissionsBoundary"] == BOUNDARY
        assert role.inputs["maxSessionDuration"] == 7200
        assert role.inputs["path"] == "/teal-pipeline/"
        assert role.inputs["tags"] == {"Team": "shop", "Name": name}
    assert all(each.parent.endswith("teal") for each in found.resources.values() if each.type.startswith("aws:"))


def test_servers_are_bounded_where_the_caller_says_so() -> None:
    found = made(bounds_servers=True)
    [boundary] = [each for name, each in found.of_type("policy:Policy").items() if name == "teal-server-boundary"]
    assert boundary.inputs["path"] == "/teal-pipeline/"
    assert "Secrets" in {each["Sid"] for each in json.loads(boundary.inputs["policy"])["Statement"]}
    by_sid = {each["Sid"]: each for each in document(found, "deploy-service")["Statement"]}
    for sid in ("RoleRights", "SessionPolicy"):
        assert by_sid[sid]["Condition"]["StringEquals"] == {"iam:PermissionsBoundary": "arn:teal-server-boundary"}
    assert "teal-server-boundary" not in made().resources
    assert "iam:PermissionsBoundary" not in json.dumps(document(made(), "deploy-service"))


def test_a_backend_in_a_bucket_is_written_by_all_but_preview_which_takes_its_lock() -> None:
    found = made(state_bucket_arn=BUCKET, state_key_arn=KEY)
    for role, where in (("preview", "/.pulumi/locks/*"), ("deploy", "/.pulumi/*"), ("release", "/.pulumi/*")):
        by_sid = {each["Sid"]: each for each in document(found, f"{role}-state")["Statement"]}
        assert by_sid["StateWrite"]["Resource"] == BUCKET + where
        assert by_sid["StateSecrets"]["Resource"] == KEY
    assert "kms:Encrypt" not in json.dumps(document(found, "preview-state"))


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("repository", "octo/*", "repository must be owner/name"),
        (
            "environments",
            ["de v"],
            "environment must be 1 to 100 letters, digits, dots, dashes or underscores, got 'de v'",
        ),
        ("environments", [], "a role that nobody may take"),
        ("preview_branches", ["*"], "branches must be plain names without wildcards"),
        ("session_seconds", 60, "session_seconds must be a whole number from 3600 to 43200, got 60"),
        ("provider_arn", "arn:aws:iam::123456789012:oidc-provider/evil.example", "provider_arn must be the ARN of"),
        ("permissions_boundary_arn", "boundary", "permissions_boundary_arn must be the ARN of an IAM policy"),
        ("hosted_zone_ids", ["*"], r"hosted_zone_ids must be ids such as Z0123456789ABC, got '\*'"),
        ("state_bucket_arn", "state", "state_bucket_arn must be the ARN of a bucket"),
        ("state_key_arn", "alias/state", "state_key_arn must be the ARN of a KMS key"),
    ],
)
def test_a_bad_argument_is_named(name: str, value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        made(**{name: value})


def test_the_accounts_own_program_is_made_of_types_that_the_embedded_cloud_knows() -> None:
    config = stack_config(ROOT / "identity", "account")
    found = deploy(lambda: runpy.run_path(str(ROOT / "identity" / "__main__.py")), config, project="teal-identity")
    assert set(found.exports["roleArns"]) == set(ROLES)
    known = {kind.token for kind in aws.TYPES}
    assert {each.type for each in found.resources.values() if each.type.startswith("aws:")} <= known
