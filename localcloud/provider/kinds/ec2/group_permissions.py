"""What a security group's own lists of rules mean: each list item, taken apart into one permission a source."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.provider.kind import Change, Failures
from localcloud.provider.kinds.bounds import whole
from localcloud.provider.kinds.ec2.ec2_rules import (
    network6_failures,
    network_failures,
    text_failures,
)
from localcloud.provider.values import Properties

PORT_PROTOCOLS = ("tcp", "udp")
ICMP = ("icmp", "icmpv6")
ALL = "-1"
PORTLESS = ("50",)
"""Protocols by their number that have no ports: 50 is IPsec's ESP."""
ANY_PORT = -1
ITEM_KEYS = frozenset(
    {"protocol", "fromPort", "toPort", "description", "self", "cidrBlocks", "ipv6CidrBlocks", "prefixListIds"}
    | {"securityGroups"}
)
SOURCE_LISTS = {"CidrIpv4": "cidrBlocks", "CidrIpv6": "ipv6CidrBlocks", "PrefixListId": "prefixListIds"}


@dataclass(frozen=True, order=True)
class Permission:
    """One source or target that may be reached: EC2's unit, which rule resources have an id for."""

    protocol: str
    from_port: int
    to_port: int
    kind: str
    """CidrIpv4, CidrIpv6, PrefixListId or GroupId."""
    source: str
    description: str = ""

    def as_parameter(self) -> dict[str, Any]:
        """An item of EC2's IpPermissions."""
        described = {"Description": self.description} if self.description else {}
        lists = {
            "CidrIpv4": ("IpRanges", "CidrIp"),
            "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
            "PrefixListId": ("PrefixListIds", "PrefixListId"),
            "GroupId": ("UserIdGroupPairs", "GroupId"),
        }
        name, key = lists[self.kind]
        ports = {"FromPort": self.from_port, "ToPort": self.to_port}
        return {"IpProtocol": self.protocol, **ports, name: [{key: self.source, **described}]}

    @classmethod
    def of_rule(cls, rule: Mapping[str, Any]) -> "Permission":
        """What a rule, as EC2 describes it, permits."""
        referenced = {"GroupId": rule.get("ReferencedGroupInfo", {}).get("GroupId")}
        sources = {key: rule.get(key) for key in SOURCE_LISTS} | referenced
        kind, source = next((key, value) for key, value in sources.items() if value)
        ports = rule.get("FromPort", ANY_PORT), rule.get("ToPort", ANY_PORT)
        return cls(rule["IpProtocol"], *ports, kind, source, rule.get("Description", ""))


def permissions(items: Iterable[Mapping[str, Any]], own_id: str) -> set[Permission]:
    """Everything that list items permit; own_id is the group that `self` means."""
    found = set()
    for item in items:
        protocol = _protocol(item)
        ports = (ANY_PORT, ANY_PORT) if protocol in (ALL, *PORTLESS) else (int(item["fromPort"]), int(item["toPort"]))
        sources = [(kind, source) for kind, name in SOURCE_LISTS.items() for source in item.get(name) or []]
        sources += [("GroupId", group) for group in item.get("securityGroups") or []]
        sources += [("GroupId", own_id)] if item.get("self") else []
        found |= {Permission(protocol, *ports, *source, item.get("description") or "") for source in sources}
    return found


def items(found: Iterable[Permission], own_id: str) -> list[dict[str, Any]]:
    """Permissions as list items: those that differ by their source only share one."""
    shared: dict[tuple[Any, ...], dict[str, Any]] = {}
    for one in sorted(found):
        ports = (0, 0) if one.protocol in (ALL, *PORTLESS) else (one.from_port, one.to_port)
        item = shared.setdefault(
            (one.protocol, *ports, one.description),
            {"protocol": one.protocol, "fromPort": ports[0], "toPort": ports[1]}
            | ({"description": one.description} if one.description else {}),
        )
        if one.kind == "GroupId" and one.source == own_id:
            item["self"] = True
        else:
            item.setdefault(SOURCE_LISTS.get(one.kind, "securityGroups"), []).append(one.source)
    return list(shared.values())


def rules_of(change: Change, *, is_egress: bool) -> list[dict[str, Any]]:
    """The group's rules of one direction, as EC2 describes them."""
    about = {"Filters": [{"Name": "group-id", "Values": [change.id]}]}
    answer = change.call("describe_security_group_rules", **about)["SecurityGroupRules"]
    return [rule for rule in answer if rule["IsEgress"] == is_egress]


def revoke(change: Change, rules: Iterable[Mapping[str, Any]], *, is_egress: bool) -> None:
    """Takes rules, as described, out of the group."""
    ids = [rule["SecurityGroupRuleId"] for rule in rules]
    if ids:
        direction = "egress" if is_egress else "ingress"
        change.call(f"revoke_security_group_{direction}", GroupId=change.id, SecurityGroupRuleIds=ids)


def set_rules(change: Change, wanted: set[Permission], *, is_egress: bool) -> None:
    """Makes the group's rules of one direction those wanted, leaving alone the ones that already are."""
    present = [(rule, Permission.of_rule(rule)) for rule in rules_of(change, is_egress=is_egress)]
    # First away with the old, as AWS refuses a rule that differs from another by its description only.
    revoke(change, [rule for rule, permission in present if permission not in wanted], is_egress=is_egress)
    missing = sorted(wanted - {permission for _, permission in present})
    if missing:
        direction = "egress" if is_egress else "ingress"
        parameters = [permission.as_parameter() for permission in missing]
        change.call(f"authorize_security_group_{direction}", GroupId=change.id, IpPermissions=parameters)


def item_failures(inputs: Properties) -> Failures:
    """What EC2, or this table, refuses in ingress and egress."""
    for name in ("ingress", "egress"):
        for item in inputs.get(name) or []:
            yield from ((name, reason) for reason in _item_reasons(item))


def _item_reasons(item: Mapping[str, Any]) -> Iterable[str]:
    for key in sorted(item.keys() - ITEM_KEYS):
        yield f"the embedded cloud does not apply {key} of a security group's rule"
    for block in item.get("cidrBlocks") or []:
        yield from (reason for _, reason in network_failures("cidrBlocks", block))
    for block in item.get("ipv6CidrBlocks") or []:
        yield from (reason for _, reason in network6_failures("ipv6CidrBlocks", block))
    yield from (reason for _, reason in text_failures("description", item.get("description") or ""))
    yield from port_reasons(_protocol(item), item.get("fromPort"), item.get("toPort"))


def _protocol(item: Mapping[str, Any]) -> str:
    given = str(item.get("protocol", "")).lower()
    return ALL if given == "all" else given


def port_reasons(protocol: str, from_port: Any, to_port: Any) -> Iterable[str]:
    """What is wrong with the ports of a rule for a protocol (ICMP's are its type and code)."""
    if protocol not in (*PORT_PROTOCOLS, *ICMP, *PORTLESS, ALL):
        yield f"protocol must be one of {', '.join((*PORT_PROTOCOLS, *ICMP, *PORTLESS, ALL))}, got {protocol!r}"
        return
    if protocol in (ALL, *PORTLESS):
        if from_port not in (None, 0, -1) or to_port not in (None, 0, -1):
            yield f"protocol {protocol} takes no ports, got {from_port} to {to_port}"
        return
    if from_port is None or to_port is None:
        yield f"protocol {protocol} needs fromPort and toPort"
        return
    bounds = (-1, 255) if protocol in ICMP else (0, 65_535)
    ports = {"fromPort": from_port, "toPort": to_port}
    wrong = [failure for name in ports for failure in whole(name, *bounds)(ports)]
    yield from (reason for _, reason in wrong)
    if not wrong and protocol in PORT_PROTOCOLS and int(from_port) > int(to_port):
        yield f"fromPort {from_port} is above toPort {to_port}"
