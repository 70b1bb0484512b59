from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.instances import addresses
from localcloud.instances.addresses import RANGE, loopback_address
from localcloud.instances.errors import InstanceError

INSTANCES = st.lists(st.tuples(st.uuids().map(str), st.ip_addresses(v=4).map(str) | st.just("")), max_size=30)


def test_an_address_resembles_the_private_one() -> None:
    assert loopback_address("i-1", "10.0.1.23", {}) == "127.16.1.23"


def test_a_taken_address_makes_way_for_the_next() -> None:
    assert loopback_address("i-2", "10.0.1.23", {"i-1": "127.16.1.23"}) == "127.16.1.24"


def test_an_instance_keeps_its_address() -> None:
    assert loopback_address("i-1", "10.9.9.9", {"i-1": "127.16.1.23"}) == "127.16.1.23"


def test_without_a_private_address_the_id_decides() -> None:
    assert loopback_address("i-1", "", {}) == loopback_address("i-1", "", {})
    assert loopback_address("i-1", "", {}) != loopback_address("i-2", "", {})


@given(INSTANCES)
def test_no_two_instances_share_an_address(instances: list[tuple[str, str]]) -> None:
    given_out: dict[str, str] = {}
    for instance_id, private in instances:
        given_out[instance_id] = loopback_address(instance_id, private, given_out)
    assert len(set(given_out.values())) == len(given_out)
    assert all(IPv4Address(address) in RANGE for address in given_out.values())


def test_a_full_range_is_said_to_be_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "RANGE", IPv4Network("127.16.0.0/31"))
    with pytest.raises(InstanceError, match=r"every address of 127\.16\.0\.0/31 is in use"):
        loopback_address("i-3", "", {"i-1": "127.16.0.0", "i-2": "127.16.0.1"})


def test_an_address_that_somebody_else_listens_on_is_passed_over() -> None:
    assert loopback_address("i-1", "10.0.1.23", {}, lambda address: address != "127.16.1.23") == "127.16.1.24"
