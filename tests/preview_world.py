"""For tests of what CI shows: events as the engine writes them into its log."""

from collections.abc import Mapping
from typing import Any

from pulumi.automation.events import EngineEvent

from pipeline.heard import Heard
from pipeline.model import StackPreview
from pipeline.secrets import SECRET, SIGNATURE

STACK_URN = "urn:pulumi:dev::teal::"
BLINDED = {SIGNATURE: SECRET, "ciphertext": "[secret]"}
"""A secret as the engine's log has it."""
Inputs = Mapping[str, Any]


def event(**told: Any) -> EngineEvent:
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, **told})


def step(
    op: str,
    type_name: str,
    name: str,
    before: Inputs | None = None,
    after: Inputs | None = None,
    *,
    keys: tuple[str, ...] = (),
    detailed: Mapping[str, str] | None = None,
    diffs: tuple[str, ...] = (),
    custom: bool = True,
    **state: Any,
) -> EngineEvent:
    """One step with one resource; `detailed` has the kind of difference by path."""
    urn = f"{STACK_URN}{type_name}::{name}"

    def written(inputs: Inputs | None, more: Mapping[str, Any]) -> dict[str, Any] | None:
        about = {"type": type_name, "urn": urn, "custom": custom, "id": f"{name}-id", "parent": "", "provider": ""}
        return None if inputs is None else {**about, "inputs": dict(inputs), "outputs": dict(inputs), **more}

    metadata = {
        "op": op, "urn": urn, "type": type_name, "provider": "", "old": written(before, state),
        "new": written(after, {}), "keys": list(keys), "diffs": list(diffs),
        "detailedDiff": {path: {"diffKind": kind} for path, kind in (detailed or {}).items()},
    }  # fmt: skip
    return event(resourcePreEvent={"metadata": metadata, "planning": True})


def policy(rule: str, message: str, level: str = "advisory", resource: str = "web") -> EngineEvent:
    urn = f"{STACK_URN}aws:lb/loadBalancer:LoadBalancer::{resource}"
    return event(policyEvent={"message": message, "color": "raw", "policyName": rule, "policyPackName": "teal",
                              "enforcementLevel": level, "resourceUrn": urn})  # fmt: skip


def problem(message: str, name: str = "") -> EngineEvent:
    urn = f"{STACK_URN}aws:ec2/vpc:Vpc::{name}" if name else ""
    return event(diagnosticEvent={"message": message, "color": "raw", "severity": "error", "urn": urn})


def heard(*events: EngineEvent) -> Heard:
    found = Heard()
    for each in events:
        found(each)
    return found


def preview_of(*events: EngineEvent, stack: str = "dev", **about: Any) -> StackPreview:
    """What the events make of a stack."""
    return heard(*events).preview(stack, **about)
