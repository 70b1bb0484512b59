"""Asks rules about resources: what is wrong, what cannot be said yet, and what is exempt."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from policy.exemptions import Exemption, Exemptions
from policy.model import Resource, Stack, Undecided
from policy.rule import Rule, Scope


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule has to say about a resource."""

    rule: Rule
    resource: Resource
    message: str
    """What is wrong, and what to do about it; or what is not known yet."""
    is_violation: bool
    """Whether the rule is broken; else it can't be said yet."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Rules, and what is exempt from them in one stack on one day."""

    rules: tuple[Rule, ...]
    exemptions: Exemptions
    stack: str
    today: date

    def one(self, resource: Resource) -> Iterator[Finding]:
        """What the rules about single resources say of one."""
        return self._ask(Scope.RESOURCE, [resource], Stack((resource,)))

    def all(self, stack: Stack) -> Iterator[Finding]:
        """What the rules about whole stacks say of one."""
        return self._ask(Scope.STACK, stack.resources, stack)

    def _ask(self, scope: Scope, resources: Iterable[Resource], stack: Stack) -> Iterator[Finding]:
        rules = [rule for rule in self.rules if rule.scope is scope]
        for resource in resources:
            for rule in rules:
                if resource.type in rule.types:
                    yield from self._findings(rule, resource, stack)

    def _findings(self, rule: Rule, resource: Resource, stack: Stack) -> Iterator[Finding]:
        exemption = self.exemptions.of(rule, resource, self.stack)
        if exemption and exemption.expires >= self.today:
            return
        try:
            for wrong in rule.check(resource, stack):
                yield Finding(rule, resource, told(rule, resource, wrong, exemption), is_violation=True)
        except Undecided as unknown:
            when = "at the end of the update" if rule.scope is Scope.STACK else "in the update, before it is made"
            text = f"{resource.name}: {unknown} is not known in a preview; {rule.id} is decided {when}"
            yield Finding(rule, resource, text, is_violation=False)


def told(rule: Rule, resource: Resource, wrong: str, ended: Exemption | None) -> str:
    """A violation in three sentences: what, why, what to do; and a fourth where an exemption has ended."""
    end = f" {ended.owner}'s exemption ended on {ended.expires}." if ended else ""
    return f"{resource.name}: {wrong}. {rule.reason} {rule.remedy}{end}"
