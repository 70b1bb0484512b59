"""What security groups let through, by all the ways in which a program can say it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import types
from pipeline.openings import Opening, Peer, openings, widened
from pipeline.secrets import UNKNOWN

HTTPS = {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443}
OFFICE = {**HTTPS, "cidrIpv4": "10.0.0.0/16"}


def told(inputs: dict[str, Any], type_name: str = types.INGRESS_RULE) -> list[str]:
    return [str(opening) for opening in openings(type_name, inputs)]


def is_wider(before: dict[str, Any], after: dict[str, Any]) -> bool:
    return bool(widened(openings(types.INGRESS_RULE, before), openings(types.INGRESS_RULE, after)))


def test_a_rule_is_told_in_words() -> None:
    assert told(OFFICE) == ["tcp 443 from 10.0.0.0/16"]
    assert told({**OFFICE, "toPort": 8443.0}) == ["tcp 443 to 8443 from 10.0.0.0/16"]
    assert told({"ipProtocol": "-1", "cidrIpv6": "::/0"}) == ["all traffic from ::/0"]
    assert told({"ipProtocol": "udp", "cidrIpv4": "0.0.0.0/0"}) == ["all udp from 0.0.0.0/0"]
    assert told({**HTTPS, "prefixListId": "pl-0123456789"}, types.EGRESS_RULE) == ["tcp 443 to pl-0123456789"]
    assert told({**HTTPS, "referencedSecurityGroupId": UNKNOWN}) == ["tcp 443 from a group known in the update"]
    assert told({**HTTPS, "cidrIpv4": "my password"}) == ["tcp 443 from a network"]


def test_rules_within_a_group_and_rules_of_the_old_type_are_read_as_well() -> None:
    item = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["10.0.0.0/8", "::/0"], "self": True}
    lines = ["tcp 22 from 10.0.0.0/8", "tcp 22 from ::/0", "tcp 22 from itself"]
    assert told({"ingress": [item]}, types.GROUP) == lines
    assert told({"type": "ingress", **item}, types.GROUP_RULE) == lines
    assert told({"type": "egress", **item}, types.GROUP_RULE)[0] == "tcp 22 to 10.0.0.0/8"
    assert told({"egress": [{**item, "protocol": "all"}]}, types.DEFAULT_GROUP)[0] == "all traffic to 10.0.0.0/8"
    assert told({"ingress": UNKNOWN}, types.GROUP) == ["all traffic from a network known in the update"]


@pytest.mark.parametrize(
    "change",
    [
        {"cidrIpv4": "10.0.0.0/8"},
        {"cidrIpv4": "0.0.0.0/0"},
        {"cidrIpv4": "10.1.0.0/16"},
        {"cidrIpv4": UNKNOWN},
        {"fromPort": 80},
        {"toPort": UNKNOWN},
        {"ipProtocol": "-1"},
        {"ipProtocol": "udp"},
        {"cidrIpv6": "fd00::/8"},
        {"referencedSecurityGroupId": "sg-01234567"},
    ],
)
def test_more_than_before_is_wider(change: dict[str, Any]) -> None:
    assert is_wider(OFFICE, {**OFFICE, **change})


@pytest.mark.parametrize("change", [{}, {"cidrIpv4": "10.0.7.0/24"}, {"ipProtocol": "6"}, {"description": "Shop"}])
def test_the_same_or_less_is_not(change: dict[str, Any]) -> None:
    assert not is_wider(OFFICE, {**OFFICE, **change})


def test_a_group_that_gets_another_id_is_the_same_one() -> None:
    before = {**HTTPS, "referencedSecurityGroupId": "sg-01234567"}
    assert not is_wider(before, {**HTTPS, "referencedSecurityGroupId": UNKNOWN})
    assert is_wider(before, {**HTTPS, "referencedSecurityGroupId": "sg-76543210"})


def test_what_is_open_to_everyone_is_told_first() -> None:
    items = [{"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["10.0.0.0/8", "0.0.0.0/0"]}]
    found = widened([], openings(types.GROUP, {"ingress": items}))
    assert [opening.source for opening in found] == ["0.0.0.0/0", "10.0.0.0/8"]


network = st.builds(
    lambda address, bits: (
        f"{address >> 24 & 255}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}/{bits}"
        if not address & ((1 << (32 - bits)) - 1)
        else "0.0.0.0/0"
    ),
    st.integers(0, 2**32 - 1).map(lambda number: number & 0xFFFF0000),
    st.integers(8, 32),
)
opening = st.builds(
    Opening,
    st.booleans(),
    st.sampled_from(("tcp", "udp", "-1")),
    st.tuples(st.integers(0, 99), st.integers(100, 200)),
    st.just(Peer.NETWORK),
    network,
)


@given(opening, opening, opening)
def test_covering_is_an_order(first: Opening, second: Opening, third: Opening) -> None:
    assert first.covers(first)
    if first.covers(second) and second.covers(third):
        assert first.covers(third)


@given(st.lists(opening, max_size=4), st.lists(opening, max_size=4))
def test_taking_rules_away_never_widens(kept: list[Opening], dropped: list[Opening]) -> None:
    assert widened([*kept, *dropped], kept) == []
