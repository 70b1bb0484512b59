"""Permissions as data: statements of an IAM policy, each with its reason, and the document that they make."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

EVERYTHING = "*"
MOST_CHARACTERS = 6_144
"""Of a managed policy (IAM's quotas)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a policy is about: the places in an ARN that its author can't know."""

    account_id: str
    region: str
    project: str
    """Value of the tag Project on all that the program makes, and first folder of its names."""
    environments: tuple[str, ...]
    """Values of the tag Environment: the stacks that live in this account."""
    hosted_zone_ids: tuple[str, ...] = ("*",)
    """Route 53 zones that hold the domains of these stacks."""
    server_boundary_arn: str = ""
    """Permissions boundary that servers' roles must have; empty where none is asked for."""

    def bounded_by(self, server_boundary_arn: str) -> "Scope":
        """The same, where servers have this boundary, or none if it is empty."""
        return replace(self, server_boundary_arn=server_boundary_arn)

    def fill(self, pattern: str) -> Iterator[str]:
        """The pattern with its places filled, once an environment or hosted zone if it asks for one.

        Nothing for a pattern that asks for a boundary where there is none.
        """
        known = {"account": self.account_id, "region": self.region, "project": self.project}
        bounds = (self.server_boundary_arn,) if self.server_boundary_arn else ()
        many = {"environment": self.environments, "zone": self.hosted_zone_ids, "boundary": bounds}
        for place, values in many.items():
            if f"{{{place}}}" in pattern:
                yield from (pattern.format(**known, **{place: value}) for value in values)
                return
        yield pattern.format(**known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement. Resources and conditions may hold {account}, {region}, {project}, {environment} or {zone}.

    A condition on {boundary} is none where the scope has no boundary.
    """

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
        conditions = {operator: self._filled_pairs(pairs, scope) for operator, pairs in self.conditions.items()}
        if any(conditions.values()):
            found["Condition"] = {operator: pairs for operator, pairs in conditions.items() if pairs}
        return found

    @staticmethod
    def _filled_pairs(pairs: Mapping[str, tuple[str, ...]], scope: Scope) -> dict[str, str | list[str]]:
        filled = {key: _filled(values, scope) for key, values in pairs.items()}
        return {key: _one_or_more(values) for key, values in filled.items() if values}

    def names(self, action: str) -> bool:
        """Whether the statement is about an action; IAM minds neither upper nor lower case."""
        return any(fnmatchcase(action.lower(), mine.lower()) for mine in (*self.actions, *self.unseen))

    def covers(self, resource: str, scope: Scope) -> bool:
        """Whether the statement is about a resource."""
        return any(fnmatchcase(resource, arn) for arn in _filled(self.resources, scope))


def policy(statements: Sequence[Statement], scope: Scope) -> str:
    """The statements as one policy document, as JSON without blanks.

    Raises ValueError for one that is longer than IAM takes, as for an account of a dozen environments.
    """
    document = {"Version": "2012-10-17", "Statement": [each.document(scope) for each in statements]}
    text = json.dumps(document, separators=(",", ":"))
    if len(text) > MOST_CHARACTERS:
        raise ValueError(
            f"environments: with {len(scope.environments)} of them a policy ({statements[0].sid} and more) would have "
            f"{len(text)} characters, and IAM takes {MOST_CHARACTERS}; keep some of them in another account"
        )
    return text


def _filled(patterns: Sequence[str], scope: Scope) -> list[str]:
    return [text for pattern in patterns for text in scope.fill(pattern)]


def _one_or_more(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def table(roles: Mapping[str, Mapping[str, Sequence[Statement]]]) -> str:
    """What each role may do and why, in Markdown: by role a table of statements, then what nobody was seen to call."""
    return "".join(
        _section(role, [each for some in policies.values() for each in some]) for role, policies in roles.items()
    )


def _section(role: str, statements: Sequence[Statement]) -> str:
    lines = [f"### {role}", "", "| statement | why | actions | on | if |", "|---|---|---|---|---|"]
    lines += [_row(each) for each in statements]
    unseen = [(action, why) for each in statements for action, why in each.unseen.items()]
    by_reason: dict[str, list[str]] = {}
    for action, why in unseen:
        by_reason.setdefault(why, []).append(f"`{action}`")
    lines += ["", "Nothing calls these in the embedded cloud:", ""]
    lines += [f"- {', '.join(sorted(set(actions)))}: {why}." for why, actions in by_reason.items()]
    return "\n".join(lines) + "\n\n"


def _row(statement: Statement) -> str:
    conditions = [
        f"`{key}` {operator} {' or '.join(f'`{value}`' for value in values)}"
        for operator, pairs in statement.conditions.items()
        for key, values in pairs.items()
    ]
    name = f"**never** {statement.sid}" if statement.denies else statement.sid
    actions = statement.actions or tuple(statement.unseen)
    cells = (name, statement.reason, _coded(actions), _coded(statement.resources), "<br>".join(conditions))
    return f"| {' | '.join(cells)} |"


def _coded(texts: Sequence[str]) -> str:
    return "<br>".join(f"`{text}`" for text in texts)
