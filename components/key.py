"""The environment's own KMS key, for what AWS would otherwise encrypt with keys that nobody else can take away."""

import json
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
from pulumi_aws import kms

from .children import Children
from .former_names import remembering


class KeyArgs(TypedDict):
    """What a Key can be told."""

    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on the key, beside its own Name."""


class Key(pulumi.ComponentResource):
    """A KMS key that rotates every year, for logs, alarms' topic and image registry of one account and region.

    A deleted key can be saved for 30 days: what it encrypted is lost with it.
    """

    arn: pulumi.Output[str]
    """ARN of the key."""

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("teal:index:Key", name, {}, remembering("teal:index:Key", name, opts))
        children = Children(name, args.get("tags", {}), self)
        account = aws.get_caller_identity_output(opts=children.invoke_options()).account_id
        region = aws.get_region_output(opts=children.invoke_options()).region
        key = kms.Key(
            children.name("key"),
            description=f"Logs, alarms and images of {pulumi.get_project()} in {pulumi.get_stack()}",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            policy=pulumi.Output.all(account_id=account, region=region).apply(lambda known: key_policy(**known)),
            tags=children.tagged("key"),
            opts=children.options(),
        )
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


def key_policy(account_id: str, region: str) -> str:
    """Leaves the key to the account's own policies, and lets logs and alarms of the account use it, as JSON.

    The registry needs no word of its own: it is granted the key by whoever makes the repository.
    """
    owner = {
        "Sid": "Account",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account_id}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    logs = _use(
        "Logs",
        f"logs.{region}.amazonaws.com",
        {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{region}:{account_id}:*"}},
    )
    alarms = _use("Alarms", "cloudwatch.amazonaws.com", {"StringEquals": {"aws:SourceAccount": account_id}})
    return json.dumps({"Version": "2012-10-17", "Statement": [owner, logs, alarms]})


def _use(sid: str, service: str, condition: dict[str, Any]) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": ["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        "Resource": "*",
        "Condition": condition,
    }
