"""What a release sees of the world, and what it may do next: values that release.decision makes, and the engine obeys.

Record        write the ledger: an event happened, and from now on the state holds (the intent of what follows)
Shift         give the listener the ledger's shares
Apply         run the program, which declares the ledger's digests and capacities
TakeSnapshot  make a snapshot of the data volume
Pause         write into the ledger that the release is paused: nobody can tell whether the step is good
Wait          look again later
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from release.ledger import Colour, Side, State
from release.machine import Event
from release.states import Weights
from release.verdict import GOOD, NO_HOOK, HookAnswer, Verdict

Declared = tuple[Colour, Side, Side]
"""What of a state the program declares."""


def declared(state: State) -> Declared:
    """What the program declares for a state: the idle colour has the test route, hence the live one counts too."""
    return state.live, state.blue, state.green


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The world at one moment."""

    now: datetime
    healthy: Mapping[Colour, int]
    """Servers that pass the load balancer's checks, by colour."""
    weights: Weights
    """Weights that the listener has."""
    steady: timedelta
    """How long they have been seen to be the ledger's."""
    applied: Declared | None
    """What this engine's last successful run of the program declared; None before the first."""
    verdict: Verdict = GOOD
    """What is said of the target colour; good where nobody was asked."""
    hook: HookAnswer = NO_HOOK
    """What the hooks of the phase say."""
    is_free: bool = False
    """Whether no server has the data volume; False where nobody looked."""
    snapshot: str | None = None
    """The snapshot of the data volume that this engine has made or found; None before."""


@dataclass(frozen=True, slots=True)
class Record:
    """Write the state, which is one version on, with the event that led to it."""

    event: Event
    state: State
    why: str


@dataclass(frozen=True, slots=True)
class Shift:
    """Give the listener these weights."""

    weights: Weights


@dataclass(frozen=True, slots=True)
class Apply:
    """Run the program."""


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """Make a snapshot of the data volume, the release's only one."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Hold the weights until somebody says how to go on."""

    why: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Look again soon; what for, and until when at the latest."""

    what: str
    until: datetime


Decision = Record | Shift | Apply | TakeSnapshot | Pause | Wait
