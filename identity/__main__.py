"""Who the pipeline is in one AWS account: GitHub's OpenID Connect provider and three roles."""

import pulumi

from components.identity import PipelineRoles, PipelineRolesArgs

config = pulumi.Config()
wanted: PipelineRolesArgs = {
    "repository": config.require("repository"),
    "environments": config.require_object("environments"),
    "previews_pull_requests": config.get_bool("previewsPullRequests", True),
    "preview_branches": config.get_object("previewBranches", ["main"]),
    "session_seconds": config.get_int("sessionSeconds", 3600),
    "tags": {"Project": "teal"},
}
if provider_arn := config.get("providerArn"):
    wanted["provider_arn"] = provider_arn
if boundary_arn := config.get("permissionsBoundaryArn"):
    wanted["permissions_boundary_arn"] = boundary_arn
if zone_ids := config.get_object("hostedZoneIds"):
    wanted["hosted_zone_ids"] = zone_ids
if bucket_arn := config.get("stateBucketArn"):
    wanted["state_bucket_arn"] = bucket_arn
if key_arn := config.get("stateKeyArn"):
    wanted["state_key_arn"] = key_arn
if config.get_bool("boundsServers"):
    wanted["bounds_servers"] = True
try:
    roles = PipelineRoles("teal", wanted)
except ValueError as error:
    raise pulumi.RunError(str(error)) from None

pulumi.export("providerArn", roles.provider_arn)
pulumi.export("roleArns", roles.role_arns)
pulumi.export("serverBoundaryArn", roles.server_boundary_arn)
