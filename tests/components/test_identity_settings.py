"""The account's own settings, as anybody might write them: taken, or one line that names the key."""

import json
import runpy
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from config.stack_files import stack_config
from deployed import Deployment, deploy
from stack_files_made import ANYTHING, as_text, is_clear, told_by

ROOT = Path(__file__).parents[2]
PROGRAM = str(ROOT / "identity" / "__main__.py")
CONFIG = stack_config(ROOT / "identity", "account")
KEYS = sorted(key.removeprefix("teal-identity:") for key in CONFIG if key.startswith("teal-identity:"))
ACCOUNT = "123456789012"


def program(**changes: Any) -> Deployment:
    told = {f"teal-identity:{key}": as_text(value) for key, value in changes.items()}
    return deploy(lambda: runpy.run_path(PROGRAM), {**CONFIG, **told}, project="teal-identity")


@settings(deadline=None, max_examples=25)
@given(key=st.sampled_from(KEYS), value=ANYTHING)
@example(key="environments", value="dev")
@example(key="environments", value=[1])
@example(key="environments", value={"dev": 1})
@example(key="environments", value=[])
@example(key="environments", value="[")
@example(key="hostedZoneIds", value="Z123")
@example(key="sessionSeconds", value="an hour")
@example(key="sessionSeconds", value="9" * 5000)
@example(key="previewsPullRequests", value="perhaps")
@example(key="previewBranches", value=["*"])
@example(key="repository", value="a@1/b")
@example(key="stateBucketArn", value="x" * 5000)
def test_a_value_of_any_kind_is_taken_or_is_one_line_that_names_the_key(key: str, value: Any) -> None:
    told = told_by(lambda: program(**{key: value}), pulumi.RunError)
    assert is_clear(told, key), told


def test_good_settings_are_taken() -> None:
    found = program(
        repository="o@1/n@2",
        environments=["dev", "a_b.c-d"],
        previewsPullRequests=False,
        previewBranches=["release/1"],
        sessionSeconds=43200,
        hostedZoneIds=["Z0123"],
        stateBucketArn="arn:aws:s3:::state",
        stateKeyArn=f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/12ab",
        permissionsBoundaryArn=f"arn:aws:iam::{ACCOUNT}:policy/boundary",
        providerArn=f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
    )
    assert found.resources["teal-deploy"].inputs["maxSessionDuration"] == 43200
    assert "o@1/n@2" in json.dumps(found.resources["teal-preview"].inputs["assumeRolePolicy"])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"environmants": ["dev"]},
            "teal-identity:environmants is unknown: the keys are those that Pulumi.yaml declares",
        ),
        ({"sessionSeconds": 60}, "teal-identity:sessionSeconds is '60': input should be greater than or equal to 3600"),
        ({"previewBranches": ["*"]}, "teal-identity:previewBranches[0] is '*': must be the name of a branch, without"),
        ({"previewsPullRequests": False, "previewBranches": []}, "teal-identity: previewBranches must name a branch"),
    ],
)
def test_what_is_wrong_is_told_by_its_key(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        program(**changes)
    assert str(caught.value).startswith(told)
