"""Gives each instance a loopback address of its own, so that all can listen on the same port."""

import hashlib
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from localcloud.instances.errors import InstanceError

RANGE = IPv4Network("127.16.0.0/12")
"""Far from 127.0.0.1 and its neighbours, where the machine's own services listen."""


def anybody(_: str) -> bool:
    """Takes every address for free."""
    return True


def loopback_address(
    instance_id: str, private_address: str, in_use: Mapping[str, str], is_free: Callable[[str], bool] = anybody
) -> str:
    """The address of an instance, within 127.16.0.0 to 127.31.255.255.

    in_use has the addresses given so far, by instance; an instance among them keeps its own. Otherwise the last 20 bits
    are those of its private address (10.0.1.23 becomes 127.16.1.23), or, where it has none, of its id's hash; when that
    is taken, the next free one. Two stacks have the same private addresses, so being taken is ordinary; `is_free` tells
    of others on this machine, such as a second embedded cloud.
    Raises InstanceError when all million are in use.
    """
    if instance_id in in_use:
        return in_use[instance_id]
    taken = set(in_use.values())
    first = _wanted(instance_id, private_address)
    for step in range(RANGE.num_addresses):
        address = str(RANGE[(first + step) % RANGE.num_addresses])
        if address not in taken and is_free(address):
            return address
    raise InstanceError(f"every address of {RANGE} is in use, so {instance_id} cannot have one")


def _wanted(instance_id: str, private_address: str) -> int:
    try:
        number = int(IPv4Address(private_address))
    except AddressValueError:
        number = int.from_bytes(hashlib.sha256(instance_id.encode()).digest()[:4])
    return number % RANGE.num_addresses
