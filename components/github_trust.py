"""Who at GitHub may take a role: trust in exact subjects of its tokens, as pure functions."""

import json
import re
from collections.abc import Sequence

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
"""Whom a token must be made for: what aws-actions/configure-aws-credentials asks GitHub for."""
REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(@\d+)?/[A-Za-z0-9._-]{1,100}(@\d+)?")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,254}")
"""Names of branches and environments. GitHub takes more; a star or a colon would make another subject of it."""


def subjects(
    repository: str, *, environments: Sequence[str] = (), branches: Sequence[str] = (), pull_requests: bool = False
) -> list[str]:
    """The exact `sub` claims of a repository's workflows that run in an environment, on a branch or a pull request.

    The repository is owner/name, or owner@id/name@id where GitHub puts the unchanging ids into its subjects. Raises
    ValueError for a name that can't be one, and where nobody is named.
    """
    found = REPOSITORY.fullmatch(repository)
    if found is None or (found[1] is None) is not (found[2] is None):
        raise ValueError(f"repository must be owner/name or owner@id/name@id, got {repository!r}")
    named = {"environment": environments, "ref:refs/heads": branches}
    told = [
        f"repo:{repository}:{kind}{'/' if kind.startswith('ref') else ':'}{_checked(kind, name)}"
        for kind, names in named.items()
        for name in names
    ]
    told += [f"repo:{repository}:pull_request"] if pull_requests else []
    if not told:
        raise ValueError("a role that nobody may take is of no use: name an environment or a branch")
    return list(dict.fromkeys(told))


def trust_policy(provider_arn: str, wanted: Sequence[str]) -> str:
    """Lets holders of tokens with one of these subjects, made for AWS, take the role; as JSON."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        # StringEquals, never StringLike: repo:owner/name:* would let every branch and pull request in.
        "Condition": {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": sorted(wanted)}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def _checked(kind: str, name: str) -> str:
    if not NAME.fullmatch(name):
        what = "environments" if kind == "environment" else "branches"
        raise ValueError(f"{what} must be plain names without wildcards, got {name!r}")
    return name
