"""What an engine's process is told to do, and what it says at its end: JSON lines on both sides."""

import json
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum

from release.clock import PausableClock


class Do(StrEnum):
    """What an engine may be started for, as the commands of that name do it."""

    RELEASE = "release"
    RESUME = "resume"
    ABORT = "abort"


class Harm(StrEnum):
    """What a process does to itself at a call."""

    NONE = "none"
    KILL = "SIGKILL"
    STOP = "SIGSTOP"


class When(StrEnum):
    """Where at a call the harm happens: a call's fence, if it has one, is asked between FIRST and BEFORE."""

    FIRST = "first"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Harm at the n-th call, from 1, of those whose name (such as dynamodb.GetItem) ends so."""

    harm: Harm = Harm.NONE
    when: When = When.BEFORE
    number: int = 0
    call: str = ""


NO_FAULT = Fault()


@dataclass(frozen=True, kw_only=True)
class Pace:
    """A clock that runs `rate` times as fast as the machine's from `epoch` on, `ahead` seconds before all others."""

    epoch: float
    rate: float
    ahead: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """One engine's life."""

    name: str
    do: Do
    table: str
    listener_arn: str
    blue_arn: str
    green_arn: str
    pace: Pace
    steps: tuple[int, ...] = (50, 100)
    bake_seconds: float = 0.0
    warm_seconds: float = 0.0
    ready_seconds: float = 600.0
    start_at: float = 0.0
    """Time of day before which it calls nobody."""
    fault: Fault = NO_FAULT

    def as_line(self) -> str:
        """The job on one line."""
        return json.dumps(asdict(self))


def job_of(line: str) -> Job:
    """The job that as_line wrote."""
    found = json.loads(line)
    fault = found.pop("fault")
    return Job(
        **{
            **found,
            "do": Do(found["do"]),
            "steps": tuple(found["steps"]),
            "pace": Pace(**found["pace"]),
            "fault": Fault(**{**fault, "harm": Harm(fault["harm"]), "when": When(fault["when"])}),
        }
    )


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How an engine's process ended."""

    status: int
    """As waitpid has it, turned into an exit code: the negative number of a signal."""
    outcome: str = ""
    """The last phase, or the name of what was raised; empty where the process could not say."""
    why: str = ""
    calls: int = 0
    """Calls that it made."""
    looks: int = 0
    """Looks of its engine."""


class FastClock(PausableClock):
    """The clock of a pace."""

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def now(self) -> datetime:
        pace = self._pace
        return datetime.fromtimestamp(pace.epoch + (time.time() - pace.epoch) * pace.rate + pace.ahead, UTC)

    def monotonic(self) -> float:
        return super().monotonic() * self._pace.rate

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / self._pace.rate)
