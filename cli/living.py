"""Draws on a terminal: lines with a coloured mark, and one line that changes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text


class Screen:
    """A console, standard error by default."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)

    def line(self, text: str, mark: str = "", colour: str = "") -> None:
        """A line that stays, after a mark in a colour."""
        line = Text.assemble((mark, colour), text)
        self._console.print(line, soft_wrap=True)  # a line that is broken in two is hard to search for

    @contextmanager
    def living(self) -> Iterator[Callable[[str], None]]:
        """A line that shows what it is given, until the block ends; lines that stay go above it."""
        with self._console.status("") as status:
            yield lambda text: status.update(Text(text))
