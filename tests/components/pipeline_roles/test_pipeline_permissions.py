"""What the roles may do against what was recorded in an embedded cloud; tests/engine/test_pipeline_calls.py records."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import needed
from components.identity import ROLES
from components.pipeline_roles.permissions import EVERYTHING, Statement, policy, table
from needed import SCOPE, Need, idle, lacking

PAGE = Path(__file__).parents[3] / "docs" / "identity.md"
MOST_POLICIES = 10
READING = ("Describe", "Get", "List", "BatchGet", "Query")
NARROWED_BY_NAME = ("iam", "dynamodb", "ssm", "s3", "sns", "logs", "cloudwatch", "ecr", "autoscaling")


def statements_of(role: str) -> list[Statement]:
    return [statement for some in ROLES[role].values() for statement in some]


def every() -> Iterator[tuple[str, Statement]]:
    for role in ROLES:
        for statement in statements_of(role):
            yield role, statement


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_make_every_call_that_it_made(role: str) -> None:
    assert lacking(statements_of(role), needed.read()[role]) == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_make_no_call_that_nobody_made_or_gave_a_reason_for(role: str) -> None:
    assert idle(statements_of(role), needed.read()[role]) == []


@pytest.mark.parametrize("role", ROLES)
def test_a_call_that_a_role_lacks_is_named(role: str) -> None:
    needs = needed.read()[role]
    for statement in statements_of(role):
        if statement.denies or not statement.actions:
            continue
        others = [each for each in statements_of(role) if each is not statement]
        if all(any(other.names(action) for other in others if not other.denies) for action in statement.actions):
            continue  # one action under two conditions, which no request tells
        assert lacking(others, needs), f"{statement.sid} could go"


def test_a_call_on_a_resource_beyond_the_pattern_is_named() -> None:
    need = Need("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:123456789012:table/payroll", "dynamodb PutItem")
    assert lacking(statements_of("deploy"), [need]) == [f"{need.action} on {need.resource} ({need.call})"]


def test_an_action_that_nobody_calls_is_named() -> None:
    idler = Statement(sid="Idler", reason="", actions=("s3:GetObject",), unseen={"s3:ListBucket": "why"})
    called = [Need("s3:ListBucket", "arn:aws:s3:::b", "s3 HeadBucket")]
    assert idle([idler], called) == ["Idler: nothing calls s3:GetObject", "Idler: s3:ListBucket is called, after all"]


@pytest.mark.parametrize("role", ["preview"])
def test_preview_reads_and_no_more(role: str) -> None:
    for statement in statements_of(role):
        for action in (*statement.actions, *statement.unseen):
            assert action.partition(":")[2].startswith(READING), action


def test_release_changes_listener_scaling_groups_templates_and_ledger_and_nothing_else() -> None:
    changing = {
        action
        for statement in statements_of("release")
        for action in (*statement.actions, *statement.unseen)
        if not action.partition(":")[2].startswith(READING)
    }
    assert {action.partition(":")[0] for action in changing} <= {
        *("elasticloadbalancing", "autoscaling", "dynamodb", "ec2", "iam", "cloudwatch")
    }
    assert {action for action in changing if action.startswith("iam:")} == {"iam:PassRole"}
    deleting = {action for action in changing if "Delete" in action}
    assert deleting == {"autoscaling:DeletePolicy", "ec2:DeleteSnapshot"}


def test_release_makes_snapshots_of_its_environments_volumes_alone_and_tags_no_other() -> None:
    about = {each.sid: each for each in statements_of("release") if each.sid.startswith("Snapshot")}
    tags = {"Project": ("{project}",), "Environment": ("{environment}",)}
    assert about["SnapshotOf"].resources == ("arn:aws:ec2:{region}:{account}:volume/*",)
    assert about["SnapshotOf"].conditions == {
        "StringEquals": {f"aws:ResourceTag/{key}": value for key, value in tags.items()}
    }
    assert about["Snapshot"].conditions == {
        "StringEquals": {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    }
    assert about["SnapshotTags"].conditions == {"StringEquals": {"ec2:CreateAction": ("CreateSnapshot",)}}
    assert about["Snapshot"].resources == about["SnapshotTags"].resources == ("arn:aws:ec2:{region}::snapshot/*",)


def test_release_deletes_no_snapshot_but_those_that_releases_of_its_environments_have_made() -> None:
    deleting = [(role, each) for role, each in every() if "ec2:DeleteSnapshot" in (*each.actions, *each.unseen)]
    [(role, statement)] = deleting
    assert (role, *statement.unseen) == ("release", "ec2:DeleteSnapshot")
    assert statement.resources == ("arn:aws:ec2:{region}::snapshot/*",)
    assert statement.conditions == {
        "StringEquals": {
            "aws:ResourceTag/Project": ("{project}",),
            "aws:ResourceTag/Environment": ("{environment}",),
        },
        "StringLike": {"aws:ResourceTag/Release": ("r-*",)},
    }
    assert "`aws:ResourceTag/Release` StringLike `r-*`" in PAGE.read_text()


def test_no_role_passes_a_role_but_the_instances_ones_and_to_named_services_only() -> None:
    for _, statement in every():
        if "iam:PassRole" in statement.actions:
            assert statement.actions == ("iam:PassRole",)
            assert all(":role/" in resource and "pipeline" not in resource for resource in statement.resources)
            services = statement.conditions["StringEquals"]["iam:PassedToService"]
            assert set(services) <= {"ec2.amazonaws.com", "vpc-flow-logs.amazonaws.com"}


@pytest.mark.parametrize(
    "action",
    ["iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:PassRole", "iam:DeleteRole"],
)
def test_deploy_can_not_widen_the_pipelines_roles(action: str) -> None:
    [denial] = [each for each in statements_of("deploy") if each.denies]
    role = "arn:aws:iam::123456789012:role/teal-pipeline/teal-deploy-0000000"
    assert denial.names(action)
    assert denial.covers(role, SCOPE)
    allowing = [each for each in statements_of("deploy") if not each.denies and each.names(action)]
    assert not any(each.covers(role, SCOPE) for each in allowing)


def test_deploy_can_not_make_another_issuer_trusted() -> None:
    granted = {
        action for each in statements_of("deploy") if not each.denies for action in (*each.actions, *each.unseen)
    }
    assert not {action for action in granted if "OpenIDConnect" in action or "SAML" in action or "User" in action}


def test_no_statement_has_a_wildcard_among_its_actions_but_the_denial() -> None:
    for _, statement in every():
        if not statement.denies:
            assert not [action for action in (*statement.actions, *statement.unseen) if EVERYTHING in action]


def test_a_change_of_everything_is_narrowed_by_a_condition() -> None:
    for role, statement in every():
        changes = [name for name in statement.actions if not name.partition(":")[2].startswith(READING)]
        if EVERYTHING in statement.resources and changes:
            assert statement.conditions, f"{role} {statement.sid}"


def test_every_statement_and_every_unseen_action_has_a_reason_and_a_name_of_its_own() -> None:
    for role in ROLES:
        sids = [statement.sid for statement in statements_of(role)]
        assert len(sids) == len(set(sids)), role
    for _, statement in every():
        assert statement.reason.endswith(".")
        assert all(statement.unseen.values())


@pytest.mark.parametrize("role", ROLES)
def test_eight_environments_of_a_far_region_make_policies_that_iam_takes(role: str) -> None:
    assert len(ROLES[role]) < MOST_POLICIES
    scope = replace(SCOPE, region="ap-southeast-2", environments=tuple(f"stage-{number}" for number in range(8)))
    for statements in ROLES[role].values():
        assert len(policy(statements, scope)) <= 6_144


def test_more_environments_than_iam_has_room_for_are_refused_before_it_is_asked() -> None:
    scope = replace(SCOPE, environments=tuple(f"stage-{number}" for number in range(30)))
    with pytest.raises(ValueError, match=r"with 30 of them .* IAM takes 6144; keep some of them in another account"):
        policy(ROLES["preview"]["read-named"], scope)


def test_the_table_in_the_docs_is_made_of_the_statements() -> None:
    assert table(ROLES) in PAGE.read_text(), "out of date: run scripts/write_permissions.py"
