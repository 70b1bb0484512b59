"""Security groups, a VPC's own one included."""

from collections.abc import Callable
from typing import Any

from localcloud.provider.errors import ApiRefused
from localcloud.provider.kind import AutoName, AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.common import by_id, ec2_arn
from localcloud.provider.kinds.ec2.ec2_rules import group_text
from localcloud.provider.kinds.ec2.group_permissions import (
    Permission,
    item_failures,
    items,
    permissions,
    revoke,
    rules_of,
    set_rules,
)
from localcloud.provider.tags import ec2_tags
from localcloud.provider.values import Properties

TAGS = ec2_tags("security-group")


class CreateClosed(Create):
    """Makes a group without EC2's rule that lets everything out, as Pulumi's own provider does."""

    def run(self, change: Change) -> str:
        """Makes it and returns its id. Raises ApiRefused."""
        group = Change(change.api, change.kind, super().run(change), change.inputs)
        revoke(group, rules_of(group, is_egress=True), is_egress=True)
        return group.id


class AdoptEmpty(Create):
    """Takes over a VPC's default group: no rules, and just the tags declared."""

    def run(self, change: Change) -> str:
        """Empties it and returns its id. Raises ApiRefused."""
        vpc_id = change.inputs.get("vpcId") or _default_vpc(change)
        filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "group-name", "Values": ["default"]}]
        found = change.call("describe_security_groups", Filters=filters)["SecurityGroups"]
        if not found:
            raise ApiRefused("ec2 describe_security_groups", "InvalidGroup.NotFound", f"no default group in {vpc_id!r}")
        group = Change(change.api, change.kind, found[0]["GroupId"], change.inputs)
        for is_egress in (False, True):
            revoke(group, rules_of(group, is_egress=is_egress), is_egress=is_egress)
        old, new = TAGS.read(group, found[0]), change.inputs.get("tags", {})
        TAGS.write(group, new, sorted(old.keys() - new.keys()))
        return group.id


def _default_vpc(change: Change) -> str:
    found = change.call("describe_vpcs", Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    return str(found[0]["VpcId"]) if found else ""


def _read_rules(*, is_egress: bool) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    def read(found: dict[str, Any]) -> list[dict[str, Any]]:
        rules = (rule for rule in found["Rules"] or [] if rule["IsEgress"] == is_egress)
        return items((Permission.of_rule(rule) for rule in rules), found["GroupId"])

    return read


def _same_rules(declared: Any, actual: Any) -> bool:
    return permissions(declared, "self") == permissions(actual, "self")


def _write_rules(name: str, *, is_egress: bool) -> Step:
    def run(change: Change) -> None:
        set_rules(change, permissions(change.inputs.get(name, []), change.id), is_egress=is_egress)

    return Step(frozenset({name}), run)


def _delete(change: Change) -> None:
    if change.inputs.get("revokeRulesOnDelete"):
        for is_egress in (False, True):
            revoke(change, rules_of(change, is_egress=is_egress), is_egress=is_egress)
    change.call("delete_security_group", GroupId=change.id)


def _leave(_: Change) -> None:
    """A default group cannot be deleted: it stays, empty, until its VPC goes."""


def _name_failures(inputs: Properties) -> Failures:
    if str(inputs.get("name", "")).lower().startswith("sg-"):
        yield "name", f"name must not start with sg-, which is for ids, got {inputs['name']!r}"
    if str(inputs.get("name", "")).lower() == "default":
        yield "name", "name must not be default, which is for the group that each VPC has"


READS = (
    Read("describe_security_groups", by_id("GroupIds", many=True), "SecurityGroups[0]"),
    Read(
        "describe_security_group_rules",
        lambda change: {"Filters": [{"Name": "group-id", "Values": [change.id]}]},
        "SecurityGroupRules",
        into="Rules",
    ),
)
RULES = {
    "ingress": Prop(resettable=True, read=_read_rules(is_egress=False), holds=_same_rules),
    "egress": Prop(resettable=True, read=_read_rules(is_egress=True), holds=_same_rules),
    "revokeRulesOnDelete": Prop(default=False, local=True),
}
STEPS = (_write_rules("ingress", is_egress=False), _write_rules("egress", is_egress=True))

SECURITY_GROUP = AwsType(
    token="aws:ec2/securityGroup:SecurityGroup",
    service="ec2",
    properties={
        "name": Prop(at="GroupName"),
        "description": Prop(default="Managed by Pulumi"),
        "vpcId": Prop(),
        **RULES,
        "tags": Prop(),
    },
    create=CreateClosed("create_security_group", "GroupId"),
    reads=READS,
    steps=STEPS,
    delete=_delete,
    outputs={"arn": ec2_arn("security-group"), "ownerId": "OwnerId"},
    tags=TAGS,
    name=AutoName("name", 255),
    rules=(group_text("name", required=True), group_text("description", required=True), _name_failures, item_failures),
)

DEFAULT_SECURITY_GROUP = AwsType(
    token="aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    service="ec2",
    properties={"vpcId": Prop(), **RULES, "tags": Prop()},
    create=AdoptEmpty("describe_security_groups", "", of=frozenset({"vpcId"})),
    reads=READS,
    steps=STEPS,
    delete=_leave,
    outputs={
        "arn": ec2_arn("security-group"),
        "ownerId": "OwnerId",
        "name": "GroupName",
        "description": "Description",
    },
    tags=TAGS,
    rules=(item_failures,),
)

TYPES = (SECURITY_GROUP, DEFAULT_SECURITY_GROUP)
