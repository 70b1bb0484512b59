"""The bucket that a load balancer writes its access logs to."""

import json

import pulumi
import pulumi_aws as aws
from pulumi_aws import s3

from ..children import Children

DELIVERY_SERVICE = "logdelivery.elasticloadbalancing.amazonaws.com"


def access_log_bucket(
    children: Children, retention_days: int, *, keeps_logs_on_destroy: bool
) -> tuple[s3.Bucket, s3.BucketPolicy]:
    """A private bucket that only the load balancers of this account write to, and its policy, which they need first.

    Logs expire after the retention. The bucket is not versioned: each log is written once, under a name of its own.
    """
    bucket = s3.Bucket(
        children.name("logs"),
        force_destroy=not keeps_logs_on_destroy,
        tags=children.tagged("logs"),
        opts=children.options(),
    )
    privacy = s3.BucketPublicAccessBlock(
        children.name("logs-privacy"),
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=children.options(),
    )
    s3.BucketOwnershipControls(
        children.name("logs-ownership"),
        bucket=bucket.id,
        rule={"object_ownership": "BucketOwnerEnforced"},
        opts=children.options(),
    )
    s3.BucketServerSideEncryptionConfiguration(
        children.name("logs-encryption"),
        bucket=bucket.id,
        # S3's own keys: access logs can't be delivered to a bucket that encrypts with KMS.
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
        opts=children.options(),
    )
    s3.BucketLifecycleConfiguration(
        children.name("logs-expiry"),
        bucket=bucket.id,
        rules=[
            {
                "id": "expire",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "expiration": {"days": retention_days},
                "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
            }
        ],
        opts=children.options(),
    )
    caller = aws.get_caller_identity_output(opts=children.invoke_options())
    policy = s3.BucketPolicy(
        children.name("logs-policy"),
        bucket=bucket.id,
        policy=pulumi.Output.all(bucket.arn, caller.account_id).apply(lambda known: delivery_policy(*known)),
        opts=children.following(privacy).options(),  # S3 refuses to set both at once
    )
    return bucket, policy


def delivery_policy(bucket_arn: str, account_id: str) -> str:
    """Lets the delivery service write under the account's prefix, and nobody do anything without TLS."""
    delivery = {
        "Sid": "AccessLogDelivery",
        "Effect": "Allow",
        "Principal": {"Service": DELIVERY_SERVICE},
        "Action": "s3:PutObject",
        "Resource": f"{bucket_arn}/AWSLogs/{account_id}/*",
    }
    tls_only = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [delivery, tls_only]})
