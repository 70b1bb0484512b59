"""Runs the engine on a stack, with its progress on the screen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pulumi.automation.events import EngineEvent, OpType

from cli.local.interrupt import ending_engine
from cli.local.policy import Advice
from cli.local.session import Session
from cli.steps import Step
from localcloud.stacks import LocalStack

UNCHANGED = frozenset({OpType.SAME, OpType.READ})


@dataclass
class Counting:
    """Counts resources as the engine goes through them, for the progress line."""

    step: Step
    seen: int = 0
    changed: int = 0

    def __call__(self, event: EngineEvent) -> None:
        """Takes one engine event."""
        done = event.res_outputs_event
        if done is None:
            return
        self.seen += 1
        self.changed += done.metadata.op not in UNCHANGED
        self.step.detail = f"{self.seen} resources, {self.changed} changed"


def run(here: Session, stack: LocalStack) -> Mapping[str, Any]:
    """Brings the stack up once and returns its exports. Raises LocalCloudError."""
    again = f"what is made so far stays; `teal local up {stack.name}` goes on from there"
    what, remark = f"pulumi up -s {stack.name}", here.steps.remark
    with here.steps.step(what, usual_seconds=20) as step, ending_engine(again, remark):
        advice = Advice(Counting(step))
        exports = stack.up(advice)
    advice.show(here.steps)
    return exports
