"""The two policies of an image repository, as pure functions: what ECR may expire, and who may pull."""

import json
import re
from collections.abc import Mapping, Sequence

KEEP_PREFIX = "keep-"
BUILD_PREFIX = "build-"
SHIELD_DAYS = 36_500  # a hundred years: every rule of ECR expires something, so the shield expires what cannot be yet

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def keep_tag(digest: str) -> str:
    """The tag that protects this digest (sha256: and 64 hex digits). Raises ValueError for anything else."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError(f"digest must be sha256: and 64 hex digits, got {digest!r}")
    return KEEP_PREFIX + digest.removeprefix("sha256:")[:12]


def lifecycle_policy(keep_builds: int, untagged_days: int) -> str:
    """What ECR expires, as JSON: builds beyond the newest keep_builds, and images untagged for untagged_days.

    The first rule is a shield. ECR never lets a rule expire an image that a rule of a smaller number selects, so an
    image that carries a keep- tag is safe from the rules below, whatever other tags it has.
    """
    shield = {"tagStatus": "tagged", "tagPrefixList": [KEEP_PREFIX], **_older_than(SHIELD_DAYS)}
    builds = {
        "tagStatus": "tagged",
        "tagPrefixList": [BUILD_PREFIX],
        "countType": "imageCountMoreThan",
        "countNumber": keep_builds,
    }
    untagged = {"tagStatus": "untagged", **_older_than(untagged_days)}
    rules = (
        ("Shield images that a release uses", shield),
        (f"Keep the newest {keep_builds} builds", builds),
        (f"Drop images after {untagged_days} days without a tag", untagged),
    )
    return json.dumps(
        {
            "rules": [
                {"rulePriority": n, "description": text, "selection": selection, "action": {"type": "expire"}}
                for n, (text, selection) in enumerate(rules, start=1)
            ]
        }
    )


def pull_policy(account_ids: Sequence[str]) -> str:
    """Lets these AWS accounts (12 digits each) pull and nothing else, as JSON. Raises ValueError for any other id."""
    for account in account_ids:
        if not _ACCOUNT.fullmatch(account):
            raise ValueError(f"pull_account_ids must be 12 digits each, got {account!r}")
    statement = {
        "Sid": "PullOnly",
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam::{account}:root" for account in sorted(set(account_ids))]},
        "Action": list(_PULL),
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _older_than(days: int) -> Mapping[str, str | int]:
    return {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": days}
