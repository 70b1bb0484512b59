"""Rules of listeners: which requests they take, and in which order they are asked."""

from collections.abc import Mapping
from typing import Any

from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import whole
from localcloud.provider.kinds.common import by_id, deletes
from localcloud.provider.kinds.delivery.actions import action_rules, actions_prop
from localcloud.provider.kinds.delivery.elb_common import ELB_TAGS, TAGS_READ
from localcloud.provider.translate import from_aws
from localcloud.provider.values import Properties

FIELDS = {
    "hostHeader": ("host-header", "HostHeaderConfig"),
    "httpHeader": ("http-header", "HttpHeaderConfig"),
    "httpRequestMethod": ("http-request-method", "HttpRequestMethodConfig"),
    "pathPattern": ("path-pattern", "PathPatternConfig"),
    "queryStrings": ("query-string", "QueryStringConfig"),
    "sourceIp": ("source-ip", "SourceIpConfig"),
}
"""Key of a condition: AWS's field, and the key that holds its details."""
HIGHEST_PRIORITY = 50000
MOST_VALUES = 5


def _condition(given: Mapping[str, Any]) -> dict[str, Any]:
    [(name, details)] = given.items()
    aws_field, config = FIELDS[name]
    if name == "queryStrings":
        pairs = [{key.capitalize(): value for key, value in pair.items()} for pair in details]
        return {"Field": aws_field, config: {"Values": pairs}}
    if name == "httpHeader":
        return {"Field": aws_field, config: {"HttpHeaderName": details["httpHeaderName"], "Values": details["values"]}}
    return {"Field": aws_field, config: {"Values": details["values"]}}


def _conditions_found(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = {aws_field: name for name, (aws_field, _) in FIELDS.items()}
    conditions = []
    for told in found.get("Conditions") or []:
        name = names[told["Field"]]
        details = from_aws(told.get(FIELDS[name][1]) or {"Values": told.get("Values")}, {})
        conditions.append({name: details["values"] if name == "queryStrings" else details})
    return conditions


def _create_parameters(change: Change) -> dict[str, Any]:
    parameters: dict[str, Any] = {"Conditions": [_condition(given) for given in change.inputs["conditions"]]}
    if "priority" not in change.inputs:  # the API wants one; Pulumi takes the next behind all others
        rules = change.api.pages("elbv2", "describe_rules", "Rules", ListenerArn=change.inputs["listenerArn"])
        taken = [int(rule["Priority"]) for rule in rules if rule["Priority"].isdigit()]
        parameters["Priority"] = max(taken, default=0) + 1
    return parameters


def _modifies(change: Change) -> None:
    actions = change.parameters("modify_rule", ("actions",))
    conditions = [_condition(given) for given in change.inputs["conditions"]]
    change.call("modify_rule", RuleArn=change.id, Conditions=conditions, **actions)


def _moves(change: Change) -> None:
    if "priority" in change.inputs:  # not given means that any place will do, and it has one
        place = {"RuleArn": change.id, "Priority": int(change.inputs["priority"])}
        change.call("set_rule_priorities", RulePriorities=[place])


def _priority(found: Mapping[str, Any]) -> int | None:
    told = str(found.get("Priority"))
    return int(told) if told.isdigit() else None


def _conditions(inputs: Properties) -> Failures:
    conditions = inputs.get("conditions")
    if conditions is None:
        return
    if not conditions:
        yield "conditions", "conditions must hold at least one condition, got none"
    values = 0
    for index, condition in enumerate(conditions):
        path = f"conditions[{index}]"
        if len(condition) != 1 or not condition.keys() <= FIELDS.keys():
            given = ", ".join(sorted(condition)) or "none"
            yield path, f"{path} must have just one of {', '.join(FIELDS)}, got {given}"
            continue
        [(name, details)] = condition.items()
        found = details if name == "queryStrings" else details.get("values") or []
        values += len(found)
        yield from _values(f"{path}.{name}", name, details, found)
    if values > MOST_VALUES:
        yield "conditions", f"conditions may hold {MOST_VALUES} values together, got {values}"


def _values(path: str, name: str, details: Any, values: list[Any]) -> Failures:
    """No value is repeated in an error: a header's may be a secret."""
    if not values:
        yield path, f"{path} must hold at least one value, got none"
    if name == "queryStrings":
        values = [text for pair in details for text in pair.values()]
    else:
        known = {"values", "httpHeaderName"} if name == "httpHeader" else {"values"}
        for key in sorted(details.keys() - known):
            yield (
                f"{path}.{key}",
                f"the embedded cloud does not apply {path}.{key}; it knows {', '.join(sorted(known))}",
            )
    if any(not 1 <= len(str(value)) <= 128 for value in values):
        yield path, f"{path} must hold values of 1 to 128 characters"
    if name == "httpHeader" and not 1 <= len(details.get("httpHeaderName") or "") <= 40:
        yield f"{path}.httpHeaderName", f"{path}.httpHeaderName must have 1 to 40 characters"
    if name == "pathPattern" and any(not str(value).startswith(("/", "*")) for value in values):
        yield path, f"{path} must hold patterns that start with a slash or a star, got {', '.join(values)}"


LISTENER_RULE = AwsType(
    token="aws:lb/listenerRule:ListenerRule",
    service="elbv2",
    properties={
        "listenerArn": Prop(required=True, replaces=True, read=lambda found: _listener_of(found["RuleArn"])),
        "priority": Prop(read=_priority, resettable=True),
        "conditions": Prop(at="(nested differently)", required=True, read=_conditions_found),
        "actions": actions_prop("Actions"),
        "tags": Prop(),
    },
    create=Create("create_rule", "Rules[0].RuleArn", extra=_create_parameters, of=frozenset({"conditions"})),
    reads=(Read("describe_rules", by_id("RuleArns", many=True), "Rules[0]"), TAGS_READ),
    steps=(Step(frozenset({"conditions", "actions"}), _modifies), Step(frozenset({"priority"}), _moves)),
    delete=deletes("delete_rule", "RuleArn"),
    outputs={"arn": "RuleArn"},
    tags=ELB_TAGS,
    rules=(whole("priority", 1, HIGHEST_PRIORITY), _conditions, *action_rules("actions")),
)


def _listener_of(rule_arn: str) -> str:
    return rule_arn.replace(":listener-rule/", ":listener/").rpartition("/")[0]


TYPES = (LISTENER_RULE,)
