"""The ledger's state as a value: which colour is live, what each runs, how the requests are shared, what is under way.

Everything here is pure; release.ledger_text is its form in the table. The program reads the state to declare it, a
release changes it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from release.errors import LedgerError, ReleaseInFlight
from release.machine import Phase

RELEASE_VARIABLE = "TEAL_RELEASE"
"""Environment variable by which a release says that a run of the program is its own: the id of the release."""

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
"""An image's digest."""
WHOLE = 100
"""All requests, in percent."""


class Colour(StrEnum):
    """One of the twin fleets."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> "Colour":
        """The twin."""
        return Colour.GREEN if self is Colour.BLUE else Colour.BLUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one colour runs. Raises LedgerError for a digest, capacity or weight that can't be."""

    digest: str | None
    """sha256: and 64 hex digits; None before the colour's first image."""
    capacity: int
    """Instances that the fleet holds at least; needs a digest unless 0."""
    weight: int
    """Share of the requests in percent, 0 to 100."""

    def __post_init__(self) -> None:
        if self.digest is not None:
            check_digest(self.digest)
        if self.capacity < 0:
            raise LedgerError(f"capacity must be 0 or more, got {self.capacity}")
        if self.capacity and self.digest is None:
            raise LedgerError(f"capacity must be 0 without a digest, got {self.capacity}")
        if not 0 <= self.weight <= WHOLE:
            raise LedgerError(f"weight must be within 0 to 100, got {self.weight}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a release is to do. Raises LedgerError for a digest, steps or times that can't be."""

    digest: str
    """Image that the target colour is to run."""
    target: Colour
    """Colour that is idle when the release starts, and live when it is done."""
    capacity: int
    """Servers that each colour with an image holds at least while the release is under way: none is scaled in."""
    capacity_after: int
    """Servers that the live colour holds at least once it is over; scaling takes away what is more."""
    steps: tuple[int, ...]
    """Share of the target colour in percent, step by step: rising, and 100 at the end."""
    bakes: tuple[float, ...]
    """Seconds that the weights of each step stay before the next one."""
    ready_seconds: float
    """Seconds that the servers of the target colour may take until all of them are healthy."""
    judge_seconds: float
    """Seconds that a step may wait beyond its bake for a verdict; then the release is paused."""
    pause_seconds: float
    """Seconds that it may be paused; then it is taken back."""
    warm_seconds: float
    """Seconds that the colour without requests keeps its servers once all is moved."""
    despite_alarms: tuple[str, ...] = ()
    """Names of alarms that were red before the start: they are told, and not heeded."""
    data_volume: str = ""
    """Id of the volume that moves from one colour's only server to the other's; empty for none."""
    snapshots_kept: int = 0
    """How many of the snapshots that releases have made of it stay; 0 for all, and where there is no volume."""

    def __post_init__(self) -> None:
        check_digest(self.digest)
        for field in ("capacity", "capacity_after"):
            if getattr(self, field) < 1:
                raise LedgerError(f"{field} must be 1 or more, got {getattr(self, field)}")
        rises = all(low < high for low, high in zip((0, *self.steps), self.steps, strict=False))
        if not self.steps or self.steps[-1] != WHOLE or not rises:
            raise LedgerError(f"steps must rise from above 0 and end at 100, got {', '.join(map(str, self.steps))}")
        if len(self.bakes) != len(self.steps) or min(self.bakes) < 0:
            told = ", ".join(f"{bake:g}" for bake in self.bakes)
            raise LedgerError(f"bakes must be one for each of {len(self.steps)} steps, 0 or more, got {told}")
        for field in ("ready_seconds", "judge_seconds", "pause_seconds", "warm_seconds"):
            if getattr(self, field) < 0:
                raise LedgerError(f"{field} must be 0 or more, got {getattr(self, field)}")
        if self.snapshots_kept < 0:
            raise LedgerError(f"snapshots_kept must be 0 or more, got {self.snapshots_kept}")
        if self.data_volume and (self.steps, self.warm_seconds) != ((WHOLE,), 0):
            raise LedgerError(f"with data volume {self.data_volume} the only step is 100, and no colour stays warm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Where a release turns the traffic. Noted with it, so that the way back needs the load balancer's API alone."""

    listener_arn: str
    group_arns: Mapping[Colour, str]
    """Target group by colour."""
    sticky_seconds: int
    """How long a client stays with the colour that it met while both serve; 0 where it does not."""

    def __post_init__(self) -> None:
        if self.sticky_seconds < 0:
            raise LedgerError(f"sticky_seconds must be 0 or more, got {self.sticky_seconds}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """The release that is under way. Raises LedgerError for an empty text, a time without a zone, a step too many."""

    release_id: str
    phase: Phase
    since: datetime
    """When it got into this phase."""
    step: int
    """Place in the plan's steps, from 0; it counts from SHIFTING on."""
    paused_at: datetime | None
    """Since when it is paused; None while it goes on."""
    started_by: str
    started_at: datetime
    plan: Plan
    previous: Side
    """What the target colour had before: the way back restores it."""
    routes: Routes
    snapshot: str = ""
    """Id of the snapshot of the data volume; empty before it is made."""

    def __post_init__(self) -> None:
        for field in ("release_id", "started_by"):
            if not getattr(self, field):
                raise LedgerError(f"{field} must not be empty")
        for field in ("started_at", "since", "paused_at"):
            moment = getattr(self, field)
            if moment and moment.tzinfo is None:
                raise LedgerError(f"{field} must carry a time zone, got {moment.isoformat()}")
        if not 0 <= self.step < len(self.plan.steps):
            raise LedgerError(f"step must be within 0 to {len(self.plan.steps) - 1}, got {self.step}")
        if self.phase.is_over:
            raise LedgerError(f"a release that is {self.phase} is no longer in flight")
        if self.plan.data_volume:
            self._check_that_one_server_is_enough()

    def _check_that_one_server_is_enough(self) -> None:
        wanted = (self.plan.capacity, self.plan.capacity_after, self.previous.capacity)
        if wanted != (1, 1, 0):
            raise LedgerError(
                f"with data volume {self.plan.data_volume} capacity and capacity_after must be 1 and the target "
                f"colour empty before, got {', '.join(map(str, wanted))}"
            )

    @property
    def is_paused(self) -> bool:
        """Whether it waits for somebody to say `resume`."""
        return self.paused_at is not None

    @property
    def key(self) -> tuple[Phase, int]:
        """Where it is: what is asked or measured for one place says nothing about the next."""
        return self.phase, self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """An environment's releases at one moment. Raises LedgerError for a combination that can't be."""

    version: int
    """Rises by one with every write, from 1."""
    live: Colour
    blue: Side
    green: Side
    release: InFlight | None

    def __post_init__(self) -> None:
        if self.version < 1:
            raise LedgerError(f"version must be 1 or more, got {self.version}")
        total = self.blue.weight + self.green.weight
        if total != WHOLE:
            raise LedgerError(f"the weights of blue and green must sum to 100, got {total}")
        if self.release is None and self.side(self.live).weight != WHOLE:
            got = self.side(self.live).weight
            raise LedgerError(f"{self.live} is live and no release is in flight, so its weight must be 100, got {got}")
        if self.is_released:
            self._check_that_weights_have_servers()
        if self.data_volume and self.blue.capacity and self.green.capacity:
            raise LedgerError(f"data volume {self.data_volume} takes one writer, so blue or green must have no servers")

    @classmethod
    def initial(cls) -> "State":
        """Nothing released: blue live at 100, no image, no instance."""
        nothing = Side(digest=None, capacity=0, weight=0)
        blue = Side(digest=None, capacity=0, weight=WHOLE)
        return cls(version=1, live=Colour.BLUE, blue=blue, green=nothing, release=None)

    @classmethod
    def first(cls, digest: str, capacity: int) -> "State":
        """The very first image, live on blue with so many instances. Raises LedgerError for what can't be."""
        blue = Side(digest=digest, capacity=capacity, weight=WHOLE)
        nothing = Side(digest=None, capacity=0, weight=0)
        return cls(version=1, live=Colour.BLUE, blue=blue, green=nothing, release=None)

    @property
    def idle(self) -> Colour:
        """The colour that is not live."""
        return self.live.other

    @property
    def is_released(self) -> bool:
        """Whether there is an image to serve."""
        return self.side(self.live).digest is not None

    @property
    def weights(self) -> dict[Colour, int]:
        """Share of the requests by colour, in percent."""
        return {colour: self.side(colour).weight for colour in Colour}

    @property
    def shares(self) -> dict[Colour, int]:
        """Weights that the listener is to have; all 0 where nothing is released: then it says so with a 503."""
        return {colour: self.side(colour).weight if self.side(colour).digest else 0 for colour in Colour}

    @property
    def data_volume(self) -> str:
        """Id of the data volume that the release under way has to move; empty for none."""
        return self.release.plan.data_volume if self.release else ""

    def side(self, colour: Colour) -> Side:
        """What this colour runs."""
        return self.blue if colour is Colour.BLUE else self.green

    def _check_that_weights_have_servers(self) -> None:
        if self.data_volume:  # moves while requests fail
            return
        for colour in Colour:
            side = self.side(colour)
            if side.weight and not side.capacity:
                raise LedgerError(f"{colour} has weight {side.weight}, so its capacity must be 1 or more, got 0")


def check_digest(digest: str) -> None:
    """Raises LedgerError for a text that is no image's digest."""
    if not DIGEST.fullmatch(digest):
        raise LedgerError(f"digest must be sha256: and 64 hex digits, got {digest!r}")


def admit(state: State, release_id: str | None) -> None:
    """Lets a change of the environment pass, made by the release of that id or by nobody's (None).

    Raises ReleaseInFlight, naming the release under way, unless that is the one that asks.
    """
    under_way = state.release
    if under_way and under_way.release_id != release_id:
        raise ReleaseInFlight(
            f"release {under_way.release_id} is in flight (phase {under_way.phase}, started by {under_way.started_by} "
            f"at {under_way.started_at.isoformat()}): wait until it is over, or end it with `teal release abort`"
        )
