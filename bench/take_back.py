"""Faulty versions of the app, released in the embedded cloud under a load: how soon are they taken back, at what cost.

    python -m bench.take_back [--faults errors,slow,crash] [--rate 200] [--after 20]

Each fault is one release at 5 % that nobody watches but the engine. Prints, for each, the seconds from the first bad
answer that a user got to the last one, and how many answers were bad. Exits with 1 if a bound does not hold.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.cloud import BenchFailed, Dev, Loaded, dev_stack, ended
from bench.fault import FAULTS
from bench.samples import Badness, Sample, badness, between

BOUND_SECONDS = 10.0
"""From the first bad answer to the last one, at 5 % of the requests; from the issue."""
ROLLED_BACK = 5
STEPS = "5,100"
CALM_SECONDS = 3.0
"""Of load alone, before and after each fault."""


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


def release(dev: Dev, loaded: Loaded, fault: str, digest: str, options: Sequence[str]) -> Outcome:
    """Releases a faulty version, and waits for its end. One that is not taken back is ended by hand."""
    time.sleep(CALM_SECONDS)
    began = time.monotonic()
    start = dev.begin("release", "start", "dev", "--image", digest, "--steps", STEPS, *options)
    told = ended(start)
    over = time.monotonic()
    print(
        "\n".join(f"    {line.strip()}" for line in told.splitlines() if "%" in line or "ROLLING" in line), flush=True
    )
    time.sleep(CALM_SECONDS)
    samples = between(loaded.catch_up(), began, over)
    bad = [one for one in samples if one.is_bad]
    return Outcome(fault, start.returncode, badness(samples), bad, len(bad) / len(samples))


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures; exits with 1 if a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", default=",".join(FAULTS), help=f"which (default {','.join(FAULTS)})")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second (default 200)")
    parser.add_argument("--after", type=int, default=20, help="requests that an instance answers well (default 20)")
    parser.add_argument("--share", type=float, default=0.5, help="of its later requests that suffer (default 0.5)")
    parser.add_argument("--bake", default="30s", help="of each step (default 30s)")
    given = parser.parse_args(arguments)
    faults = given.faults.split(",")
    if unknown := set(faults) - set(FAULTS):
        parser.error(f"--faults takes {', '.join(FAULTS)}, got {', '.join(sorted(unknown))}")
    try:
        with dev_stack() as dev:
            sound = dev.push("1-sound")
            dev.run("release", "start", "dev", "--image", sound, "--steps", "100", "--bake", "0s", "--keep-warm", "0s")
            print(f"dev is up at {dev.url}; {given.rate:g} requests a second", flush=True)
            with dev.load(given.rate) as loaded:
                holds = True
                for number, fault in enumerate(faults):
                    variables = {"BENCH_FAULT": fault, "BENCH_AFTER": str(given.after), "BENCH_SHARE": str(given.share)}
                    digest = dev.push(f"2-{number}-{fault}", variables)
                    outcome = release(dev, loaded, fault, digest, ("--bake", given.bake))
                    print(outcome, flush=True)
                    holds &= outcome.holds
        return 0 if holds else 1
    except BenchFailed as error:
        print(f"the bench failed: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
