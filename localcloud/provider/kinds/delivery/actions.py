"""What a listener or a rule does with a request: Pulumi's nesting and AWS's, and what AWS refuses."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from localcloud.provider.kind import Failures, Prop
from localcloud.provider.kinds.bounds import Rule, among, at, no_other_keys, spelled, whole
from localcloud.provider.translate import from_aws, lookup

NAMES = {
    "forward": "ForwardConfig",
    "fixedResponse": "FixedResponseConfig",
    "redirect": "RedirectConfig",
    "arn": "TargetGroupArn",
    "stickiness": "TargetGroupStickinessConfig",
    "duration": "DurationSeconds",
}
BODY_OF = {"forward": "forward", "fixed-response": "fixedResponse", "redirect": "redirect"}
"""Key that holds the details of a type of action."""
LARGEST_WEIGHT = 999
MOST_TARGET_GROUPS = 5


def actions_prop(aws_name: str) -> Prop:
    """A required list of actions, read with both spellings of a forward to a single target group."""
    return Prop(at=aws_name, names=NAMES, required=True, read=lambda found: _actions(lookup(found, aws_name)))


def _actions(told: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    return [_action(from_aws(action, NAMES)) for action in told or []]


def _action(action: dict[str, Any]) -> dict[str, Any]:
    """A forward's target group stands beside `forward` or within; AWS tells both, moto the one that was given."""
    arn = action.pop("arn", None)
    groups = (action.get("forward") or {}).get("targetGroups") or []
    if arn is None and len(groups) == 1:
        arn = groups[0]["arn"]
    if arn is not None:
        action["targetGroupArn"] = arn
        action.setdefault("forward", {"targetGroups": [{"arn": arn, "weight": 1}]})
    return action


def action_rules(name: str) -> tuple[Rule, ...]:
    """What AWS refuses in a property that lists actions."""
    return (
        _each(name, among("type", *BODY_OF)),
        _each(name, no_other_keys("", "type", "order", "targetGroupArn", *BODY_OF.values())),
        _each(name, _body_fits),
        _each(name, _forward),
        _each(name, no_other_keys("forward", "targetGroups", "stickiness")),
        _each(name, whole("forward.stickiness.duration", 1, 604800)),
        _each(name, whole("order", 1, 50000)),
        _each(name, spelled("fixedResponse.statusCode", r"[245]\d\d", "a status of 2xx, 4xx or 5xx as text")),
        _each(name, _fixed_response),
        _each(name, among("redirect.statusCode", "HTTP_301", "HTTP_302")),
        _each(name, among("redirect.protocol", "HTTP", "HTTPS", "#{protocol}")),
        _each(
            name, spelled("redirect.path", r"/\S{0,127}", "a path of at most 128 characters that starts with a slash")
        ),
        _each(name, _redirect),
        _one_end(name),
    )


def _each(name: str, rule: Callable[[dict[str, Any]], Failures]) -> Rule:
    """The rule for every action in a list, its findings under the path that leads there."""

    def check(inputs: dict[str, Any]) -> Failures:
        for index, action in enumerate(inputs.get(name) or []):
            for path, reason in rule(action):
                yield f"{name}[{index}].{path.lstrip('.')}", f"{name}[{index}]: {reason}"

    return check


def _body_fits(action: dict[str, Any]) -> Failures:
    kind = action.get("type")
    for body in sorted(set(BODY_OF.values()) & action.keys()):
        if BODY_OF.get(str(kind)) != body:
            yield body, f"{body} does not go with type {kind}"
    if kind == "forward" and "forward" not in action and not action.get("targetGroupArn"):
        yield "forward", "forward or targetGroupArn must be given where type is forward, got neither"
    if kind in ("fixed-response", "redirect") and BODY_OF[kind] not in action:
        yield BODY_OF[kind], f"{BODY_OF[kind]} must be given where type is {kind}, got nothing"


def _forward(action: dict[str, Any]) -> Failures:
    forward = action.get("forward")
    if forward is None:
        return
    groups = forward.get("targetGroups") or []
    path = "forward.targetGroups"
    if not 1 <= len(groups) <= MOST_TARGET_GROUPS:
        yield path, f"{path} must name 1 to {MOST_TARGET_GROUPS} target groups, got {len(groups)}"
    for group in groups:
        yield from whole("weight", 0, LARGEST_WEIGHT)(group)
        yield from no_other_keys("group", "arn", "weight")({"group": group})
    if len({group.get("arn") for group in groups}) < len(groups):
        yield path, f"{path} must differ, got the same target group twice"
    if at(forward, "stickiness.enabled") and not at(forward, "stickiness.duration"):
        yield "forward.stickiness.duration", "forward.stickiness.duration must be given where stickiness is enabled"


def _fixed_response(action: dict[str, Any]) -> Failures:
    answer = action.get("fixedResponse") or {}
    allowed = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
    if action.get("type") == "fixed-response":
        yield from among("contentType", *allowed)({"contentType": answer.get("contentType") or "nothing"})
    if len(answer.get("messageBody") or "") > 1024:
        yield "fixedResponse.messageBody", f"messageBody may have 1024 characters, got {len(answer['messageBody'])}"


def _redirect(action: dict[str, Any]) -> Failures:
    target = action.get("redirect")
    if target is None:
        return
    if "statusCode" not in target:
        yield "redirect.statusCode", "redirect.statusCode must be HTTP_301 or HTTP_302, got nothing"
    if not {"host", "path", "port", "protocol", "query"} & target.keys():
        yield "redirect", "redirect must change protocol, port, host, path or query, else it leads to itself"


def _one_end(name: str) -> Rule:
    """AWS wants just one action that ends a request; all types here do."""

    def rule(inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        actions = inputs.get(name)
        if actions is not None and len(actions) != 1:
            yield name, f"{name} must hold one action that answers, forwards or redirects, got {len(actions)}"

    return rule
