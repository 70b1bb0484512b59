"""What judges and hooks say of a release: values that decisions are made on."""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a judge found."""

    PASS = "PASS"  # noqa: S105 - not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    """There were samples, and they neither clear the target colour nor blame it."""
    NO_DATA = "NO_DATA"
    """There were too few samples to say anything."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's word on the target colour, and why in one line."""

    outcome: Outcome
    why: str


GOOD = Verdict(Outcome.PASS, "")
"""Nothing to say against it; also where nobody was asked."""


class Answer(StrEnum):
    """What a hook answered."""

    GO = "GO"
    STOP = "STOP"
    WAIT = "WAIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRun:
    """One run of a hook that has ended."""

    command: str
    phase: str
    answer: Answer
    seconds: float
    output: str
    """The end of what it printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookAnswer:
    """What the hooks of a phase say together: STOP if one does, WAIT while one does or is still running, else GO."""

    answer: Answer
    why: str
    ended: tuple[HookRun, ...] = ()
    """Runs that have ended since the last answer."""


NO_HOOK = HookAnswer(answer=Answer.GO, why="")
