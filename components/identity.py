"""Who a pipeline at GitHub is at AWS: three roles that its workflows take by OpenID Connect, without stored keys."""

import re
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi_aws import iam

from .bounds import whole
from .children import Children
from .former_names import remembering
from .github_trust import AUDIENCE, ISSUER, subjects, trust_policy
from .parameters import parameter_name
from .pipeline_roles.backend import backend
from .pipeline_roles.deploy import DEPLOY
from .pipeline_roles.permissions import Scope, Statement, policy
from .pipeline_roles.preview import PREVIEW
from .pipeline_roles.release import RELEASE
from .pipeline_roles.server_boundary import server_boundary

ROLES: Mapping[str, Mapping[str, Sequence[Statement]]] = {"preview": PREVIEW, "deploy": DEPLOY, "release": RELEASE}
"""By role, by name of policy, its statements."""
PURPOSES = {
    "preview": "Pull requests of Teal: reads what a preview compares with",
    "deploy": "Pipeline of Teal: brings environments up and builds images",
    "release": "Pipeline of Teal: releases versions",
}
PROVIDER_ARN = re.compile(rf"arn:aws[a-z-]*:iam::\d{{12}}:oidc-provider/{re.escape(ISSUER)}")
BUCKET_ARN = re.compile(r"arn:aws[a-z-]*:s3:::[a-z0-9.-]{3,63}")
KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")
ZONE_ID = re.compile(r"Z[A-Z0-9]{1,31}")
POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy/.+")


class PipelineRolesArgs(TypedDict):
    """What PipelineRoles are made from."""

    repository: str
    """GitHub repository as its tokens name it: owner/name, or owner@id/name@id."""
    environments: Sequence[str]
    """Stacks that live in this account; the roles reach nothing of any other."""
    project: NotRequired[str]
    """Value of the tag Project on all that the stacks make; default teal."""
    previews_pull_requests: NotRequired[bool]
    """Whether workflows on pull requests may take the preview role; default true."""
    preview_branches: NotRequired[Sequence[str]]
    """Branches whose workflows may take the preview role; default main."""
    deploy_environments: NotRequired[Sequence[str]]
    """GitHub environments whose jobs may take the deploy role; by default, of the names of the stacks."""
    deploy_branches: NotRequired[Sequence[str]]
    """Branches whose jobs outside of any environment may take the deploy role; by default none."""
    release_environments: NotRequired[Sequence[str]]
    """GitHub environments whose jobs may take the release role; by default, of the names of the stacks."""
    release_branches: NotRequired[Sequence[str]]
    """Branches whose jobs outside of any environment may take the release role; by default none."""
    provider_arn: NotRequired[str]
    """GitHub's OpenID Connect provider where the account has it already (it can have one); by default one is made."""
    session_seconds: NotRequired[int]
    """Longest that a workflow may keep a role, 3600 to 43200; default 3600."""
    permissions_boundary_arn: NotRequired[str]
    """IAM policy beyond which none of the roles can go; by default none."""
    hosted_zone_ids: NotRequired[Sequence[str]]
    """Route 53 zones that hold the stacks' domains; by default any of the account."""
    state_bucket_arn: NotRequired[str]
    """S3 bucket that Pulumi keeps its state in; by default none, as with Pulumi Cloud."""
    state_key_arn: NotRequired[str]
    """KMS key that the stacks' secrets are encrypted with; by default none."""
    bounds_servers: NotRequired[bool]
    """Whether deploy may give rights only to roles with a boundary, which is made; default false."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on provider and roles, beside their own Name."""


class PipelineRoles(pulumi.ComponentResource):
    """Three roles: preview reads, deploy brings environments up, release moves versions; none may touch the roles.

    One a region and account. Raises ValueError for arguments that are none, before anything is made.
    """

    provider_arn: pulumi.Output[str]
    """ARN of GitHub's OpenID Connect provider."""
    role_arns: pulumi.Output[dict[str, str]]
    """ARN by role: preview, deploy, release."""
    server_boundary_arn: pulumi.Output[str]
    """ARN of the servers' permissions boundary, for teal:serverBoundaryArn; empty where none is made."""

    def __init__(self, name: str, args: PipelineRolesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        environments, trusted = _environments(args), _trusted(args)
        session_seconds = whole("session_seconds", args.get("session_seconds", 3600), 3600, 43200)
        _check_arns(args)
        super().__init__("teal:index:PipelineRoles", name, {}, remembering("teal:index:PipelineRoles", name, opts))
        children = Children(name, args.get("tags", {}), self)
        project = args.get("project", "teal")
        scope = _scope(args, project, environments, children)
        self.server_boundary_arn = pulumi.Output.from_input("")
        if args.get("bounds_servers", False):
            self.server_boundary_arn = server_boundary(children, scope, project).arn
        scope = pulumi.Output.all(scope, self.server_boundary_arn).apply(lambda known: known[0].bounded_by(known[1]))

        self.provider_arn = pulumi.Output.from_input(args.get("provider_arn") or _provider(children).arn)
        roles = {}
        for role, policies in ROLES.items():
            roles[role] = iam.Role(
                children.name(role),
                path=f"/{project}-pipeline/",  # by which statements tell the pipeline's roles from all others
                description=PURPOSES[role],
                assume_role_policy=_trust(self.provider_arn, trusted[role]),
                max_session_duration=session_seconds,
                permissions_boundary=args.get("permissions_boundary_arn"),
                tags=children.tagged(role),
                opts=children.options(),
            )
            more = backend(role, args.get("state_bucket_arn"), args.get("state_key_arn"))
            for purpose, statements in {**policies, **more}.items():
                _grant(children, roles[role], f"{role}-{purpose}", project, _document(statements, scope))

        self.role_arns = pulumi.Output.all(**{role: made.arn for role, made in roles.items()})
        self.register_outputs(
            {
                "provider_arn": self.provider_arn,
                "role_arns": self.role_arns,
                "server_boundary_arn": self.server_boundary_arn,
            }
        )


def _provider(children: Children) -> iam.OpenIdConnectProvider:
    """Without thumbprints: AWS trusts GitHub's certificate by its authority."""
    return iam.OpenIdConnectProvider(
        children.name("github"),
        url=f"https://{ISSUER}",
        client_id_lists=[AUDIENCE],
        tags=children.tagged("github"),
        opts=children.options(),
    )


def _trust(provider_arn: pulumi.Output[str], wanted: Sequence[str]) -> pulumi.Output[str]:
    return provider_arn.apply(lambda arn: trust_policy(arn, wanted))


def _document(statements: Sequence[Statement], scope: pulumi.Output[Scope]) -> pulumi.Output[str]:
    return scope.apply(lambda known: policy(statements, known))


def _scope(
    args: PipelineRolesArgs, project: str, environments: tuple[str, ...], children: Children
) -> pulumi.Output[Scope]:
    """The provider's account and region, and what the caller says."""
    zones = tuple(args.get("hosted_zone_ids", ["*"]))

    def known(account_id: str, region: str) -> Scope:
        return Scope(
            account_id=account_id, region=region, project=project, environments=environments, hosted_zone_ids=zones
        )

    options = children.invoke_options()
    return pulumi.Output.all(
        account_id=aws.get_caller_identity_output(opts=options).account_id,
        region=aws.get_region_output(opts=options).region,
    ).apply(lambda found: known(**found))


def _grant(children: Children, role: iam.Role, purpose: str, project: str, document: pulumi.Output[str]) -> None:
    """Managed policies: what a deployment needs is longer than a role's inline policies may be."""
    made = iam.Policy(
        children.name(purpose),
        path=f"/{project}-pipeline/",
        policy=document,
        tags=children.tagged(purpose),
        opts=children.options(),
    )
    iam.RolePolicyAttachment(
        children.name(f"{purpose}-attachment"), role=role.name, policy_arn=made.arn, opts=children.options()
    )


def _trusted(args: PipelineRolesArgs) -> dict[str, list[str]]:
    """Subjects by role."""
    repository, named = args["repository"], args["environments"]
    return {
        "preview": subjects(
            repository,
            branches=args.get("preview_branches", ["main"]),
            pull_requests=args.get("previews_pull_requests", True),
        ),
        "deploy": subjects(
            repository,
            environments=args.get("deploy_environments", named),
            branches=args.get("deploy_branches", []),
        ),
        "release": subjects(
            repository,
            environments=args.get("release_environments", named),
            branches=args.get("release_branches", []),
        ),
    }


def _environments(args: PipelineRolesArgs) -> tuple[str, ...]:
    """The environments, each once. Raises ValueError for one that parameters can't be named after."""
    for each in args["environments"]:
        parameter_name(each, "ledger")
    return tuple(dict.fromkeys(args["environments"]))


def _check_arns(args: PipelineRolesArgs) -> None:
    wanted = (
        ("provider_arn", args.get("provider_arn"), PROVIDER_ARN, "the ARN of GitHub's OpenID Connect provider"),
        ("permissions_boundary_arn", args.get("permissions_boundary_arn"), POLICY_ARN, "the ARN of an IAM policy"),
        ("state_bucket_arn", args.get("state_bucket_arn"), BUCKET_ARN, "the ARN of a bucket"),
        ("state_key_arn", args.get("state_key_arn"), KEY_ARN, "the ARN of a KMS key"),
    )
    for name, value, pattern, meaning in wanted:
        if value is not None and not pattern.fullmatch(value):
            raise ValueError(f"{name} must be {meaning}, got {value!r}")
    for zone in args.get("hosted_zone_ids", []):
        if not ZONE_ID.fullmatch(zone):
            raise ValueError(f"hosted_zone_ids must be ids such as Z0123456789ABC, got {zone!r}")
