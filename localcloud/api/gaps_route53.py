"""What moto's Route 53 gets wrong: it creates a record although one of its name and type is there already.

install() mends that.
"""

import functools
from typing import Any

from moto.route53.exceptions import ResourceRecordAlreadyExists
from moto.route53.models import Route53Backend

_change_resource_record_sets = Route53Backend.change_resource_record_sets


def install() -> None:
    """Mends moto's Route 53 in this process; a second call changes nothing."""
    Route53Backend.change_resource_record_sets = _refusing_duplicates


@functools.wraps(_change_resource_record_sets)
def _refusing_duplicates(self: Any, zoneid: str, change_list: list[dict[str, Any]]) -> None:  # moto's name
    zone = self.get_hosted_zone(zoneid)
    there = {_identity(record.name, record.type, record.set_identifier) for record in zone.rrsets}
    for change in change_list:
        record = change["ResourceRecordSet"]
        is_there = _identity(record["Name"], record["Type"], record.get("SetIdentifier")) in there
        if change["Action"] == "CREATE" and is_there:
            raise ResourceRecordAlreadyExists(name=record["Name"].rstrip(".") + ".", _type=record["Type"])
        while change["Action"] == "CREATE" and change in zone.rr_changes:
            zone.rr_changes.remove(change)  # moto takes what it made and deleted once for being there still
    _change_resource_record_sets(self, zoneid, change_list)


def _identity(name: str, kind: str, set_identifier: str | None) -> tuple[str, str, str | None]:
    return name.rstrip(".").lower(), kind, set_identifier
