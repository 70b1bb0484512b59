"""Progress on standard error: what is being done, for how long already, and how long it usually takes."""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from rich.console import Console

TICK_SECONDS = 0.2
PLAIN_TICK_SECONDS = 10.0
"""Without a terminal a line every ten seconds is enough to see that something goes on."""


class Step:
    """One thing under way, with a word on how far it is."""

    def __init__(self, what: str, usual_seconds: float) -> None:
        self.what, self.usual_seconds, self.detail = what, usual_seconds, ""
        self.started = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds since it started."""
        return time.monotonic() - self.started

    def __str__(self) -> str:
        detail = f" · {self.detail}" if self.detail else ""
        usual = f", usually {_duration(self.usual_seconds)}" if self.usual_seconds else ""
        return f"{self.what}{detail} ({_duration(self.elapsed)}{usual})"


class Steps:
    """Shows steps one after the other, and remembers how long each took, for the next time. A context manager."""

    def __init__(self, memory: Path, console: Console | None = None) -> None:
        """`memory` is the file of usual durations; without it, or unreadable, the given ones count."""
        self._memory, self._console = memory, console or Console(stderr=True, highlight=False)
        self._current: Step | None = None
        self._stop = threading.Event()
        self._usual = _read(memory)

    @contextmanager
    def step(self, what: str, usual_seconds: float = 0.0) -> Iterator[Step]:
        """One step: shown while it runs; its line stays when it is done."""
        step = Step(what, self._usual.get(what, usual_seconds))
        self._current = step
        try:
            yield step
        except BaseException:
            self._current = None
            self._console.print(f"[red]✗[/] {step}")
            raise
        self._current = None
        detail = f" · {step.detail}" if step.detail else ""
        self._console.print(f"[green]✓[/] {step.what}{detail} ({_duration(step.elapsed)})")
        self._usual[what] = round(step.elapsed, 1)

    def remark(self, text: str) -> None:
        """A line of its own."""
        self._console.print(f"  {text}")

    def __enter__(self) -> "Steps":
        self._thread = threading.Thread(target=self._show, daemon=True)
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

    def _show(self) -> None:
        if not self._console.is_terminal:
            self._show_plainly()
            return
        with self._console.status("") as status:
            while not self._stop.wait(TICK_SECONDS):
                status.update(str(self._current) if self._current else "")

    def _show_plainly(self) -> None:
        while not self._stop.wait(PLAIN_TICK_SECONDS):
            if self._current:
                self._console.print(f"… {self._current}")
                sys.stderr.flush()


def _read(memory: Path) -> dict[str, float]:
    try:
        found = json.loads(memory.read_text())
    except (OSError, ValueError):
        return {}
    return {str(what): float(seconds) for what, seconds in found.items()} if isinstance(found, dict) else {}


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
