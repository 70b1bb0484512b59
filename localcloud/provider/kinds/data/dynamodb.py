"""DynamoDB tables, and single items that a program declares."""

from collections.abc import Mapping
from typing import Any

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, no_other_keys, spelled, whole
from localcloud.provider.kinds.common import ACCOUNT_ID, by_id, deletes
from localcloud.provider.tags import listed_tags
from localcloud.provider.values import Properties

ON_DEMAND = "PAY_PER_REQUEST"
CAPACITY = ("readCapacity", "writeCapacity")
STREAM = ("streamEnabled", "streamViewType")
STREAM_VIEWS = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")


def table_arn(change: Change) -> str:
    """The ARN of a table, which its tags are kept under."""
    return f"arn:aws:dynamodb:{change.api.region}:{ACCOUNT_ID}:table/{change.id}"


def _capacity(change: Change) -> dict[str, Any]:
    if change.inputs["billingMode"] == ON_DEMAND:
        return {}
    read, write = (int(change.inputs.get(name, 1)) for name in CAPACITY)
    return {"ProvisionedThroughput": {"ReadCapacityUnits": read, "WriteCapacityUnits": write}}


def _encryption(change: Change) -> dict[str, Any]:
    wanted = change.inputs.get("serverSideEncryption") or {"enabled": False}
    if not wanted["enabled"]:
        return {"Enabled": False}
    key = wanted.get("kmsKeyArn")
    return {"Enabled": True, "SSEType": "KMS"} | ({"KMSMasterKeyId": key} if key else {})


def _stream(change: Change) -> dict[str, Any]:
    if not change.inputs.get("streamEnabled"):
        return {"StreamEnabled": False}
    return {"StreamEnabled": True, "StreamViewType": change.inputs["streamViewType"]}


def _create_parameters(change: Change) -> dict[str, Any]:
    keys = [{"AttributeName": change.inputs["hashKey"], "KeyType": "HASH"}]
    if change.inputs.get("rangeKey"):
        keys.append({"AttributeName": change.inputs["rangeKey"], "KeyType": "RANGE"})
    parameters = {"KeySchema": keys, **_capacity(change)}
    if change.inputs.get("serverSideEncryption"):
        parameters["SSESpecification"] = _encryption(change)
    if change.inputs.get("streamEnabled"):
        parameters["StreamSpecification"] = _stream(change)
    return parameters


def _bills(change: Change) -> None:
    change.call("update_table", TableName=change.id, BillingMode=change.inputs["billingMode"], **_capacity(change))


def _streams(change: Change) -> None:
    if change.olds.get("streamEnabled"):  # a stream is replaced, never changed
        change.call("update_table", TableName=change.id, StreamSpecification={"StreamEnabled": False})
    if change.inputs.get("streamEnabled"):
        change.call("update_table", TableName=change.id, StreamSpecification=_stream(change))


def _encrypts(change: Change) -> None:
    change.call("update_table", TableName=change.id, SSESpecification=_encryption(change))


def _protects(change: Change) -> None:
    change.call(
        "update_table", TableName=change.id, DeletionProtectionEnabled=change.inputs["deletionProtectionEnabled"]
    )


def _backs_up(change: Change) -> None:
    wanted = change.inputs.get("pointInTimeRecovery") or {"enabled": False}
    setting = {"PointInTimeRecoveryEnabled": wanted["enabled"]}
    if wanted["enabled"] and wanted.get("recoveryPeriodInDays"):
        setting["RecoveryPeriodInDays"] = int(wanted["recoveryPeriodInDays"])
    change.call("update_continuous_backups", TableName=change.id, PointInTimeRecoverySpecification=setting)


def _expires(change: Change) -> None:
    before, now = change.olds.get("ttl") or {}, change.inputs.get("ttl") or {}
    if before.get("enabled") and before.get("attributeName") != now.get("attributeName"):
        _expire_by(change, str(before["attributeName"]), is_on=False)
    if now.get("attributeName"):
        is_on = bool(now.get("enabled", False))
        if is_on or before.get("enabled"):  # DynamoDB refuses to turn off what is off
            _expire_by(change, str(now["attributeName"]), is_on=is_on)


def _expire_by(change: Change, attribute: str, *, is_on: bool) -> None:
    setting = {"Enabled": is_on, "AttributeName": attribute}
    change.call("update_time_to_live", TableName=change.id, TimeToLiveSpecification=setting)


def _encryption_now(found: Mapping[str, Any]) -> dict[str, Any]:
    told = found.get("SSEDescription") or {}
    if told.get("Status") != "ENABLED":
        return {"enabled": False}
    return {"enabled": True, "kmsKeyArn": told.get("KMSMasterKeyArn")}


def _recovery_now(found: Mapping[str, Any]) -> dict[str, Any]:
    told = found.get("Recovery") or {}
    if told.get("PointInTimeRecoveryStatus") != "ENABLED":
        return {"enabled": False}
    return {"enabled": True, "recoveryPeriodInDays": told.get("RecoveryPeriodInDays", 35)}


def _expiry_now(found: Mapping[str, Any]) -> dict[str, Any]:
    told = found.get("Expiry") or {}
    if told.get("TimeToLiveStatus") != "ENABLED":
        return {"enabled": False}
    return {"enabled": True, "attributeName": told.get("AttributeName")}


def _expiry_holds(declared: Any, actual: Any) -> bool:
    is_on = bool(declared.get("enabled", False))
    return is_on == actual["enabled"] and (not is_on or declared.get("attributeName") == actual.get("attributeName"))


def _keys_are_attributes(inputs: Properties) -> Failures:
    if not {"attributes", "hashKey"} <= inputs.keys():
        return
    declared = {attribute.get("name") for attribute in inputs["attributes"]}
    keys = {inputs[name] for name in ("hashKey", "rangeKey") if inputs.get(name)}
    for missing in sorted(keys - declared):
        yield "attributes", f"attributes must declare the key {missing!r}, got {sorted(map(str, declared))}"
    for spare in sorted(map(str, declared - keys)):
        yield "attributes", f"attributes may declare keys only, and {spare!r} is none"
    for attribute in inputs["attributes"]:
        if attribute.get("type") not in ("S", "N", "B"):
            yield "attributes", f"attributes.type must be one of S, N, B, got {attribute.get('type')!r}"


def _capacity_fits_mode(inputs: Properties) -> Failures:
    for name in CAPACITY:
        has_capacity = bool(inputs.get(name))
        if inputs.get("billingMode") == ON_DEMAND and has_capacity:
            yield name, f"{name} must not be given with billingMode {ON_DEMAND}, got {inputs[name]!r}"
        if inputs.get("billingMode") == "PROVISIONED" and not has_capacity:
            yield name, f"{name} must be at least 1 with billingMode PROVISIONED, got nothing"


def _expiry_has_attribute(inputs: Properties) -> Failures:
    ttl = inputs.get("ttl") or {}
    if ttl.get("enabled") and not ttl.get("attributeName"):
        yield "ttl", "ttl.attributeName must name an attribute where ttl.enabled is true, got nothing"


def _stream_has_view(inputs: Properties) -> Failures:
    if inputs.get("streamEnabled") is True and "streamViewType" not in inputs:
        yield "streamViewType", f"streamViewType must be one of {', '.join(STREAM_VIEWS)} where streamEnabled is true"


TABLE = AwsType(
    token="aws:dynamodb/table:Table",
    service="dynamodb",
    properties={
        "name": Prop(at="TableName"),
        "attributes": Prop(
            at="AttributeDefinitions", names={"name": "AttributeName", "type": "AttributeType"}, required=True
        ),
        "hashKey": Prop(required=True, read="KeySchema[?KeyType=='HASH'].AttributeName | [0]"),
        "rangeKey": Prop(read="KeySchema[?KeyType=='RANGE'].AttributeName | [0]"),
        "billingMode": Prop(default="PROVISIONED", read="BillingModeSummary.BillingMode || 'PROVISIONED'"),
        "readCapacity": Prop(resettable=True, read="ProvisionedThroughput.ReadCapacityUnits"),
        "writeCapacity": Prop(resettable=True, read="ProvisionedThroughput.WriteCapacityUnits"),
        "deletionProtectionEnabled": Prop(default=False),
        "serverSideEncryption": Prop(resettable=True, read=_encryption_now),
        "pointInTimeRecovery": Prop(resettable=True, read=_recovery_now),
        "ttl": Prop(resettable=True, read=_expiry_now, holds=_expiry_holds),
        "streamEnabled": Prop(resettable=True, read=lambda found: bool(found.get("StreamSpecification"))),
        "streamViewType": Prop(resettable=True, read="StreamSpecification.StreamViewType"),
        "tags": Prop(),
    },
    create=Create(
        "create_table",
        "TableDescription.TableName",
        extra=_create_parameters,
        of=frozenset({"hashKey", "rangeKey", *CAPACITY, "serverSideEncryption", *STREAM}),
    ),
    reads=(
        Read("describe_table", by_id("TableName"), "Table"),
        Read(
            "describe_continuous_backups",
            by_id("TableName"),
            "ContinuousBackupsDescription.PointInTimeRecoveryDescription",
            into="Recovery",
        ),
        Read("describe_time_to_live", by_id("TableName"), "TimeToLiveDescription", into="Expiry"),
        Read("list_tags_of_resource", lambda change: {"ResourceArn": table_arn(change)}),
    ),
    steps=(
        Step(frozenset({"billingMode", *CAPACITY}), _bills),
        Step(frozenset({"serverSideEncryption"}), _encrypts),
        Step(frozenset(STREAM), _streams),
        Step(frozenset({"deletionProtectionEnabled"}), _protects),
        Step(frozenset({"pointInTimeRecovery"}), _backs_up),
        Step(frozenset({"ttl"}), _expires),
    ),
    delete=deletes("delete_table", "TableName"),
    outputs={"arn": "TableArn", "streamArn": "LatestStreamArn", "streamLabel": "LatestStreamLabel"},
    volatile=frozenset({"streamArn", "streamLabel"}),
    stirred_by=frozenset(STREAM),
    tags=listed_tags("tag_resource", "untag_resource", "ResourceArn", "TagKeys", about=table_arn),
    name=AutoName("name", 255),
    rules=(
        spelled("name", r"[A-Za-z0-9_.-]{3,255}", "3 to 255 letters, digits, dots, hyphens or underscores"),
        among("billingMode", "PROVISIONED", ON_DEMAND),
        among("streamViewType", *STREAM_VIEWS),
        whole("pointInTimeRecovery.recoveryPeriodInDays", 1, 35),
        no_other_keys("pointInTimeRecovery", "enabled", "recoveryPeriodInDays"),
        no_other_keys("serverSideEncryption", "enabled", "kmsKeyArn"),
        no_other_keys("ttl", "enabled", "attributeName"),
        _keys_are_attributes,
        _expiry_has_attribute,
    ),
    presence=(_capacity_fits_mode, _stream_has_view),
)  # fmt: skip

TYPES = (TABLE,)
