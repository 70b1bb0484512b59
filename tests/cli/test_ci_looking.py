"""What is drift, of what a refresh and a preview tell."""

from pathlib import Path
from typing import Any, cast

import pytest
from pulumi.automation.events import EngineEvent, OpType, ResourcePreEvent, ResOutputsEvent, StepEventMetadata

from cli.ci.looking import Seen, looked_at
from cli.release.place import Place
from cli.steps import Steps
from pipeline.drift import Change, Look

URN = "urn:pulumi:dev::teal::aws:ec2/vpc:Vpc::"


def step(name: str, operation: OpType, *keys: str, kind: str = "aws:ec2/vpc:Vpc") -> StepEventMetadata:
    return StepEventMetadata(op=operation, urn=URN + name, type=kind, provider="p", diffs=list(keys))


def before(*told: Any) -> EngineEvent:
    return EngineEvent(0, 0, resource_pre_event=ResourcePreEvent(step(*told)))


def after(*told: Any) -> EngineEvent:
    return EngineEvent(0, 0, res_outputs_event=ResOutputsEvent(step(*told)))


class Told:
    """A place whose program tells these events."""

    name = "dev"

    def __init__(self, folder: Path, refresh: list[EngineEvent], preview: list[EngineEvent]) -> None:
        self.steps, self.program = Steps(folder / "durations.json"), self
        self._told = refresh, preview

    def look(self, *hearing: Any) -> None:
        for hear, events in zip(hearing, self._told, strict=True):
            for event in events:
                hear(event)


@pytest.mark.parametrize(
    ("refresh", "preview", "look", "names", "pending"),
    [
        ([], [before("vpc", OpType.SAME)], Look.CLEAN, [], 0),
        ([after("vpc", OpType.UPDATE)], [before("vpc", OpType.UPDATE, "tags")], Look.DRIFTED, ["vpc"], 0),
        ([after("vpc", OpType.DELETE)], [before("vpc", OpType.CREATE)], Look.DRIFTED, ["vpc"], 0),
        # scaled out by AWS, which the program leaves alone
        ([after("group", OpType.UPDATE)], [before("group", OpType.SAME)], Look.CLEAN, [], 0),
        # changed in the program, and not out yet
        ([], [before("vpc", OpType.UPDATE, "tags"), before("new", OpType.CREATE)], Look.CLEAN, [], 2),
        ([before("vpc", OpType.REFRESH)], [before("vpc", OpType.READ)], Look.CLEAN, [], 0),
    ],
)
def test_drift_is_what_both_agree_on(
    tmp_path: Path, refresh: list[EngineEvent], preview: list[EngineEvent], look: Look, names: list[str], pending: int
) -> None:
    found = looked_at(cast(Place, Told(tmp_path, refresh, preview)))
    assert (found.stack, found.look, [each.name for each in found.changes], found.pending) == (
        "dev",
        look,
        names,
        pending,
    )


def test_a_replacement_is_one_change_with_all_its_keys() -> None:
    seen = Seen()
    for event in (
        before("vpc", OpType.CREATE_REPLACEMENT),
        before("vpc", OpType.REPLACE, "cidrBlock", "tags"),
        before("vpc", OpType.DELETE_REPLACED),
        EngineEvent(0, 0),
    ):
        seen(event)
    assert list(seen.changes.values()) == [Change("vpc", "aws:ec2/vpc:Vpc", "replace", ("cidrBlock", "tags"))]


def test_the_stack_itself_is_no_resource() -> None:
    seen = Seen()
    seen(after("teal-dev", OpType.UPDATE, "x"))
    stack = step("teal-dev", OpType.UPDATE, kind="pulumi:pulumi:Stack")
    assert len(seen.changes) == 1
    seen.changes.clear()
    seen(EngineEvent(0, 0, res_outputs_event=ResOutputsEvent(stack)))
    assert seen.changes == {}
