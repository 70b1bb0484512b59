"""Checks of numbers that a component takes; each error names the input, the value and what is allowed."""

LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180),
    *(365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
MANAGER_COUNTS = (1, 3, 5)
"""Managers of a swarm: an even number outlives no more losses than one less."""


def whole(field: str, value: float, lowest: int, highest: int) -> int:
    """The value as an int: component hosts hand whole numbers over as floats. Raises ValueError outside the bounds."""
    if not lowest <= value <= highest or int(value) != value:
        raise ValueError(f"{field} must be a whole number from {lowest} to {highest}, got {value:g}")
    return int(value)


def retention(field: str, days: float) -> int:
    """Days as an int that CloudWatch Logs can keep events for. Raises ValueError for any other number."""
    if days not in LOG_RETENTION_DAYS:
        raise ValueError(f"{field} must be one of {', '.join(map(str, LOG_RETENTION_DAYS))}, got {days:g}")
    return int(days)
