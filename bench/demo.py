"""A release and its rollback in the embedded cloud, under a load that one can watch.

    python -m bench.demo [--rate 100]

Brings up an embedded cloud of its own with dev in it, releases a new version step by step while requests come in, takes
it back, and ends the cloud. On a terminal the picture lives; elsewhere it is a line every two seconds. Exits with 1 if
a request failed.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.text import Text

from bench.cloud import Dev, Loaded, dev_stack, ended, said
from bench.samples import last_answer, percentile
from release.ledger import Colour, State
from release.machine import Phase

WINDOW_SECONDS = 2.0
"""What the picture tells of requests is about so long."""
TICK_SECONDS, PLAIN_TICK_SECONDS = 0.25, 2.0
QUIET_SECONDS, WARM_SECONDS = 3.0, 5.0
PHASE_SECONDS = 200.0
BAR = 40
LOST_LOCK = 7


@dataclass
class Show:
    """The picture: what is under way, who is live, and what users get."""

    dev: Dev
    loaded: Loaded
    draw: Callable[[str], None]
    tick_seconds: float
    title: str = ""

    def until(self, is_over: Callable[[], bool]) -> None:
        """Draws until then, at most as long as a phase may take."""
        deadline = time.monotonic() + PHASE_SECONDS
        while not is_over() and time.monotonic() < deadline:
            self.draw(self._picture())
            time.sleep(self.tick_seconds)

    def _while(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= ends)

    def play(self, new: str) -> float:
        """Releases a new image and takes it back; the seconds from that command to the new one's last answer."""
        self.title = "All requests go to the version that is live"
        self._while(QUIET_SECONDS)
        self.title = f"teal release start dev --image {new[:19]}…"
        start = self.dev.begin("release", "start", "dev", "--image", new, "--bake", "4s", "--keep-warm", "10m")
        self.until(lambda: start.poll() is not None or self._is_in(Phase.SETTLING))
        self._while(WARM_SECONDS)
        self.title = "teal release rollback dev --reason 'for show'"
        asked = time.monotonic()
        back = self.dev.begin("release", "rollback", "dev", "--reason", "for show")
        self.until(lambda: back.poll() is not None)
        ended(back, 0)
        ended(start, LOST_LOCK)
        self.title = "All requests are where they were"
        self._while(QUIET_SECONDS)
        return (last_answer(self.loaded.catch_up(), new) or asked) - asked

    def _is_in(self, phase: Phase) -> bool:
        release = self.dev.in_flight()
        return release is not None and release.phase is phase

    def _picture(self) -> str:
        state, now = self.dev.ledger.read(), time.monotonic()
        samples = self.loaded.catch_up()
        recent = [one for one in samples if one.ended > now - WINDOW_SECONDS]
        digests = Counter(one.digest for one in recent)
        waits = [one.seconds * 1000 for one in recent if one.kind != "slow"]
        failed = sum(one.is_failed for one in samples)
        phase = f"{state.release.phase}" if state.release else "no release in flight"
        head = f"{self.title}\n{phase}; {len(samples)} requests, {failed} failed"
        rate = f"{len(recent) / WINDOW_SECONDS:.0f} a second, p99 {percentile(waits, 99):.0f} ms"
        return "\n".join((f"{head}; {rate}", *_bars(state, digests)))


def _bars(state: State, answers: Counter[str]) -> Iterator[str]:
    total = max(1, sum(answers.values()))
    for colour in Colour:
        side = state.side(colour)
        share = answers[side.digest or "-"] / total
        role = "live" if colour is state.live else "idle"
        bar = "█" * round(share * BAR)
        yield f"  {colour:<5} {role}  weight {side.weight:>3} %  {bar:<{BAR}} {share:4.0%} of answers"


@contextmanager
def _canvas() -> Iterator[tuple[Callable[[str], None], float]]:
    console = Console()
    if not console.is_terminal:
        yield lambda text: print(text, flush=True), PLAIN_TICK_SECONDS
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda text: live.update(Text(text), refresh=True), TICK_SECONDS


def show(rate: float) -> bool:
    """The whole play; tells whether no request failed."""
    print("An embedded cloud of its own, and dev in it (about half a minute)", flush=True)
    with dev_stack() as dev:
        old, new = (dev.push(version) for version in ("1", "2"))
        dev.run("release", "start", "dev", "--image", old, "--steps", "100", "--bake", "0s", "--keep-warm", "0s")
        print(f"dev answers at {dev.url}", flush=True)
        with dev.load(rate) as loaded, _canvas() as (draw, tick_seconds):
            seconds = Show(dev, loaded, draw, tick_seconds).play(new)
            samples = loaded.end()
    failed = sum(one.is_failed for one in samples)
    print(f"{len(samples)} requests, {failed} failed; from `rollback` to the new version's last answer {seconds:.2f} s")
    return not failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Plays; exits with 1 if a request failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second (default 100)")
    return said(show, parser.parse_args(arguments).rate)


if __name__ == "__main__":
    sys.exit(main())
