import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.errors import LedgerError, ReleaseError, ReleaseInFlight
from release.ledger import Colour, Plan, Side, State, admit
from release.ledger_text import KEY, dump, item, parse, state_of_item
from release.machine import Phase
from release_world import flight, plan
from volume_world import moving, moving_flight

DIGEST = "sha256:" + "a" * 64
RELEASE = flight(phase=Phase.SHIFTING, started_at=datetime(2026, 11, 23, tzinfo=UTC))

ROUTES = {"listener_arn": "l", "group_arns": {"blue": "b", "green": "g"}, "sticky_seconds": 0}

DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:".__add__)


@st.composite
def states(draw: st.DrawFn) -> State:
    live, share = draw(st.sampled_from(Colour)), draw(st.integers(0, 100))
    release = draw(st.none() | st.just(RELEASE))
    weights = {live: share if release else 100}
    sides = {
        colour: Side(
            digest=draw(DIGESTS),
            capacity=draw(st.integers(1 if weights.get(colour, 100 - weights[live]) else 0, 20)),
            weight=weights.get(colour, 100 - weights[live]),
        )
        for colour in Colour
    }
    version = draw(st.integers(1, 10**6))
    return State(version=version, live=live, blue=sides[Colour.BLUE], green=sides[Colour.GREEN], release=release)


@given(states())
def test_what_was_dumped_is_parsed_to_the_same_state(state: State) -> None:
    assert parse(dump(state)) == state
    assert state_of_item(item(state)) == state


def test_at_first_blue_is_live_and_nothing_runs() -> None:
    state = State.initial()
    assert (state.live, state.idle, state.is_released) == (Colour.BLUE, Colour.GREEN, False)
    assert (state.blue.weight, state.green.weight) == (100, 0)
    assert state.blue.capacity == state.green.capacity == 0
    assert parse(dump(state)) == state


def test_the_very_first_image_is_live_on_blue() -> None:
    state = State.first(DIGEST, 2)
    assert state.is_released
    assert state.side(state.live) == Side(digest=DIGEST, capacity=2, weight=100)
    assert state.side(state.idle).capacity == 0


def test_the_item_has_the_tables_key_and_a_version_to_write_against() -> None:
    written = json.loads(item(State.initial()))
    assert {name: written[name] for name in ("pk", "sk")} == json.loads(KEY)
    assert written["version"] == {"N": "1"}
    assert set(written) == {"pk", "sk", "state", "version"}


def test_the_text_is_the_same_for_the_same_state() -> None:
    assert dump(State.first(DIGEST, 2)) == dump(parse(dump(State.first(DIGEST, 2))))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mood": 1}, "state takes format, version, live, blue, green, release; unknown: mood"),
        ({"format": 1}, "the ledger has format 1, and this Teal knows format 2 alone"),
        ({"version": 0}, "version must be 1 or more, got 0"),
        ({"version": True}, "version must be a whole number, got True"),
        ({"version": 1.0}, "version must be a whole number, got 1.0"),
        ({"live": "red"}, "live must be one of blue, green, got 'red'"),
        ({"live": "green"}, "green is live and no release is in flight, so its weight must be 100, got 0"),
        ({"blue": None}, "blue must be an object, got None"),
        ({"blue": {"digest": None}}, "blue takes digest, capacity, weight; missing: capacity, weight"),
        ({"release": "r-1"}, "release must be an object, got 'r-1'"),
        (
            {"release": {}},
            "release takes .*; missing: paused_at, phase, plan, previous, release_id, routes, since",
        ),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, Any], message: str) -> None:
    document = {**json.loads(dump(State.first(DIGEST, 2))), **changes}
    with pytest.raises(LedgerError, match=message):
        parse(json.dumps(document))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weight": 101}, "blue.weight must be within 0 to 100, got 101"),
        ({"weight": -1}, "blue.weight must be within 0 to 100, got -1"),
        ({"weight": 90}, "the weights of blue and green must sum to 100, got 90"),
        ({"weight": "100"}, "blue.weight must be a whole number, got '100'"),
        ({"capacity": -1}, "blue.capacity must be 0 or more, got -1"),
        ({"capacity": 0}, "blue has weight 100, so its capacity must be 1 or more, got 0"),
        ({"digest": "latest"}, "blue.digest must be sha256: and 64 hex digits, got 'latest'"),
        ({"digest": 7}, "blue.digest must be text, got 7"),
        ({"digest": None}, "blue.capacity must be 0 without a digest, got 2"),
    ],
)
def test_a_wrong_side_is_named(changes: dict[str, Any], message: str) -> None:
    document = json.loads(dump(State.first(DIGEST, 2)))
    document["blue"] |= changes
    with pytest.raises(LedgerError, match=message):
        parse(json.dumps(document))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"release_id": ""}, "release_id must not be empty"),
        ({"phase": "LOST"}, "release.phase must be one of PLANNED, .*, got 'LOST'"),
        ({"phase": "DONE"}, "a release that is DONE is no longer in flight"),
        ({"step": 3}, "step must be within 0 to 2, got 3"),
        ({"paused_at": 0}, "release.paused_at must be text, got 0"),
        ({"plan": {}}, "release.plan takes .*; missing: bakes, capacity"),
        ({"routes": {**ROUTES, "group_arns": {}}}, "release.routes.group_arns takes blue, green; missing"),
        ({"routes": {**ROUTES, "sticky_seconds": -1}}, "sticky_seconds must be 0 or more, got -1"),
        (
            {"routes": {**ROUTES, "sticky_seconds": 1.5}},
            "release.routes.sticky_seconds must be a whole number, got 1.5",
        ),
        ({"since": "2026-11-23T00:00:00"}, "since must carry a time zone"),
        ({"started_by": 7}, "release.started_by must be text, got 7"),
        ({"started_at": "noon"}, "release.started_at must be an ISO 8601 time, got 'noon'"),
        ({"started_at": "2026-11-23T00:00:00"}, "started_at must carry a time zone, got 2026-11-23T00:00:00"),
    ],
)
def test_a_wrong_release_is_named(changes: dict[str, Any], message: str) -> None:
    document = json.loads(dump(replace(State.first(DIGEST, 2), release=RELEASE)))
    document["release"] |= changes
    with pytest.raises(LedgerError, match=message):
        parse(json.dumps(document))


def test_while_a_release_is_in_flight_both_colours_may_serve() -> None:
    both = State(
        version=7,
        live=Colour.BLUE,
        blue=Side(digest=DIGEST, capacity=2, weight=75),
        green=Side(digest=DIGEST, capacity=2, weight=25),
        release=RELEASE,
    )
    assert parse(dump(both)) == both


def test_a_colour_with_a_share_has_servers() -> None:
    with pytest.raises(LedgerError, match="green has weight 25, so its capacity must be 1 or more, got 0"):
        State(
            version=7,
            live=Colour.BLUE,
            blue=Side(digest=DIGEST, capacity=2, weight=75),
            green=Side(digest=DIGEST, capacity=0, weight=25),
            release=RELEASE,
        )


def test_a_truncated_ledger_is_one_clear_error() -> None:
    with pytest.raises(ReleaseError, match="the ledger is no JSON"):
        parse(dump(State.initial())[:-1])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"state": {"N": "1"}}', "null"])
def test_an_item_without_a_state_is_refused(text: str) -> None:
    with pytest.raises(LedgerError, match="the ledger's item has no text in its attribute state"):
        state_of_item(text)


@pytest.mark.parametrize("release_id", [None, "r-1"])
def test_anyone_may_change_a_quiet_environment(release_id: str | None) -> None:
    admit(State.first(DIGEST, 2), release_id)


def test_the_release_under_way_may_change_its_environment() -> None:
    admit(replace(State.first(DIGEST, 2), release=RELEASE), "r-1")


@pytest.mark.parametrize("release_id", [None, "", "r-2"])
def test_nobody_else_may_while_a_release_is_under_way(release_id: str | None) -> None:
    message = r"release r-1 is in flight \(phase SHIFTING, started by ann at 2026-11-23T00:00:00\+00:00\)"
    with pytest.raises(ReleaseInFlight, match=message):
        admit(replace(State.first(DIGEST, 2), release=RELEASE), release_id)


@pytest.mark.parametrize("steps", [(), (0, 100), (5, 5, 100), (50, 25, 100), (5, 99), (5, 101), (-5, 100)])
def test_steps_rise_to_100(steps: tuple[int, ...]) -> None:
    with pytest.raises(LedgerError, match="steps must rise from above 0 and end at 100"):
        plan(steps=steps)


@given(st.sets(st.integers(1, 99)), st.floats(0, 1e6))
def test_any_rising_steps_and_times_survive_the_table(steps: set[int], seconds: float) -> None:
    wanted: Plan = plan(steps=(*sorted(steps), 100), bakes=(seconds,) * (len(steps) + 1), warm_seconds=seconds)
    state = replace(State.first(DIGEST, 2), release=flight(plan=wanted, step=len(steps)))
    assert parse(dump(state)) == state


def test_what_moves_a_data_volume_survives_the_table() -> None:
    release = moving_flight(phase=Phase.VERIFYING, snapshot="snap-1", plan=moving(snapshots_kept=3))
    sides = {"blue": Side(digest=DIGEST, capacity=0, weight=100), "green": Side(digest=DIGEST, capacity=1, weight=0)}
    state = State(version=7, live=Colour.BLUE, release=release, **sides)
    assert parse(dump(state)) == state


def test_without_a_data_volume_the_text_is_what_earlier_versions_wrote_and_read() -> None:
    document = json.loads(dump(replace(State.first(DIGEST, 2), release=RELEASE)))
    assert "snapshot" not in document["release"]
    assert "data_volume" not in document["release"]["plan"]
    assert "snapshots_kept" not in document["release"]["plan"]
    release = parse(json.dumps(document)).release
    assert release is not None
    assert (release.snapshot, release.plan.data_volume, release.plan.snapshots_kept) == ("", "", 0)


@pytest.mark.parametrize(("place", "name"), [("release", "snapshot"), ("plan", "data_volume")])
def test_a_volume_that_is_no_text_is_refused(place: str, name: str) -> None:
    document = json.loads(dump(replace(State.first(DIGEST, 1), release=moving_flight())))
    (document["release"] if place == "release" else document["release"]["plan"])[name] = 7
    with pytest.raises(LedgerError, match=f"{name} must be text, got 7"):
        parse(json.dumps(document))


def test_fewer_than_no_snapshots_are_refused() -> None:
    with pytest.raises(LedgerError, match="snapshots_kept must be 0 or more, got -1"):
        moving(snapshots_kept=-1)


def test_a_negative_time_is_refused() -> None:
    with pytest.raises(LedgerError, match="warm_seconds must be 0 or more, got -1"):
        plan(warm_seconds=-1)


@pytest.mark.parametrize("bakes", [(), (1.0, 2.0), (1.0, -1.0, 2.0)])
def test_every_step_has_its_bake(bakes: tuple[float, ...]) -> None:
    with pytest.raises(LedgerError, match="bakes must be one for each of 3 steps, 0 or more"):
        plan(bakes=bakes)
