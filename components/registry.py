"""An image repository whose tags never move and whose released images never expire."""

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import ecr

from .bounds import whole
from .former_names import remembering
from .registry_policies import lifecycle_policy, pull_policy
from .tagging import named


class RegistryArgs(TypedDict):
    """What a Registry can be told; every field has a secure default."""

    pull_account_ids: NotRequired[Sequence[str]]
    """Other AWS accounts, 12 digits each, that may pull; default none."""
    keep_builds: NotRequired[int]
    """Images tagged build-* that are kept, newest first, 1 to 10000; default 100."""
    untagged_days: NotRequired[int]
    """Days that an image without a tag is kept for, 1 to 3650; default 7."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """KMS key that encrypts the layers; default ECR's own AES-256. Changing it replaces the repository."""
    force_delete: NotRequired[bool]
    """Whether a destroy may remove the repository while it holds images; default false."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on the repository, beside its own Name."""


class Registry(pulumi.ComponentResource):
    """An ECR repository: immutable tags, scan on push, encrypted, closed to all but the accounts named.

    The law of its lifecycle: an image tagged keep-* is never expired, whatever other tags it has. Who releases a digest
    tags it `keep-<first 12 hex digits>` before anything runs it, and removes the tag once no release can go back to it.
    Raises ValueError for a number out of bounds or a malformed account id.
    """

    repository_url: pulumi.Output[str]
    """Registry host and repository name, without a tag."""
    repository_name: pulumi.Output[str]
    """Name of the repository within its registry."""
    arn: pulumi.Output[str]
    """ARN of the repository."""
    registry_id: pulumi.Output[str]
    """AWS account, 12 digits, that the registry belongs to."""

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        keep_builds = whole("keep_builds", args.get("keep_builds", 100), 1, 10_000)
        untagged_days = whole("untagged_days", args.get("untagged_days", 7), 1, 3650)
        pullers = args.get("pull_account_ids", ())
        pull = pull_policy(pullers) if pullers else None
        super().__init__("teal:index:Registry", name, {}, remembering("teal:index:Registry", name, opts))
        child = pulumi.ResourceOptions(parent=self)

        repository = ecr.Repository(
            f"{name}-images",
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[_encryption(args.get("kms_key_arn"))],
            force_delete=args.get("force_delete", False),
            tags=named(args.get("tags", {}), f"{name}-images"),
            opts=child,
        )
        ecr.LifecyclePolicy(
            f"{name}-lifecycle",
            repository=repository.name,
            policy=lifecycle_policy(keep_builds, untagged_days),
            opts=child,
        )
        if pull:
            ecr.RepositoryPolicy(f"{name}-pull", repository=repository.name, policy=pull, opts=child)

        self.repository_url = repository.repository_url
        self.repository_name = repository.name
        self.arn = repository.arn
        self.registry_id = repository.registry_id
        self.register_outputs(
            {
                "repository_url": self.repository_url,
                "repository_name": self.repository_name,
                "arn": self.arn,
                "registry_id": self.registry_id,
            }
        )


def _encryption(kms_key_arn: pulumi.Input[str] | None) -> ecr.RepositoryEncryptionConfigurationArgsDict:
    if kms_key_arn is None:
        return {"encryption_type": "AES256"}
    return {"encryption_type": "KMS", "kms_key": kms_key_arn}
