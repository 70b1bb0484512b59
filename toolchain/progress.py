"""What is going on, as events: the command line shows them, this package prints nothing."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One step under way; sent when it starts and then about once a second. usual_seconds 0: a remark, not a step."""

    what: str
    elapsed_seconds: float = 0.0
    usual_seconds: float = 0.0


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Reports nothing."""
