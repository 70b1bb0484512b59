"""The ledger's state as a value: which colour is live, what each runs, how the requests are shared.

Everything here is pure. The program reads the state to declare it; release.adapters.dynamodb reads and writes it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from release.errors import LedgerError, ReleaseInFlight

KEY = json.dumps({"pk": {"S": "environment"}, "sk": {"S": "state"}})
"""Key of the state item, in DynamoDB's JSON."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_WHOLE = 100


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
        if self.digest is not None and not _DIGEST.fullmatch(self.digest):
            raise LedgerError(f"digest must be null or sha256: and 64 hex digits, got {self.digest!r}")
        if self.capacity < 0:
            raise LedgerError(f"capacity must be 0 or more, got {self.capacity}")
        if self.capacity and self.digest is None:
            raise LedgerError(f"capacity must be 0 without a digest, got {self.capacity}")
        if not 0 <= self.weight <= _WHOLE:
            raise LedgerError(f"weight must be within 0 to 100, got {self.weight}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InFlight:
    """The release that is under way. Raises LedgerError for an empty text or a time without a zone."""

    release_id: str
    phase: str
    started_by: str
    started_at: datetime

    def __post_init__(self) -> None:
        for field in ("release_id", "phase", "started_by"):
            if not getattr(self, field):
                raise LedgerError(f"{field} must not be empty")
        if self.started_at.tzinfo is None:
            raise LedgerError(f"started_at must carry a time zone, got {self.started_at.isoformat()}")


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
        if total != _WHOLE:
            raise LedgerError(f"the weights of blue and green must sum to 100, got {total}")
        if self.release is None and self.side(self.live).weight != _WHOLE:
            got = self.side(self.live).weight
            raise LedgerError(f"{self.live} is live and no release is in flight, so its weight must be 100, got {got}")
        if self.is_released:
            self._check_that_weights_have_servers()

    @classmethod
    def initial(cls) -> "State":
        """Nothing released: blue live at 100, no image, no instance."""
        nothing = Side(digest=None, capacity=0, weight=0)
        blue = Side(digest=None, capacity=0, weight=_WHOLE)
        return cls(version=1, live=Colour.BLUE, blue=blue, green=nothing, release=None)

    @classmethod
    def first(cls, digest: str, capacity: int) -> "State":
        """The very first image, live on blue with so many instances. Raises LedgerError for what can't be."""
        blue = Side(digest=digest, capacity=capacity, weight=_WHOLE)
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

    def side(self, colour: Colour) -> Side:
        """What this colour runs."""
        return self.blue if colour is Colour.BLUE else self.green

    def _check_that_weights_have_servers(self) -> None:
        for colour in Colour:
            side = self.side(colour)
            if side.weight and not side.capacity:
                raise LedgerError(f"{colour} has weight {side.weight}, so its capacity must be 1 or more, got 0")


def parse(text: str) -> State:
    """The state that dump wrote. Raises LedgerError, naming the field, for anything else."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise LedgerError(f"the ledger is no JSON: {error}") from error
    fields = _fields(document, "state", ("version", "live", "blue", "green", "release"))
    release = fields["release"]
    return State(
        version=_whole(fields["version"], "version"),
        live=_colour(fields["live"]),
        blue=_side(fields["blue"], "blue"),
        green=_side(fields["green"], "green"),
        release=None if release is None else _in_flight(release),
    )


def dump(state: State) -> str:
    """The state as JSON, the same text for the same state."""
    document = {
        "version": state.version,
        "live": state.live,
        **{colour.value: asdict(state.side(colour)) for colour in Colour},
        "release": state.release and {**asdict(state.release), "started_at": state.release.started_at.isoformat()},
    }
    return json.dumps(document)


def item(state: State) -> str:
    """The state item, in DynamoDB's JSON. Its version stands beside the state, so that a write can depend on it."""
    key = json.loads(KEY)
    return json.dumps({**key, "state": {"S": dump(state)}, "version": {"N": str(state.version)}})


def state_of_item(item_json: str) -> State:
    """The state in an item, given in DynamoDB's JSON. Raises LedgerError for an item that holds none."""
    try:
        text = json.loads(item_json)["state"]["S"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise LedgerError(f"the ledger's item has no text in its attribute state: {error!r}") from error
    return parse(text)


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


def _side(value: Any, where: str) -> Side:
    fields = _fields(value, where, ("digest", "capacity", "weight"))
    digest = fields["digest"]
    try:
        return Side(
            digest=None if digest is None else _text(digest, "digest"),
            capacity=_whole(fields["capacity"], "capacity"),
            weight=_whole(fields["weight"], "weight"),
        )
    except LedgerError as error:
        raise LedgerError(f"{where}.{error}") from error


def _in_flight(value: Any) -> InFlight:
    fields = _fields(value, "release", ("release_id", "phase", "started_by", "started_at"))
    texts = {name: _text(field, f"release.{name}") for name, field in fields.items()}
    started_at = texts.pop("started_at")
    try:
        moment = datetime.fromisoformat(started_at)
    except ValueError as error:
        raise LedgerError(f"release.started_at must be an ISO 8601 time, got {started_at!r}") from error
    return InFlight(**texts, started_at=moment)


def _colour(value: Any) -> Colour:
    if value not in list(Colour):
        raise LedgerError(f"live must be one of {', '.join(Colour)}, got {value!r}")
    return Colour(value)


def _fields(value: Any, where: str, names: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise LedgerError(f"{where} must be an object, got {value!r}")
    for complaint, odd in (("unknown", value.keys() - set(names)), ("missing", set(names) - value.keys())):
        if odd:
            raise LedgerError(f"{where} takes {', '.join(names)}; {complaint}: {', '.join(sorted(odd))}")
    return value


def _whole(value: Any, where: str) -> int:
    if type(value) is not int:
        raise LedgerError(f"{where} must be a whole number, got {value!r}")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise LedgerError(f"{where} must be text, got {value!r}")
    return value
