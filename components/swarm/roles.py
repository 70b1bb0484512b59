"""What nodes of a swarm may do: managers write its parameters, all read theirs, workers pull and log."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOKEN_LEAVES = {"manager": "manager-token", "worker": "worker-token"}
"""Last part of the parameter that a node's join token is in, by role."""
MANAGERS_LEAF = "managers"
LEAVES = ("claim-*", MANAGERS_LEAF, *TOKEN_LEAVES.values())
"""Last parts of all that managers write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Where the swarm's parameters are, and what encrypts its tokens."""

    prefix: str
    """Path of all of them, such as /teal/dev/swarm."""
    account_id: str
    region: str
    partition: str
    key_arn: str = ""
    """KMS key; empty for SSM's own."""

    def arn(self, leaf: str) -> str:
        """ARN of one parameter."""
        return f"arn:{self.partition}:ssm:{self.region}:{self.account_id}:parameter{self.prefix}/{leaf}"

    def readable(self, role: str) -> list[str]:
        """ARNs of what a node of this role reads: nobody but managers sees the managers' token."""
        return [self.arn(leaf) for leaf in (LEAVES if role == "manager" else (MANAGERS_LEAF, TOKEN_LEAVES[role]))]


def manager_policy(parameters: Parameters) -> str:
    """Lets a manager read and write the swarm's parameters and no others, as JSON."""
    statements = [
        _allow("Publish", ["ssm:PutParameter"], [parameters.arn(leaf) for leaf in LEAVES]),
        *reading(parameters, "manager"),
        *_key_use(parameters, ["kms:Decrypt", "kms:Encrypt"]),
    ]
    return _document(statements)


def worker_policy(parameters: Parameters, repository_arn: str, log_group_arn: str) -> str:
    """Lets a worker read how to join, pull from this repository and append to this log group, as JSON."""
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    statements = [
        # A token for the registry belongs to no resource, so IAM knows no narrower one.
        _allow("LogIn", ["ecr:GetAuthorizationToken"], ["*"]),
        _allow("Pull", pull, [repository_arn]),
        _allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{log_group_arn}:*"]),
        *reading(parameters, "worker"),
        *_key_use(parameters, ["kms:Decrypt"]),
    ]
    return _document(statements)


def reading(parameters: Parameters, role: str) -> list[dict[str, Any]]:
    """Reading what a node of this role needs; AWS's policy for sessions would let it read every parameter there is."""
    own = parameters.readable(role)
    beyond = {"Effect": "Deny", "Action": ["ssm:GetParameter", "ssm:GetParameters"], "NotResource": own}
    return [_allow("Read", ["ssm:GetParameters"], own), {"Sid": "NoOtherParameters", **beyond}]


def _key_use(parameters: Parameters, actions: Sequence[str]) -> list[dict[str, Any]]:
    if not parameters.key_arn:
        return []  # SSM's own key works for whoever may read or write the parameter
    through = {"StringEquals": {"kms:ViaService": f"ssm.{parameters.region}.amazonaws.com"}}
    return [_allow("Key", actions, [parameters.key_arn], through)]


def _allow(
    sid: str, actions: Sequence[str], resources: Sequence[str], condition: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    bounds = {"Condition": condition} if condition else {}
    return {"Sid": sid, "Effect": "Allow", "Action": [*actions], "Resource": [*resources], **bounds}


def _document(statements: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [*statements]})
