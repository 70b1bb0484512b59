"""What a preview says, as plain data that may be shown: it holds no property's value but harmless ones (shown.py)."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What would happen to a resource."""

    REPLACE = "replace"
    DELETE = "delete"
    UPDATE = "update"
    CREATE = "create"
    IMPORT = "import"


class Threat(StrEnum):
    """Why a change is named before all others."""

    REPLACED = "replaced"
    DELETED = "deleted"
    LETS_IN = "lets-in"
    LETS_OUT = "lets-out"
    UNGUARDED = "unguarded"


class Place(StrEnum):
    """What a preview was compared with."""

    EMBEDDED = "embedded"
    """An embedded cloud in which the target branch was brought up."""
    AWS = "aws"


class Existence(StrEnum):
    """Where a stack has a file."""

    BOTH = "both"
    NEW = "new"
    """Only in the change."""
    GONE = "gone"
    """Only in what it is compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One property that changes."""

    path: str
    """Such as ingress[0].fromPort; it ends where something secret begins."""
    forces: bool = False
    """Whether the resource has to be replaced for it."""
    before: str | None = None
    """Its value, where that is harmless."""
    after: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What would happen to one resource."""

    kind: Kind
    name: str
    type: str
    properties: tuple[Property, ...] = ()
    is_gone_first: bool = False
    """Whether the old one is deleted before its replacement is there."""
    is_kept: bool = False
    """Whether it is only forgotten, and stays at AWS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Danger:
    """A change that a reviewer must not miss."""

    threat: Threat
    name: str
    type: str
    because: tuple[str, ...] = ()
    """Paths of the properties behind it."""
    before: tuple[str, ...] = ()
    """What it let through, or how it was guarded; each in words."""
    after: tuple[str, ...] = ()
    is_gone_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule of a policy pack has to say about a resource."""

    rule: str
    resource: str
    message: str
    is_mandatory: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StackPreview:
    """What a change would do to one stack."""

    stack: str
    place: Place = Place.EMBEDDED
    against: str = ""
    """What it was compared with, in words: a branch with its commit, or a folder."""
    existence: Existence = Existence.BOTH
    changes: tuple[Change, ...] = ()
    unchanged: int = 0
    dangers: tuple[Danger, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    undecided: int = 0
    """Questions that policy decides in the update, when their values are known."""
    failure: str | None = None
    """Why there is no preview, or only a part of one."""

    @property
    def broken(self) -> int:
        """How many mandatory rules are broken, by resource."""
        return sum(verdict.is_mandatory for verdict in self.verdicts)

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to read about it: it went well, changes nothing, and policy has nothing to say."""
        says = self.changes or self.dangers or self.verdicts
        return not says and self.failure is None and self.existence is Existence.BOTH

    def count(self, kind: Kind) -> int:
        """How many resources would see that."""
        return sum(change.kind is kind for change in self.changes)
