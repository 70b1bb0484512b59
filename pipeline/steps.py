"""What the engine would do to one resource, gathered from its several events about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation.events import OpType, StepEventMetadata, StepEventStateMetadata

from pipeline.model import Change, Kind, Property
from pipeline.secrets import at, parts, visible
from pipeline.shown import shown

REPLACING = frozenset(
    {OpType.REPLACE, OpType.CREATE_REPLACEMENT, OpType.IMPORT_REPLACEMENT, OpType.READ_REPLACEMENT}
)  # fmt: skip
KINDS = {
    OpType.DELETE: Kind.DELETE,
    OpType.DELETE_REPLACED: Kind.DELETE,
    OpType.CREATE: Kind.CREATE,
    OpType.IMPORT: Kind.IMPORT,
    OpType.UPDATE: Kind.UPDATE,
}
"""What an operation makes of a resource that is not replaced; any other leaves it as it is. The first one counts."""
MOST_PROPERTIES = 200
"""Of one resource; a comment shows far fewer."""


@dataclass
class Steps:
    """The engine's steps with one resource."""

    urn: str
    type: str
    ops: list[OpType] = field(default_factory=list)
    old: StepEventStateMetadata | None = None
    new: StepEventStateMetadata | None = None
    forcing: set[str] = field(default_factory=set)
    paths: dict[str, bool] = field(default_factory=dict)
    """Whether it forces a replacement, by each path that changes."""

    def take(self, told: StepEventMetadata) -> None:
        """Adds one of the engine's events about it."""
        self.ops.append(told.op)
        self.old, self.new = told.old or self.old, told.new or self.new
        self.forcing |= set(told.keys or ())
        detailed = {
            path: str(diff.diff_kind.value).endswith("-replace") for path, diff in (told.detailed_diff or {}).items()
        }
        for path, forces in (detailed or dict.fromkeys(told.diffs or (), False)).items():
            self.paths[path] = self.paths.get(path, False) or forces

    @property
    def name(self) -> str:
        """The resource's name in the program."""
        return self.urn.rsplit("::", 1)[-1]

    @property
    def is_real(self) -> bool:
        """Whether there is something at a provider's; a component is a name for others."""
        return any(state.custom for state in (self.old, self.new) if state)

    @property
    def kind(self) -> Kind | None:
        """What happens to it; None where nothing does."""
        if REPLACING.intersection(self.ops):
            return Kind.REPLACE
        return next((kind for op, kind in KINDS.items() if op in self.ops), None)

    @property
    def before(self) -> Mapping[str, Any]:
        """Its inputs before; empty where it was not there."""
        return (self.old and self.old.inputs) or {}

    @property
    def after(self) -> Mapping[str, Any]:
        """Its inputs after; empty where it is gone."""
        return {} if self.kind is Kind.DELETE else (self.new and self.new.inputs) or {}

    @property
    def is_gone_first(self) -> bool:
        """Whether the old one is deleted before its replacement is made."""
        made = next((place for place, op in enumerate(self.ops) if op is OpType.CREATE_REPLACEMENT), -1)
        gone = next((place for place, op in enumerate(self.ops) if op is OpType.DELETE_REPLACED), made)
        return gone < made

    @property
    def is_kept(self) -> bool:
        """Whether a deletion only forgets it."""
        return bool(self.kind is Kind.DELETE and self.old and self.old.retain_on_delete)

    @property
    def causes(self) -> tuple[str, ...]:
        """Paths of the properties that force its replacement."""
        return tuple(each.path for each in self.properties() if each.forces)

    def properties(self) -> tuple[Property, ...]:
        """Those that change, the ones that force a replacement first. Nothing of a new or a deleted resource."""
        if self.kind not in (Kind.UPDATE, Kind.REPLACE):
            return ()
        paths = self.paths or dict.fromkeys(self.forcing, True)
        found = {each.path: each for each in (self._property(path, paths[path]) for path in sorted(paths))}
        return tuple(sorted(found.values(), key=lambda each: (not each.forces, each.path))[:MOST_PROPERTIES])

    def change(self) -> Change | None:
        """It as a change that may be shown; None where nothing happens to it."""
        if self.kind is None:
            return None
        return Change(
            kind=self.kind,
            name=self.name,
            type=self.type,
            properties=self.properties(),
            is_gone_first=self.is_gone_first,
            is_kept=self.is_kept,
        )

    def _property(self, path: str, forces: bool) -> Property:
        states = [state for each in (self.old, self.new) if each for state in (each.inputs or {}, each.outputs or {})]
        steps = parts(path) or []
        before, after = shown(self.type, path, at(self.before, steps), at(self.after, steps))
        forces = forces or bool(steps and steps[0] in self.forcing)
        return Property(path=visible(path, *states), forces=forces, before=before, after=after)
