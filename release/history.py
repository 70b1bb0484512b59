"""The history of an environment's releases: one entry for every write of its ledger, never changed afterwards."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from release.ledger import Colour, State
from release.ledger_text import FORMAT
from release.strict import fields, moment, text, whole

PREFIX = "event#"
_DIGITS = 10
_NAMES = ("format", "version", "at", "by", "release_id", "event", "phase", "weights", "why")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What happened when the ledger got to a version."""

    version: int
    at: datetime
    by: str
    """Who wrote it."""
    release_id: str
    """Empty for what is no release's, such as an environment's first image."""
    event: str
    """An Event of the machine's, or a word for what is none: PLANNED, PAUSED, RESUMED, LOCK_BROKEN, FIRST_IMAGE."""
    phase: str
    """Phase afterwards; empty where release_id is."""
    weights: Mapping[Colour, int]
    """Share of the requests that each colour was to have from then on, in percent."""
    why: str

    @property
    def sort_key(self) -> str:
        """Its sort key in the table: texts in the order of versions."""
        return f"{PREFIX}{self.version:0{_DIGITS}}"

    def as_json(self) -> str:
        """The entry as JSON."""
        return json.dumps(self.document())

    def document(self) -> dict[str, Any]:
        """The entry as plain data."""
        named = {name: getattr(self, name) for name in _NAMES if hasattr(self, name)}
        return {"format": FORMAT, **named, "at": self.at.isoformat()}


def entry_of(written: str) -> Entry:
    """The entry that as_json wrote. Raises LedgerError for anything else."""
    found = fields(json.loads(written), "entry", _NAMES)
    weights = fields(found["weights"], "entry.weights", tuple(Colour))
    words = ("by", "release_id", "event", "phase", "why")
    return Entry(
        version=whole(found["version"], "entry.version"),
        at=moment(found["at"], "entry.at"),
        weights={colour: whole(weights[colour], f"entry.weights.{colour}") for colour in Colour},
        **{name: text(found[name], f"entry.{name}") for name in words},
    )


def entry_for(state: State, event: str, phase: str, why: str, *, at: datetime, by: str, release_id: str) -> Entry:
    """The entry that goes with the writing of a state."""
    return Entry(
        version=state.version,
        at=at,
        by=by,
        release_id=release_id,
        event=event,
        phase=phase,
        weights=state.weights,
        why=why,
    )
