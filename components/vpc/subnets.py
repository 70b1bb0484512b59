"""Which addresses each zone's subnets get: pure arithmetic, keyed by the zone's letter.

A network is cut into 16 equal parts, two for each of the letters a to h: one public, one private. A zone's parts follow
from its letter alone, so neither adding, removing nor reordering zones moves another zone's subnets.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import combinations

ZONE_LETTERS = "abcdefgh"  # no region has gone beyond f
ZONE_PATTERN = re.compile(rf"[a-z]{{2}}(-[a-z]+)+-\d[{ZONE_LETTERS}]")
PART_BITS = 4  # 2 tiers times 8 letters
LARGEST_PREFIX = 16  # what a VPC may be, by AWS
SMALLEST_SUBNET_PREFIX = 27  # a load balancer wants subnets of /27 or larger
SMALLEST_PREFIX = SMALLEST_SUBNET_PREFIX - PART_BITS
PRIVATE_SPACE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))


@dataclass(frozen=True, slots=True)
class ZoneSubnets:
    """One zone's CIDR blocks."""

    public: str
    private: str


def plan_subnets(
    cidr_block: str, zones: Sequence[str], explicit: Mapping[str, ZoneSubnets] | None = None
) -> dict[str, ZoneSubnets]:
    """The CIDR blocks by zone, explicit ones instead of the planned where given.

    Raises ValueError for a block that is no RFC 1918 network of /16 to /23, for zones that are none, repeated or not of
    one region, and for explicit blocks of unknown zones, outside the network, smaller than /27 or overlapping.
    """
    network = parse_network("cidr_block", cidr_block)
    check_network(network)
    check_zones(zones)
    explicit = explicit or {}
    strangers = sorted(explicit.keys() - set(zones))
    if strangers:
        raise ValueError(f"subnet_cidr_blocks names {', '.join(strangers)}, not among zones {', '.join(zones)}")
    parts = list(network.subnets(prefixlen_diff=PART_BITS))
    plan = {zone: explicit.get(zone) or zone_parts(parts, zone) for zone in zones}
    check_inside_and_apart(network, plan)
    return plan


def zone_letter(zone: str) -> str:
    """The letter that tells a zone from the others of its region."""
    return zone[-1]


def zone_region(zone: str) -> str:
    """The region that a zone is in."""
    return zone[:-1]


def zone_parts(parts: Sequence[IPv4Network], zone: str) -> ZoneSubnets:
    """The zone's public part, out of the first half, and private part, out of the second."""
    slot = ZONE_LETTERS.index(zone_letter(zone))
    return ZoneSubnets(public=str(parts[slot]), private=str(parts[slot + len(ZONE_LETTERS)]))


def parse_network(field: str, cidr_block: str) -> IPv4Network:
    """The block as a network. Raises ValueError, naming the field, when it is none or has host bits set."""
    try:
        return IPv4Network(cidr_block)
    except ValueError as error:
        raise ValueError(f"{field} must be an IPv4 network such as 10.0.0.0/16: {error}") from error


def check_network(network: IPv4Network) -> None:
    """Raises ValueError for a network that is public or that can't be cut into the sixteen parts."""
    if not any(network.subnet_of(space) for space in PRIVATE_SPACE):
        raise ValueError(f"cidr_block must lie within {', '.join(map(str, PRIVATE_SPACE))} (RFC 1918), got {network}")
    if network.prefixlen < LARGEST_PREFIX:
        raise ValueError(f"cidr_block {network} is too large: a VPC takes /{LARGEST_PREFIX} at most")
    if network.prefixlen > SMALLEST_PREFIX:
        raise ValueError(
            f"cidr_block {network} is too small for the zones: it must be /{SMALLEST_PREFIX} or larger,"
            f" since each of the letters a to h reserves a public and a private /{SMALLEST_SUBNET_PREFIX}"
        )


def check_zones(zones: Sequence[str]) -> None:
    """Raises ValueError unless the zones are at least one, distinct, and ordinary ones of a single region."""
    if not zones:
        raise ValueError("zones must name at least one availability zone, got none")
    for zone in zones:
        if not ZONE_PATTERN.fullmatch(zone):
            raise ValueError(f"zones must be availability zones such as eu-west-1a (letters a to h), got {zone!r}")
    if len(set(zones)) < len(zones):
        raise ValueError(f"zones must differ, got {', '.join(zones)}")
    if len({zone_region(zone) for zone in zones}) > 1:
        raise ValueError(f"zones must all be of one region, got {', '.join(zones)}")


def check_inside_and_apart(network: IPv4Network, plan: Mapping[str, ZoneSubnets]) -> None:
    """Raises ValueError when a subnet lies outside the network, is too small for AWS, or overlaps another."""
    subnets = dict(planned_networks(plan))
    for label, subnet in subnets.items():
        if not subnet.subnet_of(network):
            raise ValueError(f"{label} {subnet} lies outside cidr_block {network}")
        if subnet.prefixlen > SMALLEST_SUBNET_PREFIX:
            raise ValueError(f"{label} {subnet} is too small: it must be /{SMALLEST_SUBNET_PREFIX} or larger")
    for (label, subnet), (other_label, other) in combinations(subnets.items(), 2):
        if subnet.overlaps(other):
            raise ValueError(f"{label} {subnet} overlaps {other_label} {other}")


def planned_networks(plan: Mapping[str, ZoneSubnets]) -> Iterator[tuple[str, IPv4Network]]:
    """Every subnet of the plan with a label for errors."""
    for zone, blocks in plan.items():
        for tier, block in (("public", blocks.public), ("private", blocks.private)):
            label = f"{tier} subnet of {zone}"
            yield label, parse_network(label, block)
