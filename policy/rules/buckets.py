"""S3 buckets."""

from policy.documents import statements
from policy.model import Resource, Stack
from policy.rule import Found, Severity, stack_rule
from policy.types import (
    BUCKET,
    BUCKET_ENCRYPTION,
    BUCKET_LIFECYCLE,
    BUCKET_LOGGING,
    BUCKET_OWNERSHIP,
    BUCKET_POLICY,
    BUCKET_PRIVACY,
)

LOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


@stack_rule(
    "bucket-private", 43, BUCKET,
    title="Buckets block public access",
    reason="One wrong policy then opens nothing.",
    remedy="Add aws.s3.BucketPublicAccessBlock with all four settings on.",
    severity=Severity.HIGH,
)  # fmt: skip
def bucket_private(bucket: Resource, stack: Stack) -> Found:
    """Asks for all four locks."""
    blocks = stack.pointing(bucket, "bucket", BUCKET_PRIVACY)
    if not any(all(block.flag(lock) for lock in LOCKS) for block in blocks):
        yield "public access to it is not blocked in all four ways"


@stack_rule(
    "bucket-tls-only", 44, BUCKET,
    title="Buckets refuse requests without TLS",
    reason="What is sent in clear can be read and changed on the way.",
    remedy="Add a bucket policy that denies s3:* to everyone where aws:SecureTransport is false.",
)  # fmt: skip
def bucket_tls_only(bucket: Resource, stack: Stack) -> Found:
    """Asks for a policy that denies plain requests."""
    policies = stack.pointing(bucket, "bucket", BUCKET_POLICY)
    if not any(found.demands_tls() for policy in policies for found in statements(policy, "policy")):
        yield "no policy of it denies requests without TLS"


@stack_rule(
    "bucket-access-logs", 45, BUCKET,
    title="Buckets keep access logs",
    reason="They tell who read what.",
    remedy="Add aws.s3.BucketLogging with another bucket as its target.",
    severity=Severity.LOW,
)  # fmt: skip
def bucket_access_logs(bucket: Resource, stack: Stack) -> Found:
    """Asks for server access logging."""
    if not bucket.given("logging") and not stack.pointing(bucket, "bucket", BUCKET_LOGGING):
        yield "requests to it are not logged"


@stack_rule(
    "bucket-no-acls", 45, BUCKET,
    title="Buckets have no access lists beside their policy",
    reason="With ACLs, whoever writes an object decides who reads it.",
    remedy='Add aws.s3.BucketOwnershipControls(rule={"object_ownership": "BucketOwnerEnforced"}).',
)  # fmt: skip
def bucket_no_acls(bucket: Resource, stack: Stack) -> Found:
    """Asks for ownership by the bucket's owner, said outright."""
    controls = stack.pointing(bucket, "bucket", BUCKET_OWNERSHIP)
    if not any(control.block("rule").text("objectOwnership") == "BucketOwnerEnforced" for control in controls):
        yield "ACLs are not switched off"


@stack_rule(
    "bucket-lifecycle", 45, BUCKET,
    title="Buckets drop what is old",
    reason="What is kept for ever is paid for, and can leak, for ever.",
    remedy="Add aws.s3.BucketLifecycleConfiguration.",
    severity=Severity.LOW,
)  # fmt: skip
def bucket_lifecycle(bucket: Resource, stack: Stack) -> Found:
    """Asks for an enabled lifecycle rule."""
    configured = stack.pointing(bucket, "bucket", BUCKET_LIFECYCLE)
    if not any(part.text("status") == "Enabled" for each in configured for part in each.blocks("rules")):
        yield "it has no lifecycle rule"


@stack_rule(
    "bucket-kms", 46, BUCKET,
    title="Buckets encrypt with KMS",
    reason="Who holds the key decides who reads; but load balancers can't log to such a bucket.",
    remedy="Add aws.s3.BucketServerSideEncryptionConfiguration with sse_algorithm aws:kms; exempt load balancers'.",
    severity=Severity.LOW,
)  # fmt: skip
def bucket_kms(bucket: Resource, stack: Stack) -> Found:
    """Asks for KMS by default."""
    configured = stack.pointing(bucket, "bucket", BUCKET_ENCRYPTION)
    defaults = [
        part.block("applyServerSideEncryptionByDefault") for each in configured for part in each.blocks("rules")
    ]
    if not any(default.text("sseAlgorithm").startswith("aws:kms") for default in defaults):
        yield "its objects are not encrypted with KMS"
