"""Tables for people."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click

_STEPS = ((60, "s", 1), (3600, "m", 60), (86_400, "h", 3600))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their cells; a row may have one cell more than the header, which stands at its end."""
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=False)]
    for row in (header, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, *row[len(widths) :]]).rstrip())


def age(since: datetime | None) -> str:
    """How long ago, in one unit: 12s, 5m, 3h, 9d; - where nobody knows."""
    if since is None:
        return "-"
    seconds = max(0, int((datetime.now(UTC) - since).total_seconds()))
    for limit, unit, size in _STEPS:
        if seconds < limit:
            return f"{seconds // size}{unit}"
    return f"{seconds // 86_400}d"


def size(count: int) -> str:
    """Bytes in MiB."""
    return f"{count / 2**20:.1f} MiB"
