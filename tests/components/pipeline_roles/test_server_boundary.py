"""What servers' roles may do at most, and that the program's own policies stay within it."""

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

import components
from components.identity import ROLES
from components.pipeline_roles.permissions import Scope, Statement, policy
from components.pipeline_roles.server_boundary import BOUNDARY
from components.servers.data_access import attach_policy
from components.servers.instance_role import instance_policy
from components.servers.readiness import tell_policy
from components.swarm.roles import Parameters, manager_policy, worker_policy
from components.vpc.flow_logs import write_policy
from needed import SCOPE

ARN = "arn:aws:iam::123456789012:policy/teal-pipeline/teal-server-boundary-0000000"
BOUNDED = SCOPE.bounded_by(ARN)
LOGS = "arn:aws:logs:eu-west-1:123456789012:log-group:"
EC2 = "arn:aws:ec2:eu-west-1:123456789012:"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0f"
REPOSITORY = "arn:aws:ecr:eu-west-1:123456789012:repository/app-images-0000000"
GROUP = "arn:aws:autoscaling:eu-west-1:123456789012:autoScalingGroup:0f:autoScalingGroupName/blue-group-0000000"
SECRET = "arn:aws:ssm:eu-west-1:123456789012:parameter/teal-app/prod/API_KEY"
SWARM = Parameters(
    prefix="/teal/prod/swarm",
    account_id="123456789012",
    region="eu-west-1",
    partition="aws",
    key_arn="arn:aws:kms:eu-west-1:123456789012:key/1",
)
GIVING = ("iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary")


def granted(document: str) -> list[tuple[str, str]]:
    """(action, resource) that a policy allows."""
    pairs = []
    for each in json.loads(document)["Statement"]:
        if each["Effect"] == "Allow":
            actions, resources = (
                [value] if isinstance(value, str) else value for value in (each["Action"], each["Resource"])
            )
            pairs += [(action, resource) for action in actions for resource in resources]
    return pairs


def is_within(action: str, resource: str) -> bool:
    return any(
        action in statement.actions and any(fnmatchcase(resource, arn) for arn in filled(statement.resources))
        for statement in BOUNDARY
    )


def filled(patterns: tuple[str, ...]) -> list[str]:
    return [text for pattern in patterns for text in SCOPE.fill(pattern)]


@pytest.mark.parametrize(
    "document",
    [
        instance_policy(REPOSITORY, f"{LOGS}web-app-0000000", {"API_KEY": SECRET}),
        write_policy(f"{LOGS}main-flow-log-group-0000000"),
        tell_policy(GROUP),
        attach_policy(f"{EC2}volume/vol-01", KEY, "blue-group-0000000"),
        tell_policy(GROUP.replace("blue-group", "swarm-managers-group")),
        manager_policy(SWARM),
        worker_policy(SWARM, REPOSITORY, f"{LOGS}web-app-0000000"),
    ],
)
def test_what_the_program_grants_is_within_the_boundary(document: str) -> None:
    pairs = granted(document)
    assert len(pairs) >= 2
    assert [pair for pair in pairs if not is_within(*pair)] == []


def test_nobody_gets_beyond_their_service_by_it() -> None:
    actions = {action for statement in BOUNDARY for action in statement.actions}
    assert {action.partition(":")[0] for action in actions} == {
        "autoscaling",
        "ec2",
        "ec2messages",
        "ecr",
        "kms",
        "logs",
        "ssm",
        "ssmmessages",
    }
    assert not [action for action in actions if "*" in action]
    assert not is_within("autoscaling:CompleteLifecycleAction", GROUP.replace("blue-group", "payroll"))
    assert not is_within("ssm:GetParameters", "arn:aws:ssm:eu-west-1:123456789012:parameter/teal/prod/test-header")
    assert not is_within("ssm:GetParameters", "arn:aws:ssm:eu-west-1:123456789012:parameter/teal-app/other/X")
    assert not is_within("ssm:PutParameter", SECRET)
    assert not is_within("ssm:PutParameter", "arn:aws:ssm:eu-west-1:123456789012:parameter/teal/prod/ledger")


def deploy_statements(scope: Scope) -> list[dict[str, Any]]:
    return [each for some in ROLES["deploy"].values() for each in json.loads(policy(some, scope))["Statement"]]


@pytest.mark.parametrize("action", GIVING)
def test_deploy_gives_rights_to_bounded_roles_only_once_there_is_a_boundary(action: str) -> None:
    about = [each for each in deploy_statements(BOUNDED) if each["Effect"] == "Allow" and action in each["Action"]]
    assert about
    for statement in about:
        assert statement["Condition"]["StringEquals"]["iam:PermissionsBoundary"] == ARN


@pytest.mark.parametrize("action", GIVING)
def test_deploy_needs_no_boundary_where_none_is_made(action: str) -> None:
    about = [each for each in deploy_statements(SCOPE) if each["Effect"] == "Allow" and action in each["Action"]]
    assert about
    for statement in about:
        assert "iam:PermissionsBoundary" not in json.dumps(statement)


def test_deploy_takes_no_boundary_away_and_changes_none() -> None:
    allowed: list[Statement] = [each for some in ROLES["deploy"].values() for each in some if not each.denies]
    for action in ("iam:DeleteRolePermissionsBoundary", "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"):
        assert not [each.sid for each in allowed if each.names(action)]
    [denial] = [each for some in ROLES["deploy"].values() for each in some if each.denies]
    assert denial.covers(ARN, SCOPE)


def test_a_policy_with_the_boundary_in_it_is_short_enough_for_iam() -> None:
    for statements in (BOUNDARY, *ROLES["deploy"].values()):
        assert len(policy(statements, BOUNDED)) <= 6144


def test_every_role_of_the_program_takes_the_boundary() -> None:
    folder = Path(components.__file__).parent
    sources = [path for path in (*folder.glob("*.py"), *folder.glob("*/*.py")) if path.name != "identity.py"]
    makers = [path.name for path in sources if "iam.Role(" in path.read_text()]
    assert sorted(makers) == ["flow_logs.py", "instance_role.py"]
    for path in sources:
        if path.name in makers:
            text = path.read_text()
            assert text.count("iam.Role(") == text.count("permissions_boundary="), path.name
