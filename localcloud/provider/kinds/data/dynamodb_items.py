"""Single DynamoDB items that a program declares. Their documents are in DynamoDB's own JSON, with bytes as base64."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.common import deletes_by
from localcloud.provider.kinds.documents import json_object, literal
from localcloud.provider.translate import same
from localcloud.provider.values import Properties

VALUE_TYPES = ("S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL")
MOST_BYTES = 400 * 1024  # of an item, by DynamoDB's limits


def item_of(document: str) -> dict[str, Any]:
    """The item that a document describes, in boto3's form. Raises ValueError for text that is no JSON."""
    return {name: _decoded(value) for name, value in json.loads(document).items()}


def document_of(item: Mapping[str, Any]) -> str:
    """The document that describes an item in boto3's form."""
    return json.dumps({name: _encoded(value) for name, value in item.items() if value is not None}, sort_keys=True)


def item_id(table: str, key: Mapping[str, Any]) -> str:
    """Table, key names and key values, joined by bars, as Terraform's provider does."""
    parts = [table]
    for name, value in key.items():
        [content] = _encoded(value).values()
        parts += [name, str(content)]
    return "|".join(parts)


def _decoded(value: Mapping[str, Any]) -> dict[str, Any]:
    [(kind, content)] = value.items()
    return {kind: _each(kind, content, base64.b64decode, _decoded)}


def _encoded(value: Mapping[str, Any]) -> dict[str, Any]:
    [(kind, content)] = value.items()
    return {kind: _each(kind, content, lambda raw: base64.b64encode(raw).decode(), _encoded)}


def _each(kind: str, content: Any, of_bytes: Any, of_value: Any) -> Any:
    if kind == "B":
        return of_bytes(content)
    if kind == "BS":
        return [of_bytes(item) for item in content]
    if kind == "L":
        return [of_value(item) for item in content]
    if kind == "M":
        return {name: of_value(item) for name, item in content.items()}
    return content


def _key(inputs: Properties) -> dict[str, Any]:
    item = item_of(inputs["item"])
    return {name: item[name] for name in (inputs["hashKey"], inputs.get("rangeKey")) if name}


def _where(change: Change) -> dict[str, Any]:
    """Table and key: by what is declared, or by the id on an import."""
    if change.inputs:
        return {"TableName": change.inputs["tableName"], "Key": _key(change.inputs)}
    table, *rest = change.id.split("|")
    told = change.call("describe_table", TableName=table)["Table"]["AttributeDefinitions"]
    types = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in told}
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return {"TableName": table, "Key": {name: _decoded({types.get(name, "S"): value}) for name, value in pairs}}


def _fresh(change: Change) -> dict[str, Any]:
    """A condition by which an item that is there already is never overwritten."""
    return {
        "Item": item_of(change.inputs["item"]),
        "ConditionExpression": "attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": change.inputs["hashKey"]},
    }


def _made(change: Change, _: Mapping[str, Any]) -> str:
    return item_id(change.inputs["tableName"], _key(change.inputs))


def _found_at(change: Change) -> str:
    where = _where(change)
    names = [*where["Key"], None]
    known = {"TableName": where["TableName"], "HashKey": names[0], "RangeKey": names[1]}
    parts = ", ".join(f"{name}: {literal(value)}" for name, value in known.items())
    return f"Item && {{Item: {_declared_part(change.inputs)}, {parts}}}"


def _declared_part(inputs: Properties) -> str:
    """JMESPath of what a program declared of an item: others may add to it."""
    if not inputs:
        return "Item"
    names = ", ".join(f"{json.dumps(name)}: {json.dumps(name)}" for name in item_of(inputs["item"]))
    return f"Item.{{{names}}}"


def _writes(change: Change) -> None:
    """Moves the item when its key changes; otherwise sets what is declared and leaves what others added."""
    before, now = _key(change.olds), _key(change.inputs)
    table = change.inputs["tableName"]
    if not same(before, now):
        change.call("put_item", TableName=table, **_fresh(change))
        change.call("delete_item", TableName=table, Key=before)
        return
    item = item_of(change.inputs["item"])
    to_set = sorted(item.keys() - now.keys())
    to_drop = sorted(item_of(change.olds["item"]).keys() - item.keys())
    if not to_set and not to_drop:
        return
    names = {f"#n{index}": name for index, name in enumerate([*to_set, *to_drop])}
    values = {f":v{index}": item[name] for index, name in enumerate(to_set)}
    sets = ", ".join(f"#n{index} = :v{index}" for index in range(len(to_set)))
    drops = ", ".join(f"#n{index}" for index in range(len(to_set), len(names)))
    expression = " ".join([*([f"SET {sets}"] if sets else []), *([f"REMOVE {drops}"] if drops else [])])
    change.call(
        "update_item",
        TableName=table,
        Key=now,
        UpdateExpression=expression,
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values or None,
    )


def _holds(declared: Any, actual: Any) -> bool:
    wanted, there = json.loads(declared), json.loads(actual)
    return all(same(value, there.get(name)) for name, value in wanted.items())


def _key_value(position: int) -> Any:
    def value(change: Change, found: Mapping[str, Any]) -> str | None:
        parts = item_id("", _where(change)["Key"]).split("|")[2::2]
        return parts[position] if position < len(parts) else None

    return value


def _well_formed(inputs: Properties) -> Failures:
    try:
        item = json.loads(inputs.get("item", "null"))
    except (TypeError, ValueError):
        return  # json_object says so
    if not isinstance(item, dict):
        return
    for name, value in item.items():
        if not (isinstance(value, dict) and len(value) == 1 and next(iter(value)) in VALUE_TYPES):
            yield "item", f"item.{name} must be an object with one key of {', '.join(VALUE_TYPES)}"
    for key in ("hashKey", "rangeKey"):
        if inputs.get(key) and inputs[key] not in item:
            yield "item", f"item must have the key {inputs[key]!r} that {key} names"
    size = len(inputs["item"].encode())
    if size > MOST_BYTES:
        yield "item", f"item may have {MOST_BYTES} bytes, got {size}"


TABLE_ITEM = AwsType(
    token="aws:dynamodb/tableItem:TableItem",
    service="dynamodb",
    properties={
        "tableName": Prop(required=True),
        "hashKey": Prop(required=True),
        "rangeKey": Prop(),
        "item": Prop(required=True, read=lambda found: document_of(found["Item"]), holds=_holds),
    },
    create=Create("put_item", _made, extra=_fresh, of=frozenset({"hashKey", "rangeKey"})),
    reads=(Read("get_item", lambda change: {**_where(change), "ConsistentRead": True}, _found_at),),
    steps=(Step(frozenset({"item"}), _writes),),
    delete=deletes_by("delete_item", _where),
    outputs={"hashKeyValue": _key_value(0), "rangeKeyValue": _key_value(1)},
    rules=(json_object("item"), _well_formed),
)

TYPES = (TABLE_ITEM,)
