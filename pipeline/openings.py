"""What security groups let through, and whether a change lets more through than before."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from pipeline import types
from pipeline.secrets import UNKNOWN
from pipeline.shown import LATER, is_network, is_number, is_protocol, is_source

ALL = "-1"
EVERYONE = frozenset({"0.0.0.0/0", "::/0"})
LAST_PORT = 65_535
SPOKEN = {"all": ALL, "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6"}
"""Protocols that have two names."""


class Peer(StrEnum):
    """What kind of thing is at the other end."""

    NETWORK = "network"
    GROUP = "group"
    LIST = "list"


PEERS: Mapping[str, Peer] = {
    "cidrIpv4": Peer.NETWORK,
    "cidrIpv6": Peer.NETWORK,
    "cidrBlocks": Peer.NETWORK,
    "ipv6CidrBlocks": Peer.NETWORK,
    "referencedSecurityGroupId": Peer.GROUP,
    "sourceSecurityGroupId": Peer.GROUP,
    "securityGroups": Peer.GROUP,
    "self": Peer.GROUP,
    "prefixListId": Peer.LIST,
    "prefixListIds": Peer.LIST,
}
"""The properties of a rule that name its other end."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One thing that a security group lets through."""

    lets_in: bool
    protocol: str
    ports: tuple[int, int]
    peer: Peer
    source: Any
    """A network, an id, or UNKNOWN."""

    def covers(self, other: "Opening") -> bool:
        """Whether nothing that the other lets through is stopped by this one."""
        return (
            self.lets_in == other.lets_in
            and self.protocol in (ALL, other.protocol)
            and (self.protocol == ALL or (self.ports[0] <= other.ports[0] and other.ports[1] <= self.ports[1]))
            and self.peer == other.peer
            and self._reaches(other)
        )

    def _reaches(self, other: "Opening") -> bool:
        if self.peer is not Peer.NETWORK:  # a group that is replaced gets another id, and is the same one all the same
            return bool(other.source == UNKNOWN or self.source == other.source)
        ours, theirs = _network(self.source), _network(other.source)
        if ours is None or theirs is None:
            return ours is theirs and bool(self.source == other.source != UNKNOWN)
        return _within(theirs, ours)

    @property
    def is_for_everyone(self) -> bool:
        """Whether the whole internet is at the other end."""
        return self.peer is Peer.NETWORK and self.source in EVERYONE

    def __str__(self) -> str:
        return f"{self._traffic} {'from' if self.lets_in else 'to'} {self._source}"

    @property
    def _traffic(self) -> str:
        if self.protocol == ALL:
            return "all traffic"
        spoken = self.protocol if is_protocol(self.protocol) else "a protocol"
        low, high = self.ports
        if (low, high) == (0, LAST_PORT) or low == -1:
            return f"all {spoken}"
        return f"{spoken} {low}" if low == high else f"{spoken} {low} to {high}"

    @property
    def _source(self) -> str:
        if self.source == UNKNOWN:
            return f"a {self.peer} {LATER}"
        if self.source is True:
            return "itself"
        return str(self.source) if is_network(self.source) or is_source(self.source) else f"a {self.peer}"


def openings(type_name: str, inputs: Mapping[str, Any]) -> tuple[Opening, ...]:
    """What a security group, or a rule of one, lets through by its inputs."""
    if type_name in types.GROUPS:
        found = ((lets_in, item) for name, lets_in in (("ingress", True), ("egress", False))
                 for item in _items(inputs.get(name)))  # fmt: skip
        return tuple(opening for lets_in, item in found for opening in _of(item, lets_in=lets_in))
    if type_name == types.GROUP_RULE:
        return tuple(_of(inputs, lets_in=inputs.get("type") != "egress"))
    return tuple(_of(inputs, lets_in=type_name == types.INGRESS_RULE)) if type_name in types.GROUP_RULES else ()


def widened(before: Iterable[Opening], after: Sequence[Opening]) -> list[Opening]:
    """What is let through afterwards that was not before; those for everyone first."""
    known = list(before)
    found = [new for new in after if not any(old.covers(new) for old in known)]
    return sorted(found, key=lambda opening: not opening.is_for_everyone)


def _items(value: Any) -> list[Mapping[str, Any]]:
    if value == UNKNOWN:
        return [{"cidrBlocks": [UNKNOWN]}]
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _of(item: Mapping[str, Any], *, lets_in: bool) -> Iterator[Opening]:
    spoken = str(item.get("ipProtocol") or item.get("protocol") or ALL).lower()
    protocol = SPOKEN.get(spoken, ALL if spoken == UNKNOWN else spoken)
    ports = (
        (0, LAST_PORT) if protocol == ALL else (_port(item.get("fromPort"), 0), _port(item.get("toPort"), LAST_PORT))
    )
    for name, peer in PEERS.items():
        value = item.get(name)
        sources = value if isinstance(value, list) else [value]
        for source in sources:
            if source not in (None, "", False):
                yield Opening(lets_in, protocol, ports, peer, source)


def _port(value: Any, otherwise: int) -> int:
    """A port; where it is not known yet, as wide as it may be."""
    return int(float(value)) if value is not None and is_number(value) else otherwise


def _network(value: Any) -> IPv4Network | IPv6Network | None:
    return ip_network(value) if is_network(value) else None


def _within(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)
