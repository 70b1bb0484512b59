"""Which addresses each zone's subnets get."""

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.vpc.subnets import ZONE_LETTERS, ZoneSubnets, plan_subnets

ZONES = [f"eu-west-1{letter}" for letter in ZONE_LETTERS]


@st.composite
def private_blocks(draw: st.DrawFn) -> str:
    space = IPv4Network(draw(st.sampled_from(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"])))
    prefix = draw(st.integers(16, 23))
    slot = draw(st.integers(0, 2 ** (prefix - space.prefixlen) - 1))
    return str(IPv4Network((int(space.network_address) + slot * 2 ** (32 - prefix), prefix)))


zone_lists = st.lists(st.sampled_from(ZONES), min_size=1, unique=True)


def blocks_of(plan: dict[str, ZoneSubnets]) -> list[IPv4Network]:
    return [IPv4Network(block) for zone in plan.values() for block in (zone.public, zone.private)]


@given(private_blocks(), zone_lists)
def test_subnets_lie_inside_the_network_and_apart_from_each_other(cidr_block: str, zones: list[str]) -> None:
    blocks = blocks_of(plan_subnets(cidr_block, zones))
    assert len(blocks) == 2 * len(zones)
    assert all(block.subnet_of(IPv4Network(cidr_block)) and block.prefixlen <= 27 for block in blocks)
    assert not any(one.overlaps(other) for one, other in combinations(blocks, 2))


@given(private_blocks(), zone_lists, zone_lists)
def test_no_zone_moves_when_others_come_or_go(cidr_block: str, before: list[str], after: list[str]) -> None:
    old, new = plan_subnets(cidr_block, before), plan_subnets(cidr_block, after)
    assert all(old[zone] == new[zone] for zone in old.keys() & new.keys())


def test_the_plan_keeps_the_order_of_the_zones() -> None:
    assert list(plan_subnets("10.0.0.0/16", ["eu-west-1c", "eu-west-1a"])) == ["eu-west-1c", "eu-west-1a"]


def test_a_known_plan_never_changes() -> None:
    """Moving a subnet replaces everything in it, so these figures are fixed for ever."""
    assert plan_subnets("10.20.0.0/16", ["eu-west-1a", "eu-west-1c"]) == {
        "eu-west-1a": ZoneSubnets(public="10.20.0.0/20", private="10.20.128.0/20"),
        "eu-west-1c": ZoneSubnets(public="10.20.32.0/20", private="10.20.160.0/20"),
    }


def test_explicit_blocks_stand_in_for_the_planned() -> None:
    own = ZoneSubnets(public="10.0.255.0/27", private="10.0.254.0/24")
    plan = plan_subnets("10.0.0.0/16", ["eu-west-1a", "eu-west-1b"], {"eu-west-1b": own})
    assert plan["eu-west-1b"] == own
    assert plan["eu-west-1a"] == ZoneSubnets(public="10.0.0.0/20", private="10.0.128.0/20")


@pytest.mark.parametrize(
    ("cidr_block", "zones", "complaint"),
    [
        ("10.0.0.0/24", ["eu-west-1a"], r"cidr_block 10\.0\.0\.0/24 is too small for the zones: it must be /23"),
        ("10.0.0.0/15", ["eu-west-1a"], r"cidr_block 10\.0\.0\.0/15 is too large: a VPC takes /16 at most"),
        ("11.0.0.0/16", ["eu-west-1a"], r"must lie within 10\.0\.0\.0/8, .* \(RFC 1918\), got 11\.0\.0\.0/16"),
        ("172.32.0.0/16", ["eu-west-1a"], "RFC 1918"),
        ("10.0.0.1/16", ["eu-west-1a"], "cidr_block must be an IPv4 network such as .*: 10.0.0.1/16 has host bits set"),
        ("fd00::/16", ["eu-west-1a"], "cidr_block must be an IPv4 network"),
        ("", ["eu-west-1a"], "cidr_block must be an IPv4 network"),
        ("10.0.0.0/16", [], "zones must name at least one availability zone, got none"),
        ("10.0.0.0/16", ["eu-west-1a", "eu-west-1a"], "zones must differ, got eu-west-1a, eu-west-1a"),
        ("10.0.0.0/16", ["eu-west-1a", "us-east-1b"], "zones must all be of one region"),
        ("10.0.0.0/16", ["eu-west-1"], "zones must be availability zones .*, got 'eu-west-1'"),
        ("10.0.0.0/16", ["us-west-2-lax-1a"], "got 'us-west-2-lax-1a'"),
        ("10.0.0.0/16", ["euw1-az1"], "got 'euw1-az1'"),
    ],
)
def test_what_cannot_be_planned_is_refused(cidr_block: str, zones: list[str], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as refusal:
        plan_subnets(cidr_block, zones)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("zone", "own", "complaint"),
    [
        (
            "eu-west-1b",
            ("10.0.0.0/24", "10.0.64.0/24"),
            "public subnet of eu-west-1a .* overlaps public subnet of .*1b",
        ),
        ("eu-west-1b", ("10.0.64.0/24", "10.0.64.0/25"), "public subnet of .* overlaps private subnet of eu-west-1b"),
        ("eu-west-1b", ("10.1.0.0/24", "10.0.64.0/24"), "public subnet of eu-west-1b 10.1.0.0/24 lies outside"),
        ("eu-west-1b", ("10.0.64.0/24", "10.0.65.0/28"), "private subnet of .* is too small: it must be /27 or larger"),
        ("eu-west-1b", ("10.0.64.0/24", "10.0.65.0"), "private subnet of .* is too small"),
        ("eu-west-1b", ("10.0.64.0/24", "x"), "private subnet of eu-west-1b must be an IPv4 network"),
        ("eu-west-1z", ("10.0.64.0/24", "10.0.65.0/24"), "subnet_cidr_blocks names eu-west-1z, not among zones"),
    ],
)
def test_explicit_blocks_that_do_not_fit_are_refused(zone: str, own: tuple[str, str], complaint: str) -> None:
    public, private = own
    with pytest.raises(ValueError, match=complaint):
        plan_subnets("10.0.0.0/16", ["eu-west-1a", "eu-west-1b"], {zone: ZoneSubnets(public, private)})
