"""Names that several components share, and how long one may be."""

COLOURS = ("blue", "green")
LOAD_BALANCING_NAME_MAX_LENGTH = 24  # AWS takes 32 for load balancers and target groups; Pulumi appends 8 characters


def short_name(name: str) -> str:
    """The logical name of a load balancer or target group, as given. Raises ValueError for one too long for AWS."""
    if len(name) > LOAD_BALANCING_NAME_MAX_LENGTH:
        raise ValueError(
            f"name {name!r} has {len(name)} characters; load balancers and target groups take"
            f" {LOAD_BALANCING_NAME_MAX_LENGTH} at most"
        )
    return name
