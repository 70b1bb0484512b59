"""Faulty versions of the app, released in the embedded cloud under a load: how soon are they taken back, at what cost.

    python -m bench.take_back [--faults errors,crash,slow] [--rate 200] [--after 20]

Each fault is one release at 5 % that nobody watches but the engine. Prints, for each, the seconds from the first bad
answer that a user got to the last one, and how many answers were bad. Exits with 1 if a bound does not hold.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.cloud import BenchFailed, Dev, Loaded, dev_stack, ended, said
from bench.fault import FAULTS
from bench.samples import Badness, Sample, badness, between, is_fault
from cli.failures import REFUSED, ROLLED_BACK

BOUND_SECONDS = 10.0
"""From the first bad answer to the last one, at 5 % of the requests; from the issue."""
QUIET_SECONDS = 240.0
"""Until alarms are quiet again."""
STEPS = "5,100"
CALM_SECONDS = 3.0
"""Of load alone, before and after each fault."""


@dataclass(frozen=True)
class Wish:
    """What is asked of the bench."""

    faults: Sequence[str]
    rate: float
    after: int
    share: float
    bake: str


@dataclass(frozen=True)
class Outcome:
    """What came of one faulty version."""

    fault: str
    code: int
    """Exit code of its release."""
    badness: Badness
    bad: Sequence[Sample]
    share: float
    """Bad answers among all from the start of the release to its end."""

    @property
    def holds(self) -> bool:
        """Whether it was taken back in time; one that hurt nobody was not measured."""
        return self.code == ROLLED_BACK and self.badness.bad > 0 and self.badness.seconds <= BOUND_SECONDS

    def __str__(self) -> str:
        ways = Counter(one.problem[:60] or "slow" for one in self.bad).most_common(4)
        told = "; ".join(f"{count} x {problem}" for problem, count in ways) or "none"
        return (
            f"{self.fault}: {'taken back' if self.code == ROLLED_BACK else f'NOT taken back (exit {self.code})'}; "
            f"{self.badness.seconds:.1f} s from first to last bad answer (bound: {BOUND_SECONDS:g} s), "
            f"{self.badness.bad} bad = {self.badness.share:.1%} of the answers of that time, "
            f"{self.share:.2%} of the whole release's: {'holds' if self.holds else 'FAILS'}\n    {told}"
        )


def release(dev: Dev, loaded: Loaded, wish: Wish, fault: str, sound: str) -> Outcome:
    """Releases a faulty version in the place of a sound one, and waits for the end of that."""
    variables = {"BENCH_FAULT": fault, "BENCH_AFTER": str(wish.after), "BENCH_SHARE": str(wish.share)}
    digest = dev.push(f"2-{fault}", variables)
    _await_quiet_alarms(dev, digest)
    time.sleep(CALM_SECONDS)
    began = time.monotonic()
    start = dev.begin("release", "start", "dev", "--image", digest, "--steps", STEPS, "--bake", wish.bake)
    told = ended(start)
    over = time.monotonic()
    print("\n".join(f"    {line.strip()}" for line in told.splitlines() if line.startswith("  ")), flush=True)
    time.sleep(CALM_SECONDS)
    samples = between(loaded.catch_up(), began, over)
    bad = [one for one in samples if is_fault(one, sound)]
    return Outcome(fault, start.returncode, badness(samples, sound), bad, len(bad) / len(samples))


def _await_quiet_alarms(dev: Dev, digest: str) -> None:
    """Waits until the gates are open: alarms that the version before set off quieten in a minute or two."""
    deadline = time.monotonic() + QUIET_SECONDS
    while True:
        plan = dev.begin("release", "plan", "dev", "--image", digest)
        told = ended(plan)
        if plan.returncode != REFUSED:
            return
        if time.monotonic() > deadline:
            raise BenchFailed(f"the gates are closed after {QUIET_SECONDS:g} s:\n{told}")
        time.sleep(CALM_SECONDS)


def measure(wish: Wish) -> bool:
    """Releases each faulty version after the other, and tells whether all were taken back in time."""
    with dev_stack() as dev:
        sound = dev.push("1-sound")
        dev.run("release", "start", "dev", "--image", sound, "--steps", "100", "--bake", "0s", "--keep-warm", "0s")
        print(f"dev is up at {dev.url}; {wish.rate:g} requests a second", flush=True)
        outcomes = []
        with dev.load(wish.rate) as loaded:
            for fault in wish.faults:
                outcomes.append(release(dev, loaded, wish, fault, sound))
                print(outcomes[-1], flush=True)
                if outcomes[-1].code != ROLLED_BACK:
                    break  # a faulty version is live: what follows would measure that
    return all(outcome.holds for outcome in outcomes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures; exits with 1 if a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", default=",".join(FAULTS), help=f"which (default {','.join(FAULTS)})")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second (default 200)")
    parser.add_argument("--after", type=int, default=20, help="requests that an instance answers well (default 20)")
    parser.add_argument("--share", type=float, default=0.5, help="of its later requests that suffer (default 0.5)")
    parser.add_argument("--bake", default="30s", help="of each step (default 30s)")
    given = parser.parse_args(arguments)
    wish = Wish(given.faults.split(","), given.rate, given.after, given.share, given.bake)
    if unknown := set(wish.faults) - set(FAULTS):
        parser.error(f"--faults takes {', '.join(FAULTS)}, got {', '.join(sorted(unknown))}")
    return said(measure, wish)


if __name__ == "__main__":
    sys.exit(main())
