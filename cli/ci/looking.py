"""Looks at a stack: which of its resources are not as Pulumi left them, and which the next run would change."""

from dataclasses import dataclass, field

from pulumi.automation.events import EngineEvent, OpType

from cli.local.interrupt import ending_engine
from cli.release.place import Place
from pipeline.drift import Change, Finding, Look

QUIET = frozenset({OpType.SAME, OpType.READ, OpType.REFRESH})
REPLACES = "replace"
STACK = "pulumi:pulumi:Stack"


@dataclass
class Seen:
    """Hears a preview: by URN, the change that each resource would see."""

    changes: dict[str, Change] = field(default_factory=dict)

    def __call__(self, event: EngineEvent) -> None:
        """Takes one event, in the thread that reads the engine's log."""
        told = event.resource_pre_event or event.res_outputs_event
        if told is None or told.metadata.op in QUIET or told.metadata.type == STACK:
            return
        about = told.metadata
        operation = REPLACES if REPLACES in about.op.value else str(about.op.value)
        keys = about.diffs or tuple(about.detailed_diff or ())
        before = self.changes.get(about.urn)
        if before is None or len(keys) > len(before.keys):
            self.changes[about.urn] = Change(about.urn.rsplit("::", 1)[-1], about.type, operation, tuple(keys))


def looked_at(place: Place) -> Finding:
    """What a refresh of a stack would take over and its next run would undo, and what else that run would change."""
    gone, planned = Seen(), Seen()
    remark = place.steps.remark
    with place.steps.step(f"Looking at {place.name}", usual_seconds=10), ending_engine("nothing was changed", remark):
        place.program.look(gone, planned)
    drifted = [change for urn, change in sorted(planned.changes.items()) if urn in gone.changes]
    pending = len(planned.changes) - len(drifted)
    return Finding(place.name, Look.DRIFTED if drifted else Look.CLEAN, tuple(drifted), pending)
