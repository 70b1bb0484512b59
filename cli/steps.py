"""Progress on standard error: what is being done, for how long already, and how long it usually takes."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from cli.living import Screen

FIRST_SECONDS = 1.0
"""What is over sooner gets no living line: what draws it takes a while to load, and the way back has no while."""
TICK_SECONDS = 0.2
PLAIN_TICK_SECONDS = 10.0
"""Without a terminal a line every ten seconds is enough to see that something goes on."""
LONG_SECONDS = 2.0
"""What takes longer says that it is under way."""


class Step:
    """One thing under way, with a word on how far it is."""

    def __init__(self, what: str, usual_seconds: float = 0.0) -> None:
        self.what, self.usual_seconds, self.detail = what, usual_seconds, ""
        self.below = ""
        """Lines that stand below it on a terminal, while it runs."""
        self.is_typical = True
        """Whether its duration tells how long it will take the next time."""
        self.started = self._since = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since it started."""
        return time.monotonic() - self.started

    def turn_to(self, detail: str, elapsed_seconds: float, usual_seconds: float) -> None:
        """From now on the time shown is that of a part of it, which has run for so long already."""
        self.detail, self.usual_seconds = detail, usual_seconds
        self._since = time.monotonic() - elapsed_seconds

    def __str__(self) -> str:
        shown = _duration(time.monotonic() - self._since)
        usual = f", usually {_duration(self.usual_seconds)}" if self.usual_seconds else ""
        return f"{self._head}({shown}{usual})"

    @property
    def whole(self) -> str:
        """It, and the lines below it."""
        return f"{self}\n{self.below}" if self.below else str(self)

    @property
    def begun(self) -> str:
        """It, as it begins."""
        return f"{self._head}(usually {_duration(self.usual_seconds)})"

    @property
    def ended(self) -> str:
        """It, and how long it took."""
        return f"{self._head}({_duration(self.elapsed)})"

    @property
    def _head(self) -> str:
        return f"{self.what} · {self.detail} " if self.detail else f"{self.what} "


class Steps:
    """Shows steps one after the other, and remembers how long each took, for the next time. A context manager.

    On a terminal the step under way is one living line. Elsewhere it is a plain line as it begins, if it usually takes
    more than two seconds, and then one every ten.
    """

    def __init__(self, memory: Path, console: "Console | None" = None) -> None:
        """`memory` is the file of usual durations; without it, or unreadable, the given ones count.

        Shown on standard error, unless a console is given.
        """
        self._memory, self._console = memory, console
        self._screen: Screen | None = None
        self._is_terminal = sys.stderr.isatty() if console is None else console.is_terminal
        self._usual = _read(memory)
        self._current: Step | None = None
        self._said_at: float | None = None
        self._lock = threading.RLock()  # a signal handler may remark while a line is being said
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._show, daemon=True)

    @contextmanager
    def step(self, what: str, usual_seconds: float = 0.0, *, leaves_line: bool = True) -> Iterator[Step]:
        """One step: shown while it runs; its line stays when it is done."""
        step = Step(what, self._usual.get(what, usual_seconds))
        self._begin(step)
        try:
            yield step
        except BaseException:  # Ctrl-C, too, leaves a red line
            self._end("✗ ", "red", step.ended if leaves_line else None)
            raise
        self._end("✓ ", "green", step.ended if leaves_line else None)
        if step.is_typical:
            self._usual[what] = round(step.elapsed, 1)

    def remark(self, text: str) -> None:
        """A line of its own."""
        with self._lock:
            self._print(f"  {text}")

    def __enter__(self) -> "Steps":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        try:
            self._memory.write_text(json.dumps(self._usual))
        except OSError:
            return  # how long a step took is a nicety: no reason to fail

    def _begin(self, step: Step) -> None:
        with self._lock:
            self._current, self._said_at = step, None
            if step.usual_seconds > LONG_SECONDS and not self._is_terminal:
                self._say(step.begun)

    def _end(self, mark: str, colour: str, line: str | None) -> None:
        with self._lock:
            self._current = None
            if line:
                self._drawn().line(line, mark, colour)

    def _show(self) -> None:
        if not self._is_terminal:
            self._show_plainly()
            return
        if self._stop.wait(FIRST_SECONDS):
            return
        with self._lock:
            screen = self._drawn()
        with screen.living() as show:
            while not self._stop.wait(TICK_SECONDS):
                show(self._current.whole if self._current else "")

    def _show_plainly(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            with self._lock:
                if self._current and self._is_due(self._current):
                    self._say(str(self._current))

    def _is_due(self, step: Step) -> bool:
        if self._said_at is None:
            return step.elapsed > LONG_SECONDS
        return time.monotonic() - self._said_at >= PLAIN_TICK_SECONDS

    def _say(self, text: str) -> None:
        self._said_at = time.monotonic()
        self._print(f"… {text}")

    def _print(self, line: str) -> None:
        if self._screen is None and self._console is None:
            click.echo(line, err=True)
        else:
            self._drawn().line(line)

    def _drawn(self) -> "Screen":
        if self._screen is None:
            from cli.living import Screen

            self._screen = Screen(self._console)
        return self._screen


def _read(memory: Path) -> dict[str, float]:
    try:
        found = json.loads(memory.read_text())
        return {str(what): float(seconds) for what, seconds in found.items()} if isinstance(found, dict) else {}
    except (OSError, ValueError, TypeError):
        return {}


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
