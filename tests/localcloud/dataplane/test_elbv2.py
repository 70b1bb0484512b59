from typing import Any

import pytest

from localcloud.dataplane.elbv2 import action_of, rules_of, statuses_of
from localcloud.dataplane.snapshot import ConditionField, Forward, Redirect, Unsupported


def rule(priority: str, conditions: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    answer = {"RuleArn": f"r{priority}", "Priority": priority, "IsDefault": False, "Conditions": conditions}
    return answer | {"Actions": [fixed]} | changes


def redirect(**changes: str) -> dict[str, Any]:
    return {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", **changes}}


def test_rules_stand_in_the_order_of_their_priorities() -> None:
    default = rule("default", [], IsDefault=True)
    assert [one.arn for one in rules_of([rule("10", []), default, rule("9", [])])] == ["r9", "r10"]


def test_old_and_new_forms_of_a_condition_mean_the_same() -> None:
    old = {"Field": "path-pattern", "Values": ["/a*"]}
    new = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a*"]}}
    first, second = rules_of([rule("1", [old]), rule("2", [new])])
    assert first.conditions == second.conditions
    assert first.conditions[0].field is ConditionField.PATH


@pytest.mark.parametrize(
    ("condition", "named"),
    [
        ({"Field": "phase-of-moon", "Values": ["full"]}, "condition phase-of-moon"),
        ({"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a"]}}, "condition path-pattern with Regex"),
        ({"Field": "source-ip", "SourceIpConfig": {"Values": ["here"]}}, "condition source-ip with here"),
    ],
)
def test_a_condition_that_is_not_known_is_named_and_lets_nothing_pass(condition: dict[str, Any], named: str) -> None:
    [found] = rules_of([rule("1", [condition])])
    assert found.conditions == ()
    assert isinstance(found.action, Unsupported)
    assert named in found.action.text
    assert "r1" in found.action.text


def test_a_forward_may_name_one_group_or_weigh_several() -> None:
    assert action_of([{"Type": "forward", "TargetGroupArn": "a"}]) == Forward((("a", 1),))
    weighted = {"TargetGroups": [{"TargetGroupArn": "a", "Weight": 0}, {"TargetGroupArn": "b", "Weight": 999}]}
    assert action_of([{"Type": "forward", "ForwardConfig": weighted}]) == Forward((("a", 0), ("b", 999)))


def test_authentication_is_not_done_and_says_so() -> None:
    chain = [{"Type": "authenticate-oidc", "Order": 1}, {"Type": "forward", "TargetGroupArn": "a", "Order": 2}]
    assert action_of(chain) == Unsupported("action authenticate-oidc")


def test_what_a_redirect_does_not_say_it_keeps() -> None:
    assert action_of([redirect(Protocol="HTTPS", Port="443")]) == Redirect(301, "HTTPS", port="443")


@pytest.mark.parametrize(
    "changes",
    [
        {"Host": "w.#{host}"},
        {"Port": "1#{port}"},
        {"Path": "/#{host}/#{path}"},
        {"Query": "a&#{query}"},
        {"Query": "a=b"},
    ],
)
def test_a_redirect_that_envoy_cannot_make_is_not_supported(changes: dict[str, str]) -> None:
    assert isinstance(action_of([redirect(**changes)]), Unsupported)


def test_a_matcher_of_codes_and_ranges() -> None:
    assert statuses_of("200, 202,300-399") == ((200, 200), (202, 202), (300, 399))
