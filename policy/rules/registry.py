"""Image registries."""

from collections.abc import Mapping

from policy.documents import many, parsed, statements
from policy.model import Resource, Stack
from policy.rule import Found, Severity, rule, stack_rule
from policy.types import REPOSITORY, REPOSITORY_LIFECYCLE, REPOSITORY_POLICY


@rule(
    "registry-scans", 35, REPOSITORY,
    title="Image registries scan what is pushed",
    reason="A known hole in an image is best known before it runs.",
    remedy='Set image_scanning_configuration={"scan_on_push": True}.',
)  # fmt: skip
def registry_scans(repository: Resource) -> Found:
    """Asks for scan on push."""
    if not repository.block("imageScanningConfiguration").flag("scanOnPush"):
        yield "scanOnPush is off"


@rule(
    "registry-immutable", 36, REPOSITORY,
    title="Image tags never move",
    reason="What was tested under a tag should be what runs under it.",
    remedy='Set image_tag_mutability="IMMUTABLE".',
)  # fmt: skip
def registry_immutable(repository: Resource) -> Found:
    """Asks for immutable tags."""
    if not repository.text("imageTagMutability", "MUTABLE").startswith("IMMUTABLE"):
        yield "imageTagMutability is not IMMUTABLE"


@stack_rule(
    "registry-lifecycle", 37, REPOSITORY,
    title="Image registries drop old images",
    reason="Old images cost money, and somebody may run one with its old holes.",
    remedy="Add aws.ecr.LifecyclePolicy.",
    severity=Severity.LOW,
)  # fmt: skip
def registry_lifecycle(repository: Resource, stack: Stack) -> Found:
    """Asks for a lifecycle policy."""
    if not stack.pointing(repository, "repository", REPOSITORY_LIFECYCLE):
        yield "it has no lifecycle policy"


@rule(
    "registry-keeps-running", 37, REPOSITORY_LIFECYCLE,
    title="Image registries keep images that run",
    reason="A server that starts tomorrow needs the image that is live today, however old it is.",
    remedy="Expire by tag prefix, and give images that are live a tag of another prefix.",
)  # fmt: skip
def registry_keeps_running(lifecycle: Resource) -> Found:
    """Forbids selections that no tag protects an image from."""
    document = parsed(lifecycle.get("policy"))
    chosen = [each for each in many(document.get("rules")) if isinstance(each, Mapping)] if document else []
    if any((each.get("selection") or {}).get("tagStatus") == "any" for each in chosen):
        yield "it expires images whatever tags they have"


@rule(
    "registry-not-public", 38, REPOSITORY_POLICY,
    title="Image registries are closed to strangers",
    reason="An image holds the source of what runs.",
    remedy="Name the accounts that may pull as principals.",
    severity=Severity.HIGH,
)  # fmt: skip
def registry_not_public(policy: Resource) -> Found:
    """Forbids everyone as a principal."""
    if any(statement.is_for_everyone for statement in statements(policy, "policy")):
        yield "its policy lets everyone in"


@rule(
    "registry-own-key", 38, REPOSITORY,
    title="Image registries encrypt with a key of one's own",
    reason="Who holds the key decides who reads, whatever other policies say.",
    remedy='Set encryption_configurations=[{"encryption_type": "KMS", "kms_key": <a key\'s ARN>}].',
    severity=Severity.LOW,
)  # fmt: skip
def registry_own_key(repository: Resource) -> Found:
    """Asks for KMS with a key that is named."""
    encryption = repository.block("encryptionConfigurations")
    if not encryption.text("encryptionType", "AES256").startswith("KMS") or not encryption.given("kmsKey"):
        yield "it is not encrypted with a KMS key of one's own"
