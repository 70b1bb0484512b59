"""When a bucket's objects expire or move. The id is the bucket's name."""

from collections.abc import Mapping
from typing import Any

from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.common import by_id, deletes
from localcloud.provider.kinds.data.s3_settings import the_bucket, with_bucket
from localcloud.provider.tags import as_list, as_map
from localcloud.provider.translate import from_aws, same
from localcloud.provider.values import Properties

KNOWN = {
    "": (
        "id",
        "status",
        "filter",
        "expiration",
        "transitions",
        "noncurrentVersionExpiration",
        "noncurrentVersionTransitions",
        "abortIncompleteMultipartUpload",
    ),
    "filter": ("prefix", "tag", "and"),
    "filter.and": ("prefix", "tags"),
    "expiration": ("days", "expiredObjectDeleteMarker"),
    "transitions": ("days", "storageClass"),
    "noncurrentVersionExpiration": ("noncurrentDays",),
    "noncurrentVersionTransitions": ("noncurrentDays", "storageClass"),
    "abortIncompleteMultipartUpload": ("daysAfterInitiation",),
}
"""By place in a rule: the keys that the embedded S3 keeps."""
STORAGE = ("GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR")
ACTIONS = KNOWN[""][3:]


def _in_aws(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule in S3's own names."""
    made = {_upper(key): _value(value) for key, value in rule.items() if key not in ("id", "filter")}
    return {"ID": rule["id"], "Filter": _filter(rule.get("filter") or {}), **made}


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_upper(key): _value(item) for key, item in value.items()}
    return [_value(item) for item in value] if isinstance(value, list) else value


def _upper(name: str) -> str:
    return name[0].upper() + name[1:]


def _filter(declared: Mapping[str, Any]) -> dict[str, Any]:
    both = declared.get("and")
    if both:
        return {"And": {"Prefix": both.get("prefix", ""), "Tags": as_list(both.get("tags", {}))}}
    if declared.get("tag"):
        return {"Tag": {"Key": declared["tag"]["key"], "Value": declared["tag"]["value"]}}
    return {"Prefix": declared.get("prefix", "")}


def _in_pulumi(rule: Mapping[str, Any]) -> dict[str, Any]:
    told = from_aws({key: value for key, value in rule.items() if key != "Filter"}, {})
    return {**told, "filter": _filter_told(rule.get("Filter") or {})}


def _filter_told(found: Mapping[str, Any]) -> dict[str, Any]:
    both = found.get("And")
    if both:
        return {"and": {"prefix": both.get("Prefix", ""), "tags": as_map(both.get("Tags"))}}
    return dict(from_aws(found, {})) or {"prefix": ""}


def _holds(declared: Any, actual: Any) -> bool:
    """Whether the rules are those declared: one that expires less, or more, is another."""
    return same(_normal(declared), _normal(actual))


def _normal(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**rule, "filter": _filter_told(_filter(rule.get("filter") or {}))} for rule in rules]


def _rules(change: Change) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [_in_aws(rule) for rule in change.inputs["rules"]]}}


def _puts(change: Change) -> None:
    change.call("put_bucket_lifecycle_configuration", Bucket=change.id, **_rules(change))


def _sound(inputs: Properties) -> Failures:
    rules = inputs.get("rules", [])
    names = [rule.get("id") for rule in rules]
    for name in sorted({str(name) for name in names if names.count(name) > 1}):
        yield "rules", f"rules.id must differ from rule to rule, got {name!r} twice"
    for rule in rules:
        yield from _sound_rule(rule)


def _sound_rule(rule: dict[str, Any]) -> Failures:
    where = f"rules[{rule.get('id')}]"
    if not isinstance(rule.get("id"), str) or not 1 <= len(rule["id"]) <= 255:
        yield "rules", f"{where}.id must have 1 to 255 characters"
    if rule.get("status") not in ("Enabled", "Disabled"):
        yield "rules", f"{where}.status must be Enabled or Disabled, got {rule.get('status')!r}"
    if not any(rule.get(action) for action in ACTIONS):
        yield "rules", f"{where} must do something: one of {', '.join(ACTIONS)}"
    for place, allowed in KNOWN.items():
        for item in _at(rule, place):
            for key in sorted(item.keys() - set(allowed)):
                yield "rules", f"the embedded cloud does not apply {key} of {where}.{place}".rstrip(".")
            yield from _sound_numbers(f"{where}.{place}", item)


def _at(rule: Any, place: str) -> list[dict[str, Any]]:
    for key in place.split(".") if place else []:
        rule = rule.get(key) if isinstance(rule, dict) else None
    return [item for item in (rule if isinstance(rule, list) else [rule]) if isinstance(item, dict)]


def _sound_numbers(where: str, item: dict[str, Any]) -> Failures:
    lowest = 0 if where.endswith("ransitions") else 1
    for key in ("days", "noncurrentDays", "daysAfterInitiation"):
        if key in item and (not isinstance(item[key], int) or item[key] < lowest):
            yield "rules", f"{where}.{key} must be a whole number from {lowest}, got {item[key]!r}"
    if "storageClass" in item and item["storageClass"] not in STORAGE:
        yield "rules", f"{where}.storageClass must be one of {', '.join(STORAGE)}, got {item['storageClass']!r}"


LIFECYCLE = AwsType(
    token="aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    service="s3",
    properties={
        "bucket": Prop(required=True),
        "rules": Prop(required=True, read=lambda found: [_in_pulumi(rule) for rule in found["Found"]], holds=_holds),
    },
    create=Create("put_bucket_lifecycle_configuration", the_bucket, extra=_rules, of=frozenset({"rules"})),
    reads=(Read("get_bucket_lifecycle_configuration", by_id("Bucket"), with_bucket("Rules")),),
    steps=(Step(frozenset({"rules"}), _puts),),
    delete=deletes("delete_bucket_lifecycle", "Bucket"),
    rules=(_sound,),
)

TYPES = (LIFECYCLE,)
