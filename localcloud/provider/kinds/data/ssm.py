"""SSM parameters. A value is never shown: not in an error, whatever the parameter's type."""

import re
from typing import Any

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Failures, Prop, Read, Step, Tags
from localcloud.provider.kinds.bounds import among
from localcloud.provider.kinds.common import deletes
from localcloud.provider.tags import as_list, as_map
from localcloud.provider.values import Properties

VALUE_BYTES = {"Standard": 4096, "Advanced": 8192, "Intelligent-Tiering": 8192}
MOST_LEVELS = 15
MOST_NAME = 1011
STANDING = ("type", "value", "description", "tier", "dataType", "allowedPattern", "keyId")
"""What another version of a parameter may change."""


def _overwrites(change: Change) -> dict[str, Any]:
    return {"Overwrite": bool(change.inputs["overwrite"])}


def _puts(change: Change) -> None:
    """Another version; what is not given stays as it was, so absence is written out."""
    given = change.parameters("put_parameter", STANDING)
    absent = {"Description": "", "AllowedPattern": ""}
    change.call("put_parameter", Name=change.id, Overwrite=True, **{**absent, **given})


def _tags_written(change: Change, put: dict[str, str], drop: list[str]) -> None:
    about = {"ResourceType": "Parameter", "ResourceId": change.id}
    if put:
        change.call("add_tags_to_resource", **about, Tags=as_list(put))
    if drop:
        change.call("remove_tags_from_resource", **about, TagKeys=drop)


def _falls_to_standard(inputs: Properties) -> bool:
    """A change of tier needs a new parameter where it leads down; up, it does not."""
    return bool(inputs.get("tier", "Standard") == "Standard")


def _sound_name(inputs: Properties) -> Failures:
    name = inputs.get("name")
    if name is None:
        return
    if not isinstance(name, str) or not re.fullmatch(rf"[A-Za-z0-9_.\-/]{{1,{MOST_NAME}}}", name):
        yield "name", f"name must be 1 to {MOST_NAME} letters, digits or any of _.-/, got {name!r}"
        return
    if "/" in name and (not name.startswith("/") or name.endswith("/") or "//" in name):
        yield "name", f"name must begin with a slash where it has one, and have no empty level, got {name!r}"
    if re.match(r"/?(aws|ssm)", name, re.IGNORECASE):
        yield "name", f"name must not begin with aws or ssm, which AWS keeps for itself, got {name!r}"
    if name.count("/") > MOST_LEVELS:
        yield "name", f"name may have {MOST_LEVELS} levels, got {name.count('/')}"


def _sound_value(inputs: Properties) -> Failures:
    value = inputs.get("value")
    if value is None:
        return
    size, most = len(str(value).encode()), VALUE_BYTES.get(inputs.get("tier", "Standard"), 4096)
    if not 1 <= size <= most:
        yield "value", f"value must have 1 to {most} bytes in tier {inputs.get('tier')}, got {size}"


def _matches_pattern(inputs: Properties) -> Failures:
    try:
        allowed = re.compile(inputs.get("allowedPattern", ""))
    except re.error as error:
        yield "allowedPattern", f"allowedPattern must be a regular expression: {error}"
        return
    if "value" in inputs and not allowed.search(str(inputs["value"])):
        yield "value", f"value must match allowedPattern {allowed.pattern!r}"


def _key_for_secrets(inputs: Properties) -> Failures:
    if inputs.get("keyId") and inputs.get("type") not in (None, "SecureString"):
        yield "keyId", f"keyId must be given for type SecureString only, got type {inputs['type']}"


PARAMETER = AwsType(
    token="aws:ssm/parameter:Parameter",
    service="ssm",
    properties={
        "name": Prop(),
        "type": Prop(required=True),
        "value": Prop(required=True, secret=True, read="Held.Value"),
        "description": Prop(resettable=True, read="Description || ''"),
        "tier": Prop(default="Standard", replaces=_falls_to_standard),
        "dataType": Prop(default="text"),
        "allowedPattern": Prop(resettable=True, read="AllowedPattern || ''"),
        "keyId": Prop(),
        "overwrite": Prop(default=False, local=True),
        "tags": Prop(),
    },
    create=Create("put_parameter", lambda change, _: str(change.inputs["name"]), extra=_overwrites),
    reads=(
        Read(
            "describe_parameters",
            lambda change: {"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": [change.id]}]},
            "Parameters[0]",
        ),
        Read("get_parameter", lambda change: {"Name": change.id, "WithDecryption": True}, "Parameter", into="Held"),
        Read(
            "list_tags_for_resource",
            lambda change: {"ResourceType": "Parameter", "ResourceId": change.id},
            "{Tags: TagList}",
        ),
    ),
    steps=(Step(frozenset(STANDING), _puts),),
    delete=deletes("delete_parameter", "Name"),
    outputs={"arn": "Held.ARN", "version": "Held.Version"},
    volatile=frozenset({"version"}),
    stirred_by=frozenset(STANDING),
    # Late, for AWS refuses tags beside Overwrite.
    tags=Tags(lambda change: {}, lambda _, found: as_map(found.get("Tags")), _tags_written, late=True),
    name=AutoName("name", MOST_NAME),
    rules=(
        among("type", "String", "StringList", "SecureString"),
        among("tier", *VALUE_BYTES),
        among("dataType", "text", "aws:ec2:image"),
        _sound_name,
        _sound_value,
        _matches_pattern,
        _key_for_secrets,
    ),
)

TYPES = (PARAMETER,)
