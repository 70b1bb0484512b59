"""Lookups of parameters and tables."""

import json
from typing import Any

from localcloud.provider.api import Api
from localcloud.provider.errors import ProviderError
from localcloud.provider.kinds.data.dynamodb_items import document_of, item_id, item_of
from localcloud.provider.lookups import Lookup
from localcloud.provider.values import Properties


def _parameter(api: Api, arguments: Properties) -> Properties:
    is_decrypted = bool(arguments.get("withDecryption", True))
    found = api.call("ssm", "get_parameter", Name=arguments["name"], WithDecryption=is_decrypted)["Parameter"]
    shown = {} if found["Type"] == "SecureString" else {"insecureValue": found["Value"]}
    return {
        "id": found["Name"],
        "arn": found["ARN"],
        "type": found["Type"],
        "value": found["Value"],
        "version": found["Version"],
        "withDecryption": is_decrypted,
        "region": api.region,
        **shown,
    }


def _parameters_by_path(api: Api, arguments: Properties) -> Properties:
    found = list(
        api.pages(
            "ssm",
            "get_parameters_by_path",
            "Parameters",
            Path=arguments["path"],
            Recursive=bool(arguments.get("recursive", False)),
            WithDecryption=bool(arguments.get("withDecryption", True)),
        )
    )
    columns = {"arns": "ARN", "names": "Name", "types": "Type", "values": "Value"}
    told = {ours: [parameter[theirs] for parameter in found] for ours, theirs in columns.items()}
    return {"id": arguments["path"], "region": api.region, **told}


def _table_item(api: Api, arguments: Properties) -> Properties:
    table, key = str(arguments["tableName"]), _key(str(arguments["key"]))
    answer = api.call(
        "dynamodb",
        "get_item",
        TableName=table,
        Key=key,
        ConsistentRead=True,
        ProjectionExpression=arguments.get("projectionExpression"),
        ExpressionAttributeNames=arguments.get("expressionAttributeNames"),
    )
    if not answer.get("Item"):
        raise ProviderError(f"table {table} has no item {item_id('', key).lstrip('|')}")
    return {"id": item_id(table, key), "item": document_of(answer["Item"]), "region": api.region}


def _key(document: str) -> dict[str, Any]:
    try:
        return item_of(document)
    except (AttributeError, ValueError) as error:
        raise ProviderError(f"key must be an item in DynamoDB's JSON, got {json.dumps(document)}") from error


def _tables(api: Api, arguments: Properties) -> Properties:
    return {"id": api.region, "names": list(api.pages("dynamodb", "list_tables", "TableNames")), "region": api.region}


LOOKUPS = (
    Lookup(
        "aws:ssm/getParameter:getParameter",
        frozenset({"name", "withDecryption"}),
        frozenset({"id", "arn", "type", "value", "insecureValue", "version", "region"}),
        _parameter,
    ),
    Lookup(
        "aws:ssm/getParametersByPath:getParametersByPath",
        frozenset({"path", "recursive", "withDecryption"}),
        frozenset({"id", "arns", "names", "types", "values", "region"}),
        _parameters_by_path,
    ),
    Lookup(
        "aws:dynamodb/getTableItem:getTableItem",
        frozenset({"tableName", "key", "projectionExpression", "expressionAttributeNames"}),
        frozenset({"id", "item", "region"}),
        _table_item,
    ),
    Lookup("aws:dynamodb/getTables:getTables", frozenset(), frozenset({"id", "names", "region"}), _tables),
)
