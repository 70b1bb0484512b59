"""The life of a release as a table. Everything here is pure.

The diagram in docs/release.md is drawn from the table; what a phase does is in release.decision and,
where a data volume has to move, in release.gap.
"""

from collections.abc import Mapping
from enum import StrEnum

from release.errors import IllegalEvent


class Phase(StrEnum):
    """Where a release is in its life. Whether it is paused is a flag beside its phase."""

    PLANNED = "PLANNED"
    PREPARING = "PREPARING"
    VERIFYING = "VERIFYING"
    SHIFTING = "SHIFTING"
    SETTLING = "SETTLING"
    DONE = "DONE"
    ROLLING_BACK = "ROLLING_BACK"
    ROLLED_BACK = "ROLLED_BACK"

    @property
    def is_over(self) -> bool:
        """Whether nothing can happen any more."""
        return not TRANSITIONS[self]


class Event(StrEnum):
    """What can happen to a release."""

    STARTED = "STARTED"
    GAP_BEGUN = "GAP_BEGUN"
    """The live colour is to lose its server, so that the data volume gets free; requests fail from here on."""
    SNAPSHOT_MADE = "SNAPSHOT_MADE"
    """Nobody had the data volume, and there is a snapshot of it: the target colour is to get its server."""
    IDLE_HEALTHY = "IDLE_HEALTHY"
    """Every server of the target colour passes the load balancer's checks."""
    IDLE_VERIFIED = "IDLE_VERIFIED"
    """The target colour answers on the test route, with the digest that was asked for."""
    STEP_PASSED = "STEP_PASSED"
    """The weights of a step were live for its bake, and nothing was wrong."""
    ALL_MOVED = "ALL_MOVED"
    """The last step has passed: the target colour has every request."""
    RETIRED = "RETIRED"
    """The colour without requests is to lose its servers; from here it is cold."""
    SETTLED = "SETTLED"
    FAILED = "FAILED"
    """Something was wrong with the target colour."""
    TAKEN_BACK = "TAKEN_BACK"
    """Somebody asked for the way back."""
    LIVE_RECALLED = "LIVE_RECALLED"
    """Nobody has the data volume any more: the colour that was live before is to get its server back."""
    LIVE_RESTORED = "LIVE_RESTORED"
    """The colour that was live before has every request, and the other one no servers."""


_WAY_BACK = {Event.FAILED: Phase.ROLLING_BACK, Event.TAKEN_BACK: Phase.ROLLING_BACK}

TRANSITIONS: Mapping[Phase, Mapping[Event, Phase]] = {
    Phase.PLANNED: {Event.STARTED: Phase.PREPARING, **_WAY_BACK},
    Phase.PREPARING: {
        Event.GAP_BEGUN: Phase.PREPARING,
        Event.SNAPSHOT_MADE: Phase.PREPARING,
        Event.IDLE_HEALTHY: Phase.VERIFYING,
        **_WAY_BACK,
    },
    Phase.VERIFYING: {Event.IDLE_VERIFIED: Phase.SHIFTING, **_WAY_BACK},
    Phase.SHIFTING: {Event.STEP_PASSED: Phase.SHIFTING, Event.ALL_MOVED: Phase.SETTLING, **_WAY_BACK},
    Phase.SETTLING: {Event.RETIRED: Phase.SETTLING, Event.SETTLED: Phase.DONE, **_WAY_BACK},
    Phase.ROLLING_BACK: {
        Event.RETIRED: Phase.ROLLING_BACK,
        Event.LIVE_RECALLED: Phase.ROLLING_BACK,
        Event.LIVE_RESTORED: Phase.ROLLED_BACK,
    },
    Phase.DONE: {},
    Phase.ROLLED_BACK: {},
}
"""Phase after an event, by phase and event. A phase with an empty row is the end."""


def after(phase: Phase, event: Event) -> Phase:
    """The phase once event has happened. Raises IllegalEvent, naming both, where the table has no such event."""
    if event not in TRANSITIONS[phase]:
        raise IllegalEvent(f"a release that is {phase} takes no {event}")
    return TRANSITIONS[phase][event]


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.PLANNED}"]
    for phase, row in TRANSITIONS.items():
        lines += [f"    {phase} --> {following}: {event}" for event, following in row.items()]
        if phase.is_over:
            lines.append(f"    {phase} --> [*]")
    return "\n".join(lines)
