"""Every rule against its fixtures: stacks that pass it, and stacks that only it fails."""

import importlib.util
import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from policy.checklist import CHECKLIST
from policy.exemptions import Exemptions
from policy.judge import Finding, Judge
from policy.model import Stack
from policy.rule import Rule
from policy.rules import RULES
from policy.types import canonical
from policy_fixtures import FIXTURES, Case, cases

TODAY = date(2026, 11, 1)
NEVER_INPUTS = {"id"}


def findings(stack: Stack, rules: Iterable[Rule] = RULES) -> list[Finding]:
    judge = Judge(tuple(rules), Exemptions(), "test", TODAY)
    return [*(found for each in stack.resources for found in judge.one(each)), *judge.all(stack)]


def broken(case: Case, rules: Iterable[Rule] = RULES, *, previewed: bool = False) -> set[str]:
    """The ids of the rules that a stack breaks."""
    return {found.rule.id for found in findings(case.stack(previewed=previewed), rules) if found.is_violation}


def test_every_rule_has_fixtures_and_every_fixture_a_rule() -> None:
    assert sorted(FIXTURES) == sorted(rule.id for rule in RULES)
    assert all(by_kind["pass"] and by_kind["fail"] for by_kind in FIXTURES.values())


def test_the_rules_are_about_all_rows_but_the_one_on_the_whole_account() -> None:
    assert [row.number for row in CHECKLIST] == list(range(1, 52))
    assert {row.number for row in CHECKLIST} - {rule.row for rule in RULES} == {51}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_lets_pass_what_it_should_and_finds_what_it_should(rule: Rule) -> None:
    for case in cases("pass", rule.id):
        assert rule.id not in broken(case), case
        assert rule.id not in broken(case, previewed=True), case
    for case in cases("fail", rule.id):
        assert rule.id in broken(case), case
        # Before the update it is found as well, or the rule says that it cannot know.
        assert rule.id in {found.rule.id for found in findings(case.stack(previewed=True))}, case


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_no_rule_can_be_spared(rule: Rule) -> None:
    """Without it the pack finds no more wrong with a stack that fails it than with one that passes it."""
    others = [each for each in RULES if each is not rule]
    sound = [broken(case, others) for case in cases("pass", rule.id)]
    wrongly_passed = [case for case in cases("fail", rule.id) if any(broken(case, others) <= each for each in sound)]
    assert wrongly_passed
    assert all(not any(broken(case) <= each for each in sound) for case in wrongly_passed)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_what_why_and_what_to_do(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.id)
    assert rule.reason.endswith(".")
    assert rule.remedy.endswith(".")
    assert not rule.title.endswith(".")
    assert len(rule.remedy) > 15


def test_what_is_not_known_is_decided_in_the_update_and_says_so() -> None:
    case = next(case for case in cases("fail") if case.rule_id == "server-managed" and case.number == 2)
    assert "server-managed" in broken(case, previewed=True)  # a link is known, even where its value is not
    balancer = Case("balancer-zones", 1, {"alb": ["BALANCER", {"subnets": "${alb}"}]})
    [found] = [each for each in findings(balancer.stack(previewed=True)) if each.rule.id == "balancer-zones"]
    assert not found.is_violation
    assert found.message == (
        "alb: subnets is not known in a preview; balancer-zones is decided at the end of the update"
    )


def test_a_finding_never_repeats_a_secret() -> None:
    told = " ".join(found.message for case in cases("fail") for found in findings(case.stack()))
    assert not re.search("hunter2|correcthorse|AKIA", told)


def named_in(source: str) -> frozenset[str]:
    """The properties that a file of the provider's SDK declares, by the names that the engine has."""
    renamed = re.findall(r'@pulumi\.getter\(name="(\w+)"\)', source)
    plain = re.findall(r"@pulumi\.getter\n(?:    @.*\n)*    def (\w+)\(self\)", source)
    return frozenset({*renamed, *plain})


@cache
def source(module: str, file: str) -> str:
    spec = importlib.util.find_spec("pulumi_aws")
    assert spec
    assert spec.origin
    return (Path(spec.origin).parent / module / file).read_text()


@cache
def parts_of(module: str) -> frozenset[str]:
    """The properties of the parts that a service's resources have."""
    return named_in(source(module, "_inputs.py"))


@cache
def inputs_of(token: str) -> frozenset[str]:
    """The inputs of a type."""
    module, name = re.fullmatch(r"aws:(\w+)/(\w+):\w+", token).groups()  # type: ignore[union-attr]
    text = source(module, f"{re.sub('([A-Z])', lambda found: f'_{found[1].lower()}', name)}.py")
    assert f"'{token}'" in text, token
    return named_in(text.split("@pulumi.input_type", 2)[1].split("\nclass ")[1])


def keys_below(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from keys_below(each)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_fixtures_speak_of_types_and_properties_that_there_are(rule: Rule) -> None:
    stacks = [case.stack() for case in (*cases("pass", rule.id), *cases("fail", rule.id))]
    for resource in (resource for stack in stacks for resource in stack.resources):
        assert resource.values.keys() - NEVER_INPUTS <= inputs_of(resource.type), resource.name
        parts = set(keys_below(list(resource.values.values())))
        assert not parts or parts <= parts_of(resource.type.split("/")[0].removeprefix("aws:")), resource.name


@pytest.mark.parametrize(
    ("token", "known_as"),
    [
        ("aws:alb/listener:Listener", "aws:lb/listener:Listener"),
        ("aws:s3/bucketV2:BucketV2", "aws:s3/bucket:Bucket"),
        ("aws:s3/bucketLoggingV2:BucketLoggingV2", "aws:s3/bucketLogging:BucketLogging"),
        ("aws:apigatewayv2/api:Api", "aws:apigatewayv2/api:Api"),
    ],
)
def test_older_names_of_types_are_known(token: str, known_as: str) -> None:
    assert canonical(token) == known_as
