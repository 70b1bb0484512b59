"""Lookups of where we are and who we are."""

from typing import Any

from localcloud.provider.api import Api
from localcloud.provider.errors import ApiRefused
from localcloud.provider.kinds.common import ACCOUNT_ID
from localcloud.provider.lookups import Lookup
from localcloud.provider.values import Properties

OPTED_IN = ("opt-in-not-required", "opted-in")


def _zones(api: Api, arguments: Properties) -> Properties:
    filters = [{"Name": item["name"], "Values": item["values"]} for item in arguments.get("filters", [])]
    if "state" in arguments:
        filters.append({"Name": "state", "Values": [arguments["state"]]})
    found = api.call("ec2", "describe_availability_zones", Filters=filters)["AvailabilityZones"]
    zones = sorted((zone for zone in found if _is_wanted(zone, arguments)), key=lambda zone: str(zone["ZoneName"]))
    return {
        "id": api.region,
        "region": api.region,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "groupNames": sorted({zone.get("GroupName", api.region) for zone in zones}),
    }


def _is_wanted(zone: dict[str, Any], arguments: Properties) -> bool:
    is_excluded = zone["ZoneName"] in arguments.get("excludeNames", []) or zone["ZoneId"] in arguments.get(
        "excludeZoneIds", []
    )
    is_ours = arguments.get("allAvailabilityZones", False) or zone.get("OptInStatus", OPTED_IN[0]) in OPTED_IN
    return is_ours and not is_excluded


def _region(api: Api, arguments: Properties) -> Properties:
    name = str(arguments.get("region") or arguments.get("name") or api.region)
    found = api.call("ec2", "describe_regions", RegionNames=[name])["Regions"]
    if not found:
        raise ApiRefused("ec2 describe_regions", "InvalidParameterValue", f"there is no region {name!r}")
    endpoint = str(found[0]["Endpoint"]).removeprefix("https://")
    return {"id": name, "region": name, "name": name, "endpoint": endpoint, "description": name}


def _partition(_: Api, __: Properties) -> Properties:
    return {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def _identity(api: Api, _: Properties) -> Properties:
    found = api.call("sts", "get_caller_identity")
    account = found.get("Account", ACCOUNT_ID)
    return {"id": account, "accountId": account, "arn": found["Arn"], "userId": found["UserId"]}


LOOKUPS = (
    Lookup(
        "aws:index/getAvailabilityZones:getAvailabilityZones",
        frozenset({"allAvailabilityZones", "excludeNames", "excludeZoneIds", "filters", "state"}),
        frozenset({"id", "region", "names", "zoneIds", "groupNames"}),
        _zones,
    ),
    Lookup(
        "aws:index/getRegion:getRegion",
        frozenset({"name", "region"}),
        frozenset({"id", "region", "name", "endpoint", "description"}),
        _region,
    ),
    Lookup(
        "aws:index/getPartition:getPartition",
        frozenset(),
        frozenset({"id", "partition", "dnsSuffix", "reverseDnsPrefix"}),
        _partition,
    ),
    Lookup(
        "aws:index/getCallerIdentity:getCallerIdentity",
        frozenset(),
        frozenset({"id", "accountId", "arn", "userId"}),
        _identity,
    ),
)
