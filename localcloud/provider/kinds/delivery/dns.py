"""Route 53 hosted zones and their records (simple ones and aliases; no routing policies)."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Step, Tags
from localcloud.provider.kinds.bounds import among, no_other_keys, whole
from localcloud.provider.kinds.common import by_id
from localcloud.provider.tags import as_list, as_map
from localcloud.provider.values import Properties

BARE_ID = "/hostedzone/"
RECORD_TYPES = ("A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SPF", "SRV", "SVCB", "TXT")
QUOTED = ("SPF", "TXT")


def _zone_parameters(change: Change) -> dict[str, Any]:
    private = change.inputs.get("vpcs")
    return {
        "CallerReference": uuid.uuid4().hex,
        "HostedZoneConfig": {"Comment": change.inputs["comment"], "PrivateZone": bool(private)},
        **({"VPC": _vpc(change, private[0])} if private else {}),
    }


def _vpc(change: Change, given: Mapping[str, str]) -> dict[str, str]:
    return {"VPCId": given["vpcId"], "VPCRegion": given.get("vpcRegion", change.api.region)}


def _joins_other_vpcs(change: Change) -> None:
    """The first VPC came with the zone; a private zone must keep one all the time, so new ones join first."""
    told = change.call("get_hosted_zone", Id=change.id).get("VPCs", [])
    wanted = {vpc["vpcId"]: _vpc(change, vpc) for vpc in change.inputs.get("vpcs", [])}
    joined = {vpc["VPCId"]: vpc for vpc in told}
    for vpc_id in wanted.keys() - joined.keys():
        change.call("associate_vpc_with_hosted_zone", HostedZoneId=change.id, VPC=wanted[vpc_id])
    for vpc_id in joined.keys() - wanted.keys():
        change.call("disassociate_vpc_from_hosted_zone", HostedZoneId=change.id, VPC=joined[vpc_id])


def _comments(change: Change) -> None:
    change.call("update_hosted_zone_comment", Id=change.id, Comment=change.inputs["comment"])


def _retags(change: Change, put: dict[str, str], drop: list[str]) -> None:
    about = {"ResourceType": "hostedzone", "ResourceId": change.id}
    new = {"AddTags": as_list(put)} if put else {}
    change.call("change_tags_for_resource", **about, **new, **({"RemoveTagKeys": drop} if drop else {}))


def _deletes_zone(change: Change) -> None:
    if change.inputs.get("forceDestroy"):
        zone = change.call("get_hosted_zone", Id=change.id)["HostedZone"]
        for record in _records_of(change, change.id):
            if not (record["Name"] == zone["Name"] and record["Type"] in ("NS", "SOA")):
                _changes(change, change.id, "DELETE", record)
    change.call("delete_hosted_zone", Id=change.id)


def _records_of(change: Change, zone_id: str) -> Iterator[Any]:
    return change.api.pages("route53", "list_resource_record_sets", "ResourceRecordSets", HostedZoneId=zone_id)


def _changes(change: Change, zone_id: str, action: str, record: Mapping[str, Any]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    change.call("change_resource_record_sets", HostedZoneId=zone_id, ChangeBatch=batch)


def _vpcs_found(found: Mapping[str, Any]) -> list[dict[str, str]] | None:
    told = found.get("VPCs")
    return [{"vpcId": vpc["VPCId"], "vpcRegion": vpc["VPCRegion"]} for vpc in told] if told else None


ZONE = AwsType(
    token="aws:route53/zone:Zone",
    service="route53",
    properties={
        "name": Prop(required=True, read=lambda found: found["HostedZone"]["Name"].rstrip(".")),
        "comment": Prop(default="Managed by Pulumi", read="HostedZone.Config.Comment"),
        "vpcs": Prop(read=_vpcs_found),
        "forceDestroy": Prop(default=False, local=True),
        "tags": Prop(),
    },
    create=Create(
        "create_hosted_zone",
        lambda _, answer: answer["HostedZone"]["Id"].removeprefix(BARE_ID),
        extra=_zone_parameters,
        of=frozenset({"comment"}),
    ),
    reads=(
        Read("get_hosted_zone", by_id("Id"), "@"),
        Read(
            "list_tags_for_resource",
            lambda change: {"ResourceType": "hostedzone", "ResourceId": change.id},
            "{Tags: ResourceTagSet.Tags}",
        ),
    ),
    steps=(Step(frozenset({"comment"}), _comments), Step(frozenset({"vpcs"}), _joins_other_vpcs)),
    delete=_deletes_zone,
    outputs={
        "arn": lambda change, _: f"arn:aws:route53:::hostedzone/{change.id}",
        "zoneId": lambda change, _: change.id,
        "nameServers": "sort(DelegationSet.NameServers || `[]`)",
        "primaryNameServer": "DelegationSet.NameServers[0]",
    },
    tags=Tags(lambda _: {}, lambda _, found: as_map(found.get("Tags")), _retags, late=True),
    rules=(no_other_keys("vpcs", "vpcId", "vpcRegion"),),
)  # fmt: skip


def _fqdn(change: Change, zone_id: str, name: str) -> str:
    """The record's full name in lower case, without a dot at its end; short names are completed with the zone's."""
    zone = change.call("get_hosted_zone", Id=zone_id)["HostedZone"]["Name"].rstrip(".").lower()
    given = name.rstrip(".").lower()
    return given if given == zone or given.endswith(f".{zone}") else f"{given}.{zone}".lstrip(".")


def _declared(change: Change) -> tuple[str, str, str]:
    """Zone, name and type: as declared or, on an import, as in the id."""
    if change.inputs:
        return change.inputs["zoneId"], change.inputs["name"], change.inputs["type"]
    zone_id, _, rest = change.id.partition("_")
    name, _, record_type = rest.rpartition("_")
    return zone_id, name, record_type


def _record_set(change: Change) -> dict[str, Any]:
    inputs = change.inputs
    record: dict[str, Any] = {"Name": _fqdn(change, inputs["zoneId"], inputs["name"]), "Type": inputs["type"]}
    if aliases := inputs.get("aliases"):
        alias = aliases[0]
        return record | {
            "AliasTarget": {
                "DNSName": alias["name"],
                "HostedZoneId": alias["zoneId"],
                "EvaluateTargetHealth": alias["evaluateTargetHealth"],
            }
        }
    values = [f'"{value}"' if inputs["type"] in QUOTED else value for value in inputs["records"]]
    return record | {"TTL": int(inputs["ttl"]), "ResourceRecords": [{"Value": value} for value in values]}


def _creation(change: Change) -> dict[str, Any]:
    action = "UPSERT" if change.inputs.get("allowOverwrite") else "CREATE"
    return {
        "HostedZoneId": change.inputs["zoneId"],
        "ChangeBatch": {"Changes": [{"Action": action, "ResourceRecordSet": _record_set(change)}]},
    }


def _upserts(change: Change) -> None:
    _changes(change, change.inputs["zoneId"], "UPSERT", _record_set(change))


def _start(change: Change) -> dict[str, Any]:
    zone_id, name, record_type = _declared(change)
    fqdn = _fqdn(change, zone_id, name)
    return {"HostedZoneId": zone_id, "StartRecordName": fqdn, "StartRecordType": record_type, "MaxItems": "1"}


def _same_name(change: Change) -> str:
    zone_id, name, record_type = _declared(change)
    fqdn = _fqdn(change, zone_id, name)
    told = "Name: Name, Type: Type, TTL: TTL, ResourceRecords: ResourceRecords, AliasTarget: AliasTarget"
    zone = f'ZoneId: `"{zone_id}"`, Given: `"{name}"`'
    return f"ResourceRecordSets[?Name == '{fqdn}.' && Type == '{record_type}'].{{{told}, {zone}}} | [0]"


def _records_found(found: Mapping[str, Any]) -> list[str] | None:
    values = [each["Value"] for each in found.get("ResourceRecords") or []]
    return [value.strip('"') if found["Type"] in QUOTED else value for value in values] or None


def _aliases_found(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    target = found.get("AliasTarget")
    if not target:
        return None
    name, health = target["DNSName"].rstrip("."), target["EvaluateTargetHealth"]
    return [{"name": name, "zoneId": target["HostedZoneId"], "evaluateTargetHealth": health}]


def _deletes_record(change: Change) -> None:
    zone_id, name, record_type = _declared(change)
    fqdn = f"{_fqdn(change, zone_id, name)}."
    for record in _records_of(change, zone_id):
        if (record["Name"], record["Type"]) == (fqdn, record_type):
            _changes(change, zone_id, "DELETE", record)


def _alias_or_values(inputs: Properties) -> Failures:
    if "aliases" in inputs:
        for name in sorted({"records", "ttl"} & inputs.keys()):
            yield name, f"{name} must not be given beside aliases"
    else:
        for name in ("records", "ttl"):
            if name not in inputs:
                yield name, f"{name} must be given where there are no aliases, got nothing"


def _one_alias(inputs: Properties) -> Failures:
    aliases = inputs.get("aliases")
    if aliases is not None and len(aliases) != 1:
        yield "aliases", f"aliases takes one, got {len(aliases)}"
    records = inputs.get("records")
    if inputs.get("type") == "CNAME" and records is not None and len(records) != 1:
        yield "records", f"records must hold one name where type is CNAME, got {len(records)}"


RECORD = AwsType(
    token="aws:route53/record:Record",
    service="route53",
    properties={
        "zoneId": Prop(required=True, replaces=True),
        "name": Prop(required=True, replaces=True, read="Given"),
        "type": Prop(required=True, replaces=True),
        "ttl": Prop(resettable=True),
        "records": Prop(resettable=True, read=_records_found),
        "aliases": Prop(resettable=True, read=_aliases_found),
        "allowOverwrite": Prop(default=False, local=True),
    },
    create=Create(
        "change_resource_record_sets",
        lambda change, _: "_".join((change.inputs["zoneId"], change.inputs["name"].lower(), change.inputs["type"])),
        extra=_creation,
        of=frozenset({"zoneId", "name", "type", "ttl", "records", "aliases"}),
    ),
    reads=(Read("list_resource_record_sets", _start, _same_name),),
    steps=(Step(frozenset({"ttl", "records", "aliases"}), _upserts),),
    delete=_deletes_record,
    outputs={"fqdn": lambda _, found: found["Name"].rstrip(".")},
    rules=(
        among("type", *RECORD_TYPES),
        whole("ttl", 0, 2147483647),
        no_other_keys("aliases", "name", "zoneId", "evaluateTargetHealth"),
        _one_alias,
    ),
    presence=(_alias_or_values,),
)

TYPES = (ZONE, RECORD)
