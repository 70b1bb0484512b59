"""Who the pipeline is in one AWS account: GitHub's OpenID Connect provider and three roles."""

import re
from typing import Annotated, Self

import pulumi
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, model_validator
from pydantic.alias_generators import to_camel

from components.github_trust import NAME, subjects
from components.identity import BUCKET_ARN, KEY_ARN, POLICY_ARN, PROVIDER_ARN, ZONE_ID, PipelineRoles, PipelineRolesArgs
from config import typed
from config.stack_files import SettingsError


def like(pattern: re.Pattern[str], meaning: str, *, may_be_empty: bool = False) -> AfterValidator:
    """Asks for a text that is wholly of a pattern."""

    def check(text: str) -> str:
        if not pattern.fullmatch(text) and not (may_be_empty and not text):
            raise ValueError(f"must be {meaning}{', or empty' if may_be_empty else ''}")
        return text

    return AfterValidator(check)


def known(repository: str) -> str:
    """The repository, if tokens could name it so. Raises ValueError."""
    subjects(repository, pull_requests=True)
    return repository


ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


class Wanted(BaseModel):
    """The account's settings. Texts, units and defaults: Pulumi.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    repository: Annotated[str, AfterValidator(known)]
    environments: Annotated[
        tuple[Annotated[str, like(ENVIRONMENT, "the name of a stack")], ...], Field(min_length=1, max_length=20)
    ]
    previews_pull_requests: Annotated[bool, Strict()]
    preview_branches: Annotated[
        tuple[Annotated[str, like(NAME, "the name of a branch, without wildcards")], ...], Field(max_length=20)
    ]
    provider_arn: Annotated[str, like(PROVIDER_ARN, "the ARN of GitHub's OpenID Connect provider", may_be_empty=True)]
    session_seconds: Annotated[int, Strict(), Field(ge=3600, le=43200)]
    permissions_boundary_arn: Annotated[str, like(POLICY_ARN, "the ARN of an IAM policy", may_be_empty=True)]
    hosted_zone_ids: Annotated[
        tuple[Annotated[str, like(ZONE_ID, "the id of a zone, such as Z0123456789ABC")], ...], Field(max_length=20)
    ]
    state_bucket_arn: Annotated[str, like(BUCKET_ARN, "the ARN of a bucket", may_be_empty=True)]
    state_key_arn: Annotated[str, like(KEY_ARN, "the ARN of a KMS key", may_be_empty=True)]
    bounds_servers: Annotated[bool, Strict()]

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if not self.previews_pull_requests and not self.preview_branches:
            raise ValueError("previewBranches must name a branch, or previewsPullRequests be true")
        return self


try:
    wanted = typed.of_program(Wanted, pulumi.get_project())
except SettingsError as error:
    raise pulumi.RunError(str(error)) from None
args: PipelineRolesArgs = {
    "repository": wanted.repository,
    "environments": wanted.environments,
    "previews_pull_requests": wanted.previews_pull_requests,
    "preview_branches": wanted.preview_branches,
    "session_seconds": wanted.session_seconds,
    "tags": {"Project": "teal"},
}
if wanted.provider_arn:
    args["provider_arn"] = wanted.provider_arn
if wanted.permissions_boundary_arn:
    args["permissions_boundary_arn"] = wanted.permissions_boundary_arn
if wanted.hosted_zone_ids:
    args["hosted_zone_ids"] = wanted.hosted_zone_ids
if wanted.state_bucket_arn:
    args["state_bucket_arn"] = wanted.state_bucket_arn
if wanted.state_key_arn:
    args["state_key_arn"] = wanted.state_key_arn
if wanted.bounds_servers:
    args["bounds_servers"] = True
roles = PipelineRoles("teal", args)

pulumi.export("providerArn", roles.provider_arn)
pulumi.export("roleArns", roles.role_arns)
pulumi.export("serverBoundaryArn", roles.server_boundary_arn)
