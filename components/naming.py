"""Names that several components share, how long one may be, and ports by colour."""

from collections.abc import Mapping

from .bounds import whole

COLOURS = ("blue", "green")
SWARM_PORTS = {"blue": 8081, "green": 8082}
"""Ports that the workers of a swarm publish a colour's tasks on, unless told otherwise."""
LOAD_BALANCING_NAME_MAX_LENGTH = 24  # AWS takes 32 for load balancers and target groups; Pulumi appends 8 characters


def short_name(name: str) -> str:
    """The logical name of a load balancer or target group, as given. Raises ValueError for one too long for AWS."""
    if len(name) > LOAD_BALANCING_NAME_MAX_LENGTH:
        raise ValueError(
            f"name {name!r} has {len(name)} characters; load balancers and target groups take"
            f" {LOAD_BALANCING_NAME_MAX_LENGTH} at most"
        )
    return name


def colour_ports(ports: Mapping[str, float]) -> dict[str, int]:
    """A TCP port by colour, in the colours' order. Raises ValueError unless there are two that differ."""
    if set(ports) != set(COLOURS):
        raise ValueError(f"ports must be for {' and '.join(COLOURS)}, got {', '.join(sorted(ports)) or 'none'}")
    found = {colour: whole(f"ports for {colour}", ports[colour], 1, 65535) for colour in COLOURS}
    if len(set(found.values())) < len(found):
        raise ValueError(f"ports must differ, since blue and green share servers, got {ports['blue']:g} for both")
    return found
