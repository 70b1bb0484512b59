"""ELBv2's answers (boto3's dicts) as our values. Pure: observe.py asks, this translates."""

import ipaddress
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from localcloud.dataplane.envoy_routes import redirect_problem
from localcloud.dataplane.snapshot import (
    Action,
    Algorithm,
    Condition,
    ConditionField,
    FixedResponse,
    Forward,
    HealthCheck,
    Redirect,
    Rule,
    Target,
    TargetGroup,
    TargetState,
    Unsupported,
)

Answer = Mapping[str, Any]

CONDITION_SETTINGS = {
    ConditionField.PATH: "PathPatternConfig",
    ConditionField.HOST: "HostHeaderConfig",
    ConditionField.HEADER: "HttpHeaderConfig",
    ConditionField.METHOD: "HttpRequestMethodConfig",
    ConditionField.QUERY: "QueryStringConfig",
    ConditionField.SOURCE: "SourceIpConfig",
}


class UnknownCondition(ValueError):
    """A rule's condition that this load balancer does not know."""


def attributes(answer: Iterable[Answer]) -> dict[str, str]:
    """ELBv2's attribute list as a dict."""
    return {entry["Key"]: str(entry["Value"]) for entry in answer}


def action_of(answers: Iterable[Answer]) -> Action:
    """The action that a list of ELBv2 actions ends with; Unsupported if any of them can't be done here."""
    ordered = sorted(answers, key=lambda answer: answer.get("Order", 0))
    for answer in ordered[:-1]:
        return Unsupported(f"action {answer['Type']}")
    if not ordered:
        return Unsupported("a rule without an action")
    return _action(ordered[-1])


def _action(answer: Answer) -> Action:
    kind = answer["Type"]
    if kind == "forward":
        return _forward(answer)
    if kind == "fixed-response":
        fixed = answer["FixedResponseConfig"]
        content_type = fixed.get("ContentType") or "text/plain"
        return FixedResponse(int(fixed["StatusCode"]), content_type, fixed.get("MessageBody") or "")
    if kind == "redirect":
        redirect = _redirect(answer["RedirectConfig"])
        problem = redirect_problem(redirect)
        return Unsupported(problem) if problem else redirect
    return Unsupported(f"action {kind}")


def _forward(answer: Answer) -> Forward:
    settings = answer.get("ForwardConfig") or {}
    groups = settings.get("TargetGroups") or [{"TargetGroupArn": answer["TargetGroupArn"]}]
    shares = tuple((group["TargetGroupArn"], int(group.get("Weight", 1))) for group in groups)
    sticky = settings.get("TargetGroupStickinessConfig") or {}
    lasts = timedelta(seconds=int(sticky.get("DurationSeconds") or 3600)) if sticky.get("Enabled") else None
    return Forward(shares, lasts)


def _redirect(answer: Answer) -> Redirect:
    given = {
        name: answer[name.title()] for name in ("protocol", "host", "port", "path", "query") if name.title() in answer
    }
    return Redirect(int(answer["StatusCode"].removeprefix("HTTP_")), **given)


def rules_of(answers: Iterable[Answer]) -> tuple[Rule, ...]:
    """A listener's rules but the default one, first the one that is tried first."""
    ordered = sorted(
        (answer for answer in answers if not answer["IsDefault"]), key=lambda answer: int(answer["Priority"])
    )
    return tuple(_rule(answer) for answer in ordered)


def _rule(answer: Answer) -> Rule:
    arn = answer["RuleArn"]
    try:
        conditions = tuple(_condition(condition) for condition in answer["Conditions"])
    except UnknownCondition as problem:
        # Which requests it means is not known, so none may pass it by: everything from here on says what is wrong.
        return Rule(arn, (), Unsupported(f"{problem} in rule {arn}"))
    if answer.get("Transforms"):
        return Rule(arn, conditions, Unsupported(f"transforms in rule {arn}"))
    return Rule(arn, conditions, action_of(answer["Actions"]))


def _condition(answer: Answer) -> Condition:
    if answer["Field"] not in set(ConditionField):
        raise UnknownCondition(f"condition {answer['Field']}")
    field = ConditionField(answer["Field"])
    settings = answer.get(CONDITION_SETTINGS[field]) or {}
    if settings.get("RegexValues"):
        raise UnknownCondition(f"condition {field} with RegexValues")
    values = settings.get("Values") or answer.get("Values") or []
    if field is ConditionField.SOURCE and not all(is_network(value) for value in values):
        raise UnknownCondition(f"condition {field} with {', '.join(values)}")
    if field is ConditionField.QUERY:
        values = [f"{pair.get('Key', '')}={pair['Value']}" for pair in values]
    return Condition(field, tuple(values), settings.get("HttpHeaderName", ""))


def is_network(text: str) -> bool:
    """Whether text is a CIDR block."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def group_of(answer: Answer, settings: Mapping[str, str], registered: Iterable[Answer]) -> TargetGroup:
    """A target group from its description, its attributes and its registered targets (TargetDescriptions).

    Stickiness by an application's cookie is taken for stickiness by the load balancer's own, of the same duration: it
    begins with the first response instead of with the first that sets the cookie.
    """
    is_sticky = settings.get("stickiness.enabled") == "true"
    kind = settings.get("stickiness.type", "lb_cookie")
    lasts = timedelta(seconds=int(settings.get(f"stickiness.{kind}.duration_seconds", 86400)))
    return TargetGroup(
        arn=answer["TargetGroupArn"],
        protocol=answer["Protocol"],
        port=int(answer["Port"]),
        health_check=_health_check(answer),
        targets=tuple(
            Target(target["Id"], "", int(target.get("Port", answer["Port"])), TargetState.REGISTERED)
            for target in registered
        ),
        drain=timedelta(seconds=int(settings.get("deregistration_delay.timeout_seconds", 300))),
        slow_start=timedelta(seconds=int(settings.get("slow_start.duration_seconds", 0))),
        sticky=lasts if is_sticky else None,
        algorithm=Algorithm(settings.get("load_balancing.algorithm.type", "round_robin")),
    )


def _health_check(answer: Answer) -> HealthCheck:
    port = answer.get("HealthCheckPort") or "traffic-port"
    return HealthCheck(
        path=answer.get("HealthCheckPath") or "/",
        interval=timedelta(seconds=int(answer["HealthCheckIntervalSeconds"])),
        timeout=timedelta(seconds=int(answer["HealthCheckTimeoutSeconds"])),
        healthy_threshold=int(answer["HealthyThresholdCount"]),
        unhealthy_threshold=int(answer["UnhealthyThresholdCount"]),
        statuses=statuses_of(answer.get("Matcher", {}).get("HttpCode") or "200"),
        port=None if port == "traffic-port" else int(port),
    )


def statuses_of(matcher: str) -> tuple[tuple[int, int], ...]:
    """ELBv2's matcher as inclusive ranges.

    >>> statuses_of("200,300-399")
    ((200, 200), (300, 399))
    """
    ends = (part.strip().partition("-") for part in matcher.split(","))
    return tuple((int(low), int(high or low)) for low, _, high in ends)
