"""What the environment's alarms say of a release. Pure.

An alarm that is red before the start closes a gate, whichever colour it is about, unless the release is told to go on
despite it, by name; then it is observed only for that release. An alarm without data is quiet: so is an idle colour.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from release.judgement import Check, Finding
from release.ledger import WHOLE, Colour
from release.verdict import Outcome


class AlarmState(StrEnum):
    """How an alarm is."""

    QUIET = "QUIET"
    RED = "RED"
    GONE = "GONE"
    """The program made it, and it is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm on one colour."""

    name: str
    colour: Colour
    state: AlarmState
    why: str
    """Why it is in that state, as whoever set it says."""


def alarm_findings(
    alarms: Sequence[Alarm],
    target: Colour,
    weight: int,
    despite: Collection[str] = (),
    *,
    is_other_empty: bool = False,
) -> tuple[Finding, ...]:
    """What the alarms say while the target colour has that share of the requests, in percent.

    Red on the target: FAIL, but INCONCLUSIVE while it has no requests, since it may be about what was there before.
    Red on the other colour: INCONCLUSIVE while that one has requests and servers, told afterwards.
    """
    if not alarms:
        return ()
    loud = [alarm for alarm in alarms if alarm.state is not AlarmState.QUIET]
    is_past = is_other_empty or weight == WHOLE
    found = tuple(_finding(alarm, target, weight, despite, is_past=is_past) for alarm in loud)
    return found or (Finding(Check.ALARMS, Outcome.PASS, "all quiet"),)


def why_not_quiet(alarms: Sequence[Alarm], despite: Collection[str] = ()) -> str | None:
    """Why a release can't start; None where it can. A name in `despite` that no alarm has is such a reason, too."""
    unknown = sorted(set(despite) - {alarm.name for alarm in alarms})
    if unknown:
        return (
            f"there is no alarm {', '.join(unknown)}: there are {', '.join(alarm.name for alarm in alarms) or 'none'}"
        )
    loud = [alarm for alarm in alarms if alarm.state is not AlarmState.QUIET and alarm.name not in despite]
    return "; ".join(_told(alarm) for alarm in loud) or None


def _finding(alarm: Alarm, target: Colour, weight: int, despite: Collection[str], *, is_past: bool) -> Finding:
    if alarm.name in despite:
        return Finding(Check.ALARMS, Outcome.FAIL, f"{_told(alarm)}, as before the start", is_observed_only=True)
    if alarm.state is AlarmState.GONE:
        return Finding(Check.ALARMS, Outcome.NO_DATA, _told(alarm))
    if alarm.colour is target:
        return Finding(Check.ALARMS, Outcome.FAIL if weight else Outcome.INCONCLUSIVE, _told(alarm))
    return Finding(Check.ALARMS, Outcome.INCONCLUSIVE, _told(alarm), is_observed_only=is_past)


def _told(alarm: Alarm) -> str:
    return f"{alarm.name} ({alarm.colour}) is {alarm.state.lower()}{f': {alarm.why}' if alarm.why else ''}"
