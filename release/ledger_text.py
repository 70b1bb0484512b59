"""The ledger's state as the text in its table: strict both ways, and with the number of its format."""

import json
from dataclasses import asdict
from typing import Any

from release.errors import LedgerError
from release.ledger import Colour, InFlight, Plan, Routes, Side, State
from release.machine import Phase
from release.strict import choice, fields, moment, number, several, text, whole

KEY = json.dumps({"pk": {"S": "environment"}, "sk": {"S": "state"}})
"""Key of the state item, in DynamoDB's JSON."""

FORMAT = 2
"""Rises when the fields below change: a Teal that does not know a ledger's format leaves it alone."""


def dump(state: State) -> str:
    """The state as JSON, the same text for the same state."""
    document = {
        "format": FORMAT,
        "version": state.version,
        "live": state.live,
        **{colour.value: asdict(state.side(colour)) for colour in Colour},
        "release": state.release and _flight_document(state.release),
    }
    return json.dumps(document)


def parse(written: str) -> State:
    """The state that dump wrote. Raises LedgerError, naming the field, for anything else."""
    try:
        document = json.loads(written)
    except json.JSONDecodeError as error:
        raise LedgerError(f"the ledger is no JSON: {error}") from error
    found = fields(document, "state", ("format", "version", "live", "blue", "green", "release"))
    if whole(found["format"], "format") != FORMAT:
        raise LedgerError(f"the ledger has format {found['format']}, and this Teal knows format {FORMAT} alone")
    release = found["release"]
    return State(
        version=whole(found["version"], "version"),
        live=choice(found["live"], "live", Colour),
        blue=_side(found["blue"], "blue"),
        green=_side(found["green"], "green"),
        release=None if release is None else _in_flight(release),
    )


def item(state: State) -> str:
    """The state item, in DynamoDB's JSON. Its version stands beside the state, so that a write can depend on it."""
    key = json.loads(KEY)
    return json.dumps({**key, "state": {"S": dump(state)}, "version": {"N": str(state.version)}})


def state_of_item(item_json: str) -> State:
    """The state in an item, given in DynamoDB's JSON. Raises LedgerError for an item that holds none."""
    try:
        written = json.loads(item_json)["state"]["S"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise LedgerError(f"the ledger's item has no text in its attribute state: {error!r}") from error
    return parse(written)


def _flight_document(release: InFlight) -> dict[str, Any]:
    times = {field: getattr(release, field) for field in ("started_at", "since", "paused_at")}
    document = {**asdict(release), **{field: time and time.isoformat() for field, time in times.items()}}
    plan = document["plan"]
    for some, name in ((document, "snapshot"), (plan, "data_volume"), (plan, "snapshots_kept")):
        if not some[name]:  # so that a Teal that knows of no volumes reads a release without one
            del some[name]
    return document


def _in_flight(value: Any) -> InFlight:
    names = ("release_id", "phase", "since", "step", "paused_at", "started_by", "started_at")
    found = fields(value, "release", (*names, "plan", "previous", "routes"), ("snapshot",))
    return InFlight(
        release_id=text(found["release_id"], "release.release_id"),
        phase=choice(found["phase"], "release.phase", Phase),
        since=moment(found["since"], "release.since"),
        step=whole(found["step"], "release.step"),
        paused_at=None if found["paused_at"] is None else moment(found["paused_at"], "release.paused_at"),
        started_by=text(found["started_by"], "release.started_by"),
        started_at=moment(found["started_at"], "release.started_at"),
        plan=_plan(found["plan"]),
        previous=_side(found["previous"], "release.previous"),
        routes=_routes(found["routes"]),
        snapshot=text(found.get("snapshot", ""), "release.snapshot"),
    )


def _plan(value: Any) -> Plan:
    times = ("ready_seconds", "judge_seconds", "pause_seconds", "warm_seconds")
    found = fields(
        value,
        "release.plan",
        ("digest", "target", "steps", "bakes", "capacity", "capacity_after", "despite_alarms", *times),
        ("data_volume", "snapshots_kept"),
    )
    return Plan(
        digest=text(found["digest"], "release.plan.digest"),
        target=choice(found["target"], "release.plan.target", Colour),
        steps=tuple(
            whole(step, "a step of release.plan.steps") for step in several(found["steps"], "release.plan.steps")
        ),
        bakes=tuple(
            number(bake, "a bake of release.plan.bakes") for bake in several(found["bakes"], "release.plan.bakes")
        ),
        despite_alarms=tuple(
            text(name, "a name in release.plan.despite_alarms")
            for name in several(found["despite_alarms"], "release.plan.despite_alarms")
        ),
        capacity=whole(found["capacity"], "release.plan.capacity"),
        capacity_after=whole(found["capacity_after"], "release.plan.capacity_after"),
        data_volume=text(found.get("data_volume", ""), "release.plan.data_volume"),
        snapshots_kept=whole(found.get("snapshots_kept", 0), "release.plan.snapshots_kept"),
        **{name: number(found[name], f"release.plan.{name}") for name in times},
    )


def _routes(value: Any) -> Routes:
    found = fields(value, "release.routes", ("listener_arn", "group_arns", "sticky_seconds"))
    arns = fields(found["group_arns"], "release.routes.group_arns", tuple(Colour))
    return Routes(
        listener_arn=text(found["listener_arn"], "release.routes.listener_arn"),
        group_arns={colour: text(arns[colour], f"release.routes.group_arns.{colour}") for colour in Colour},
        sticky_seconds=whole(found["sticky_seconds"], "release.routes.sticky_seconds"),
    )


def _side(value: Any, where: str) -> Side:
    found = fields(value, where, ("digest", "capacity", "weight"))
    digest = found["digest"]
    try:
        return Side(
            digest=None if digest is None else text(digest, "digest"),
            capacity=whole(found["capacity"], "capacity"),
            weight=whole(found["weight"], "weight"),
        )
    except LedgerError as error:
        raise LedgerError(f"{where}.{error}") from error
