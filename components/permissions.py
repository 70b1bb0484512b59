"""Permissions as data: statements of an IAM policy, each with its reason, and the document that they make."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

EVERYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a policy is about: the places in an ARN that its author can't know."""

    account_id: str
    region: str
    project: str
    """Value of the tag Project on all that the program makes, and first folder of its names."""
    environments: tuple[str, ...]
    """Values of the tag Environment: the stacks that live in this account."""

    def fill(self, pattern: str) -> Iterator[str]:
        """The pattern with its places filled, once an environment if it asks for one."""
        known = {"account": self.account_id, "region": self.region, "project": self.project}
        if "{environment}" not in pattern:
            yield pattern.format(**known)
            return
        for environment in self.environments:
            yield pattern.format(**known, environment=environment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement. Resources and conditions may hold {account}, {region}, {project} and {environment}."""

    sid: str
    reason: str
    """What it is for, in one sentence, for the table in docs/identity.md."""
    actions: tuple[str, ...]
    """Those that the embedded cloud has seen called."""
    resources: tuple[str, ...] = (EVERYTHING,)
    """ARNs; * only for actions that know no narrower one."""
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Allowed values by key, by operator."""
    unseen: Mapping[str, str] = field(default_factory=dict)
    """Actions that nothing calls in the embedded cloud, and why they are here all the same."""
    denies: bool = False

    def document(self, scope: Scope) -> dict[str, Any]:
        """The statement as IAM takes it."""
        found: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": "Deny" if self.denies else "Allow",
            "Action": _one_or_more(sorted({*self.actions, *self.unseen})),
            "Resource": _one_or_more(_filled(self.resources, scope)),
        }
        if self.conditions:
            found["Condition"] = {
                operator: {key: _one_or_more(_filled(values, scope)) for key, values in pairs.items()}
                for operator, pairs in self.conditions.items()
            }
        return found

    def names(self, action: str) -> bool:
        """Whether the statement is about an action; IAM minds neither upper nor lower case."""
        return any(fnmatchcase(action.lower(), mine.lower()) for mine in (*self.actions, *self.unseen))

    def covers(self, resource: str, scope: Scope) -> bool:
        """Whether the statement is about a resource."""
        return any(fnmatchcase(resource, arn) for arn in _filled(self.resources, scope))


def policy(statements: Sequence[Statement], scope: Scope) -> str:
    """The statements as one policy document, as JSON without blanks: AWS counts characters."""
    document = {"Version": "2012-10-17", "Statement": [each.document(scope) for each in statements]}
    return json.dumps(document, separators=(",", ":"))


def _filled(patterns: Sequence[str], scope: Scope) -> list[str]:
    return [text for pattern in patterns for text in scope.fill(pattern)]


def _one_or_more(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
