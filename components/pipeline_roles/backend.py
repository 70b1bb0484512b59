"""What each role may do at Pulumi's own state, where that is a bucket, and with the key of its secrets."""

from collections.abc import Mapping, Sequence

from .permissions import Statement

WHY = "the embedded cloud's state is a folder, encrypted with a passphrase"
LOCKS = ".pulumi/locks/*"


def backend(role: str, bucket_arn: str | None, key_arn: str | None) -> Mapping[str, Sequence[Statement]]:
    """By name of policy, the statements for a role; nothing without bucket and key."""
    found = [*(_bucket(role, bucket_arn) if bucket_arn else ()), *(_key(role, key_arn) if key_arn else ())]
    return {"state": found} if found else {}


def _bucket(role: str, arn: str) -> Sequence[Statement]:
    # A preview changes no state, but takes the stack's lock like everybody else.
    written = f"{arn}/{LOCKS}" if role == "preview" else f"{arn}/.pulumi/*"
    return (
        _unseen("StateFind", "Finds stacks and locks.", arn, "s3:ListBucket", "s3:GetBucketLocation"),
        _unseen("StateRead", "Reads state.", f"{arn}/.pulumi/*", "s3:GetObject"),
        _unseen("StateWrite", "Writes state, or a lock.", written, "s3:PutObject", "s3:DeleteObject"),
    )


def _key(role: str, arn: str) -> Sequence[Statement]:
    writing = () if role == "preview" else ("kms:Encrypt",)
    return (_unseen("StateSecrets", "Reads and writes secrets in the state.", arn, "kms:Decrypt", *writing),)


def _unseen(sid: str, reason: str, resource: str, *actions: str) -> Statement:
    return Statement(sid=sid, reason=reason, actions=(), resources=(resource,), unseen=dict.fromkeys(actions, WHY))
