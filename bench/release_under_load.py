"""Releases and rollbacks of dev in the embedded cloud under a mixed load: does a request fail, how fast is a rollback.

    python -m bench.release_under_load [--releases 20] [--rollbacks 20] [--rate 200]

Each round releases the other of two images to its end, or as far as all requests are with it and then takes it back
with `teal release rollback`. Prints every round as it ends, and at last the figures: requests and failures by kind,
waits before, during and after, and seconds from the rollback command to the last answer of the bad image. Exits with 1
if a bound does not hold.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bench.cloud import BenchFailed, Dev, Loaded, dev_stack, ended, said
from bench.samples import Kind, Sample, between, last_answer, percentile, waits
from release.machine import Event, Phase

ROLLBACK_BOUND_SECONDS = 1.0
"""From command to the last answer of the bad image, for 99 % of rollbacks; from the issue."""
RATE_BOUND = 0.98
"""Least share of the rate asked for that must really have been made: else the load was too much for the machine."""
PHASE_SECONDS = 200.0
LOST_LOCK = 7
SHOWN_FAILURES = 20


@dataclass(frozen=True)
class Wish:
    """What is asked of the bench."""

    releases: int
    rollbacks: int
    rate: float
    quiet_seconds: float
    """Of load alone, before and after."""
    moved_seconds: float
    """Between the end of a release's last step and its rollback."""
    pace: Sequence[str]
    """Options of `teal release start`."""


@dataclass
class Found:
    """What was measured."""

    started: float = field(default_factory=time.monotonic)
    first: float = 0.0
    """When the first round began."""
    last: float = 0.0
    """When the last round ended."""
    releases: int = 0
    way_back: list[float] = field(default_factory=list)
    """Seconds from command to the last answer of the bad image, by rollback."""


@dataclass
class Bench:
    """Rounds on one stack."""

    dev: Dev
    wish: Wish
    loaded: Loaded
    found: Found = field(default_factory=Found)

    def run(self, images: Sequence[str]) -> Found:
        """All rounds, between two quiet stretches."""
        found, wish = self.found, self.wish
        time.sleep(wish.quiet_seconds)
        found.first = time.monotonic()
        for number, is_release in enumerate(rounds(wish.releases, wish.rollbacks), 1):
            live = self._live()
            other = next(image for image in images if image != live)
            began = time.monotonic()
            told = self._release(other) if is_release else self._take_back(other)
            samples = between(self.loaded.catch_up(), began, time.monotonic())
            problems = sum(one.is_failed for one in samples)
            longest = max(one.seconds for one in samples if one.kind is not Kind.SLOW)
            print(
                f"{number:3} of {wish.releases + wish.rollbacks}: {told}; "
                f"{problems} failed, longest wait {longest:.2f} s "
                f"({time.monotonic() - began:.0f} s, {time.monotonic() - found.started:.0f} s in all)",
                flush=True,
            )
        found.last = time.monotonic()
        time.sleep(wish.quiet_seconds)
        return found

    def _live(self) -> str | None:
        state = self.dev.ledger.read()
        return state.side(state.live).digest

    def _release(self, image: str) -> str:
        self.dev.run("release", "start", "dev", "--image", image, *self.wish.pace, "--keep-warm", "0s")
        self.found.releases += 1
        return "released to the end"

    def _take_back(self, bad: str) -> str:
        start = self.dev.begin("release", "start", "dev", "--image", bad, *self.wish.pace, "--keep-warm", "10m")
        self.dev.await_phase(Phase.SETTLING, start, PHASE_SECONDS)
        time.sleep(self.wish.moved_seconds)
        asked, asked_at = time.monotonic(), datetime.now(UTC)
        self.dev.run("release", "rollback", "dev", "--reason", "bench")
        ended(start, LOST_LOCK)
        self.found.releases += 1
        last = last_answer(between(self.loaded.catch_up(), asked - 60, asked + 60), bad)
        if last is None:
            raise BenchFailed("the bad image never answered: nothing was measured")
        self.found.way_back.append(last - asked)
        noted = max(entry.at for entry in self.dev.ledger.history() if entry.event == Event.TAKEN_BACK)
        intent = (noted - asked_at).total_seconds()
        return (
            f"taken back: intent noted {intent:.2f} s after the command, last bad answer {last - asked:.2f} s after it"
        )


def rounds(releases: int, rollbacks: int) -> Iterator[bool]:
    """Whether each round is a release to the end: in turn, so that a slow moment of the machine hits both.

    >>> list(rounds(2, 3))
    [True, False, True, False, False]
    """
    for number in range(max(releases, rollbacks)):
        if number < releases:
            yield True
        if number < rollbacks:
            yield False


def report(wish: Wish, found: Found, samples: Sequence[Sample]) -> bool:
    """Prints the figures, and tells whether the bounds hold."""
    counts, failed = Counter(one.kind for one in samples), [one for one in samples if one.is_failed]
    wrong = Counter(one.kind for one in failed)
    seconds = max(one.due for one in samples) - min(one.due for one in samples)
    rate = len(samples) / seconds
    print(f"\n{len(samples)} requests in {seconds:.0f} s, {rate:.1f} a second; {found.releases} releases, ", end="")
    print(f"{len(found.way_back)} rollbacks by command")
    for kind in Kind:
        took = [one.seconds * 1000 for one in samples if one.kind is kind]
        figures = (
            f"p50 {percentile(took, 50):.0f} ms, p99 {percentile(took, 99):.0f} ms, most {max(took, default=0):.0f} ms"
        )
        print(f"  {kind:7} {counts[kind]:7} requests, {wrong[kind]} failed; {figures}")
    for one in failed[:SHOWN_FAILURES]:
        print(f"  failed {one.ended - found.first:8.2f} s after the first round began: {one.kind} {one.problem}")
    stretches = (("before", 0.0, found.first), ("during", found.first, found.last), ("after", found.last, float("inf")))
    for name, start, end in stretches:
        print(f"  {name:7} {waits(between(samples, start, end))}")
    holds = _verdict("failed requests", len(failed), 0, "")
    holds &= _verdict("too few requests a second", max(0.0, wish.rate * RATE_BOUND - rate), 0, "")
    return holds & _way_back(found.way_back)


def _way_back(seconds: Sequence[float]) -> bool:
    if not seconds:
        return True
    p50, p99 = percentile(seconds, 50), percentile(seconds, 99)
    print(
        f"  from rollback command to the last bad answer: p50 {p50:.2f} s, p99 {p99:.2f} s, most {max(seconds):.2f} s"
    )
    return _verdict("rollback, p99", p99, ROLLBACK_BOUND_SECONDS, " s")


def _verdict(what: str, found: float, bound: float, unit: str) -> bool:
    print(f"{what}: {found:.3g}{unit} (bound: {bound:g}{unit}) {'holds' if found <= bound else 'FAILS'}")
    return found <= bound


def measure(wish: Wish) -> bool:
    """Does what is asked on a stack of its own, prints the figures, and tells whether the bounds hold."""
    with dev_stack() as dev:
        print(f"dev is up at {dev.url}; {wish.rate:g} requests a second", flush=True)
        images = [dev.push(f"1-{name}") for name in "ab"]
        dev.run("release", "start", "dev", "--image", images[0], *wish.pace, "--keep-warm", "0s")
        with dev.load(wish.rate) as loaded:
            found = Bench(dev, wish, loaded).run(images)
            samples = loaded.end()
    return report(wish, found, samples)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures; exits with 1 if a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--releases", type=int, default=20, help="releases to the end (default 20)")
    parser.add_argument("--rollbacks", type=int, default=20, help="releases that are taken back (default 20)")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second (default 200)")
    parser.add_argument("--quiet-seconds", type=float, default=10.0, help="load alone, before and after (default 10)")
    parser.add_argument("--moved-seconds", type=float, default=1.0, help="before a rollback is asked for (default 1)")
    parser.add_argument("--steps", default="5,50,100", help="of each release (default 5,50,100)")
    parser.add_argument("--bake", default="1s", help="of each step (default 1s)")
    given = parser.parse_args(arguments)
    pace = ("--steps", given.steps, "--bake", given.bake)
    wish = Wish(given.releases, given.rollbacks, given.rate, given.quiet_seconds, given.moved_seconds, pace)
    return said(measure, wish)


if __name__ == "__main__":
    sys.exit(main())
