import json

import pytest

from components.github_trust import subjects, trust_policy

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"


def test_subjects_are_exact() -> None:
    found = subjects("octo/shop", environments=["prod"], branches=["main", "release/1"], pull_requests=True)
    assert found == [
        "repo:octo/shop:environment:prod",
        "repo:octo/shop:ref:refs/heads/main",
        "repo:octo/shop:ref:refs/heads/release/1",
        "repo:octo/shop:pull_request",
    ]


def test_a_repository_may_be_named_with_its_unchanging_ids() -> None:
    assert subjects("octo@12/shop@34", environments=["dev"]) == ["repo:octo@12/shop@34:environment:dev"]


@pytest.mark.parametrize(
    "repository",
    ["octo", "octo/*", "*/shop", "octo/shop:pull_request", "octo/shop/x", "octo@12/shop", "octo/shop@34", ""],
)
def test_a_repository_that_is_none_is_refused(repository: str) -> None:
    with pytest.raises(ValueError, match="repository must be owner/name or owner@id/name@id"):
        subjects(repository, environments=["dev"])


@pytest.mark.parametrize("name", ["*", "ma?n", "feature/*", "", "main:ref", " main"])
def test_a_wildcard_lets_nobody_in(name: str) -> None:
    with pytest.raises(ValueError, match="branches must be plain names without wildcards"):
        subjects("octo/shop", branches=[name])
    with pytest.raises(ValueError, match="environments must be plain names without wildcards"):
        subjects("octo/shop", environments=[name])


def test_a_role_for_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="a role that nobody may take is of no use"):
        subjects("octo/shop")


def test_trust_needs_the_audience_and_a_subject_letter_for_letter() -> None:
    [statement] = json.loads(trust_policy(PROVIDER, ["repo:octo/shop:pull_request"]))["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": ["repo:octo/shop:pull_request"],
            }
        },
    }
