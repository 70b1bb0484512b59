"""Our own four stacks, as the program registers them, before all rules and all exemptions."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from config.settings import of_stack
from deployed import Deployment
from policy.exemptions import Exemption, Exemptions, read
from policy.judge import Finding, Judge
from policy.model import Resource, Stack
from policy.rules import RULES
from policy.types import canonical
from test_program import STACKS, program, swarming, unreleased

ROOT = Path(__file__).parents[2]
WRITTEN = read(ROOT, frozenset(rule.id for rule in RULES))
TODAY = date(2026, 11, 1)  # not the day of the run: a test must not begin to fail at night


@cache
def registered(stack: str, *, has_swarm: bool = False) -> Stack:
    return as_stack((swarming if has_swarm else unreleased)(stack))


def as_stack(deployed: Deployment) -> Stack:
    found = deployed.resources.items()
    return Stack(
        tuple(
            Resource(values=each.inputs, urn=each.urn, type=canonical(each.type), name=name, links=each.links)
            for name, each in found
        )
    )


def violations(
    stack: str, exemptions: Iterable[Exemption], today: date = TODAY, *, has_swarm: bool = False
) -> list[Finding]:
    judge = Judge(RULES, Exemptions(tuple(exemptions)), stack, today)
    resources = registered(stack, has_swarm=has_swarm)
    return [*(found for each in resources.resources for found in judge.one(each)), *judge.all(resources)]


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_breaks_no_rule_that_it_is_not_exempt_from(stack: str) -> None:
    assert [found.message for found in violations(stack, WRITTEN.entries)] == []


def test_a_stack_with_a_data_volume_breaks_no_rule_either() -> None:
    stack = as_stack(program("stage", dataVolumeGib="8", instances="1", maxInstances="1"))
    assert [each.name for each in stack.resources if each.type.endswith("ebs/volume:Volume")] == ["data-volume"]
    judge = Judge(RULES, WRITTEN, "stage", TODAY)
    found = [*(one for each in stack.resources for one in judge.one(each)), *judge.all(stack)]
    assert [each.message for each in found] == []


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_with_a_swarm_breaks_no_rule_either(stack: str) -> None:
    assert [found.message for found in violations(stack, WRITTEN.entries, has_swarm=True)] == []


@pytest.mark.parametrize("entry", WRITTEN.entries, ids=lambda entry: f"{entry.id}-{entry.resource}")
def test_every_exemption_is_needed_in_every_stack_that_it_names(entry: Exemption) -> None:
    others = [each for each in WRITTEN.entries if each is not entry]
    assert set(entry.stacks) <= set(STACKS)
    for stack in entry.stacks or STACKS:
        found = [each for swarms in (False, True) for each in violations(stack, others, has_swarm=swarms)]
        assert {(each.rule.id, each.resource.name) for each in found} == {(entry.id, entry.resource)}


def test_an_exemption_that_has_ended_exempts_nothing_and_is_named() -> None:
    entry = next(each for each in WRITTEN.entries if each.id == "source-dest-check")
    others = [each for each in WRITTEN.entries if each is not entry]
    assert violations("dev", [*others, entry], today=entry.expires) == []
    ended = entry.model_copy(update={"expires": TODAY - timedelta(days=1)})
    [found] = violations("dev", [*others, ended])
    assert found.is_violation
    assert found.message.endswith(" platform's exemption ended on 2026-10-31.")


def test_an_exemption_is_for_one_rule_one_resource_and_its_stacks() -> None:
    entry = next(each for each in WRITTEN.entries if each.id == "source-dest-check")
    others = [each for each in WRITTEN.entries if each is not entry]
    for changed in ({"id": "disk-encrypted"}, {"resource": "main-nat-2"}, {"stacks": ("qa",)}):
        assert violations("dev", [*others, entry.model_copy(update=changed)])


def test_stage_and_prod_are_stopped_and_dev_and_qa_are_told() -> None:
    levels = {stack: of_stack(ROOT, stack).policy.value for stack in STACKS}
    assert levels == {"dev": "advisory", "qa": "advisory", "stage": "mandatory", "prod": "mandatory"}


def test_a_change_that_opens_a_port_to_everyone_is_found() -> None:
    stack = registered("prod")
    opened = next(each for each in stack.resources if each.name == "web-from-internet-80")
    wide = replace(opened, values={**opened.values, "fromPort": 22.0, "toPort": 22.0})
    found = list(Judge(RULES, WRITTEN, "prod", TODAY).one(wide))
    assert {each.rule.id for each in found} == {"ingress-authorised-ports", "ingress-high-risk-ports"}
