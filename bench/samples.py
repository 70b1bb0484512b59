"""What clients got, as values: one sample a request, and the figures that are made of many. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

FIELD_BREAK = "\t"
TOO_SLOW_SECONDS = 1.0
"""From here on an answer that should come at once is a bad one."""


class Kind(StrEnum):
    """How a request is made."""

    KEPT = "kept"
    """On a connection that was used before."""
    NEW = "new"
    """On a connection of its own."""
    UPLOAD = "upload"
    """With a body that comes in pieces."""
    SLOW = "slow"
    """One whose answer takes five seconds."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request. Times are seconds of the machine's monotonic clock, which all processes share."""

    kind: Kind
    due: float
    """When it was to be made: what a client waits begins there, also where the load itself is late."""
    ended: float
    status: int
    """0 where no whole answer came."""
    digest: str
    """Image that answered, where the answer says so."""
    problem: str
    """What went wrong; empty for an answer of 200."""

    @property
    def seconds(self) -> float:
        """How long the client waited."""
        return self.ended - self.due

    @property
    def is_failed(self) -> bool:
        """Whether the client did not get what it asked for."""
        return bool(self.problem)

    @property
    def is_bad(self) -> bool:
        """Whether a user would call it bad: failed, or slow where it should not be."""
        return self.is_failed or (self.kind is not Kind.SLOW and self.seconds > TOO_SLOW_SECONDS)

    def line(self) -> str:
        """The sample as a line of text."""
        times = (f"{self.due:.4f}", f"{self.ended:.4f}")
        return FIELD_BREAK.join((self.kind, *times, str(self.status), self.digest, " ".join(self.problem.split())))


def sample_of(line: str) -> Sample:
    """The sample of a line. Raises ValueError for anything else."""
    kind, due, ended, status, digest, problem = line.rstrip("\n").split(FIELD_BREAK)
    return Sample(Kind(kind), float(due), float(ended), int(status), digest, problem)


def percentile(values: Iterable[float], percent: float) -> float:
    """The least of the values that so many percent of them do not exceed; nan of none.

    >>> percentile([3, 1, 2], 50), percentile([1, 2, 3, 4], 99), percentile([5], 0)
    (2, 4, 5)
    """
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


@dataclass(frozen=True, slots=True)
class Waits:
    """How long clients waited, in milliseconds, but for requests that are slow on purpose."""

    count: int
    p50: float
    p99: float

    def __str__(self) -> str:
        return f"p50 {self.p50:6.1f} ms, p99 {self.p99:7.1f} ms ({self.count} requests)"


def waits(samples: Iterable[Sample]) -> Waits:
    """The waits of samples."""
    found = [sample.seconds * 1000 for sample in samples if sample.kind is not Kind.SLOW]
    return Waits(len(found), percentile(found, 50), percentile(found, 99))


def between(samples: Iterable[Sample], start: float, end: float) -> list[Sample]:
    """Those that were due in a stretch of time."""
    return [sample for sample in samples if start <= sample.due < end]


def last_answer(samples: Iterable[Sample], digest: str) -> float | None:
    """When an image answered last, leaving out requests that are slow on purpose; None if it never did."""
    return max((one.ended for one in samples if one.digest == digest and one.kind is not Kind.SLOW), default=None)


def is_fault(sample: Sample, sound: str) -> bool:
    """Whether an answer is bad, and not just late from the sound image."""
    return sample.is_failed or (sample.is_bad and sample.digest != sound)


@dataclass(frozen=True, slots=True)
class Badness:
    """The bad answers of a stretch of time."""

    bad: int
    answers: int
    """All answers from the first bad one to the last."""
    seconds: float
    """From the first bad answer to the last one."""

    @property
    def share(self) -> float:
        """Bad ones among all answers, 0 to 1."""
        return self.bad / self.answers if self.answers else 0.0


def badness(samples: Sequence[Sample], sound: str) -> Badness:
    """How long users got bad answers, and how many. Late answers of the sound image are the machine's doing."""
    ends = [sample.ended for sample in samples if is_fault(sample, sound)]
    if not ends:
        return Badness(0, 0, 0.0)
    first, last = min(ends), max(ends)
    return Badness(len(ends), sum(first <= sample.ended <= last for sample in samples), last - first)
