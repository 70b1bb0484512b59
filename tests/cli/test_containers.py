"""The commands on containers, as far as that goes without real ones; those are in tests/engine/test_containers.py."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cli.access import access
from cli.containers import ending, execute, logs, options, place, ps, stats
from cli.containers.options import one_of, some_of
from cli.containers.table import age
from cli.steps import Step
from cli_world import Teal
from containers.errors import ContainersError, InstanceEnded, NoPlugin, NoSuchInstance, NotRunning
from containers.model import Inside, Instance, Invocation, Line, Usage
from release.hands import Act, Mark
from release.ledger import Colour

NOW = datetime.now(UTC)
DIGEST = "sha256:" + "0a" * 32


def instance(name: str, colour: str = "blue", zone: str = "a") -> Instance:
    return Instance(id=f"i-{name}", colour=colour, zone=zone, address="10.0.0.1", health="healthy", state="InService")


@dataclass
class FakeLog:
    lines: list[Line]

    def read(self) -> Sequence[Line]:
        found, self.lines = self.lines, []
        return found


@dataclass
class FakeHands:
    """Three instances; what is ended comes back at the second look."""

    comes_back: str = "somebody starts it again"
    there: list[Instance] = field(
        default_factory=lambda: [instance("aa1"), instance("aa2"), instance("b", "green", "b")]
    )
    since: datetime = NOW - timedelta(hours=5)
    did: list[str] = field(default_factory=list)
    problem: ContainersError | None = None
    looks_until_back: int = 2
    silent: dict[str, str] = field(default_factory=dict)

    def instances(self) -> Sequence[Instance]:
        if self.did:
            self.looks_until_back -= 1
            if self.looks_until_back == 0:
                self.there = [replace(each, health="healthy") for each in self.there]
                self.since = NOW
        return list(self.there)

    def look(self, instances: Sequence[Instance]) -> Mapping[str, Inside]:
        known = Inside(state="running", digest=DIGEST, version="1.4", since=self.since, restarts=2)
        return {each.id: known for each in instances}

    def usage(self, instances: Sequence[Instance]) -> Mapping[str, Usage]:
        known = Usage(cpu_percent=12.5, memory_bytes=3 * 2**20, pids=7, requests=42)
        return {each.id: known for each in instances if each.id != "i-b"}

    def log(self, instance: Instance, since: datetime | None, tail: int | None) -> FakeLog:
        self.did.append(f"log {instance.id} {tail} {since is not None}")
        second = {"i-aa1": 2, "i-aa2": 1, "i-b": 3}[instance.id]
        return FakeLog([Line(f"said by {instance.id}", NOW + timedelta(seconds=second))])

    def check_entry(self) -> None:
        if self.problem:
            raise self.problem

    def invocation(self, instance: Instance, command: Sequence[str], *, has_terminal: bool) -> Invocation:
        raise NotRunning(f"{instance.id} runs nothing now")

    @contextmanager
    def out(self, name: str, waiting: Any, port: int) -> Iterator[None]:
        """Out of the target groups, as long as the block lasts."""
        assert port == 0
        waiting("its requests end")
        self.did.append(f"out {name}")
        yield
        self.did.append(f"in {name}")

    def stop(self, instance: Instance) -> None:
        self._end(instance, "stop")

    def kill(self, instance: Instance) -> None:
        self._end(instance, "kill")

    def _end(self, ended: Instance, how: str) -> None:
        self.did.append(f"{how} {ended.id}")
        self.there = [replace(each, health="unhealthy") if each == ended else each for each in self.there]


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> FakeHands:
    return FakeHands()


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch, hands: FakeHands) -> list[Mark]:
    """What was marked; every command finds the fake hands in the place of real ones."""
    written: list[Mark] = []

    @contextmanager
    def step(what: str, **_: Any) -> Iterator[Step]:
        yield Step(what)

    ledger = SimpleNamespace(read=lambda: SimpleNamespace(live=Colour.BLUE))

    def write(mark: Mark) -> None:
        hands.did.append("mark")
        written.append(mark)

    table = SimpleNamespace(write=write)
    steps = SimpleNamespace(step=step, remark=lambda line: hands.did.append(line))
    found = SimpleNamespace(name="dev", marks=table, ledger=ledger, steps=steps, client=None)

    @contextmanager
    def place_of(_: str) -> Iterator[Any]:
        yield found

    for module in (ending, execute, logs, ps, stats):
        monkeypatch.setattr(module, "place_of", place_of)
        monkeypatch.setattr(module, "hands_of", lambda _: hands)
    monkeypatch.setattr(ending, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(ending, "Balancing", lambda _: SimpleNamespace(without=hands.out))
    return written


def test_ps_shows_role_image_and_since_when(teal: Teal, marks: list[Mark]) -> None:
    shown = teal("containers", "ps", "dev")
    header, first, _, third = shown.out.splitlines()
    assert header.split() == list(ps.HEADER)
    assert first.split() == [
        "i-aa1", "blue", "live", DIGEST[:19], "1.4", "a", "InService", "healthy", "5h", "2", "10.0.0.1",
    ]  # fmt: skip
    assert third.split()[:3] == ["i-b", "green", "idle"]
    assert marks == []


def test_ps_for_machines_has_everything(teal: Teal, marks: list[Mark]) -> None:
    [found] = json.loads(teal("containers", "ps", "dev", "green", "--json").out)["containers"]
    assert found == {
        "id": "i-b", "colour": "green", "zone": "b", "address": "10.0.0.1", "health": "healthy", "state": "InService",
        "role": "idle", "container": "running", "digest": DIGEST, "version": "1.4", "restarts": 2, "reason": "",
        "since": (NOW - timedelta(hours=5)).isoformat(timespec="seconds"),
        "worker": "", "port": 0,
    }  # fmt: skip


def test_logs_are_merged_by_time_each_line_with_whose_it_is(teal: Teal, marks: list[Mark], hands: FakeHands) -> None:
    shown = teal("containers", "logs", "dev", "--tail", "5", "--since", "10m")
    assert shown.out.splitlines() == [
        "blue  i-aa2 | said by i-aa2", "blue  i-aa1 | said by i-aa1", "green i-b | said by i-b",
    ]  # fmt: skip
    assert hands.did == ["log i-aa1 5 True", "log i-aa2 5 True", "log i-b 5 True"]
    told = [json.loads(line) for line in teal("containers", "logs", "dev", "i-b", "--json").out.splitlines()]
    assert [(line["instance"], line["text"]) for line in told] == [("i-b", "said by i-b")]


def test_stats_show_who_runs_nothing_too(teal: Teal, marks: list[Mark]) -> None:
    rows = [line.split() for line in teal("containers", "stats", "dev").out.splitlines()[1:]]
    assert rows[0] == ["i-aa1", "blue", "12.5", "3.0", "MiB", "7", "42"]
    assert rows[2][-2:] == ["runs", "nothing"]
    told = json.loads(teal("containers", "stats", "dev", "--json").out)["containers"]
    assert [each["instance"] for each in told] == ["i-aa1", "i-aa2"]


@pytest.mark.parametrize(
    ("word", "done", "does"),
    [
        ("stop", "stopped", ["mark", "out i-aa1", "stop i-aa1", "in i-aa1"]),
        ("kill", "killed", ["mark", "kill i-aa1"]),
    ],
)
def test_what_is_ended_is_marked_before_and_says_that_it_comes_back(
    teal: Teal, marks: list[Mark], hands: FakeHands, word: str, done: str, does: list[str]
) -> None:
    ended = teal("containers", word, "dev", "i-aa1")
    assert ended.code == 0
    assert ended.out == f"blue i-aa1 {done}. It comes back by itself: somebody starts it again.\n"
    assert hands.did == does
    assert [(mark.act, mark.instance, mark.colour) for mark in marks] == [(Act(word), "i-aa1", Colour.BLUE)]


def test_the_only_healthy_one_of_its_colour_is_stopped_without_leaving_first(
    teal: Teal, marks: list[Mark], hands: FakeHands
) -> None:
    assert teal("containers", "stop", "dev", "i-b").code == 0
    assert hands.did == ["mark", "stop i-b"]


def test_wait_is_for_the_health_of_before(teal: Teal, marks: list[Mark], hands: FakeHands) -> None:
    hands.looks_until_back = 3
    ended = teal("containers", "stop", "dev", "i-aa1", "--wait")
    assert ended.code == 0
    assert "blue is healthy again after" in ended.out
    assert hands.looks_until_back == 0


def test_wait_has_an_end(teal: Teal, marks: list[Mark], hands: FakeHands) -> None:
    hands.looks_until_back = 10**9
    ended = teal("containers", "kill", "dev", "i-aa1", "--wait", "--within", "0.05s")
    assert ended.code == 1
    assert ended.told.startswith("teal: blue has 1 of 2 instances healthy 0 s after i-aa1 ended")


def test_exec_is_marked_with_the_programs_name_alone(teal: Teal, marks: list[Mark]) -> None:
    ended = teal("containers", "exec", "dev", "i-aa1", "/usr/bin/env", "--password=hunter2")
    assert (ended.code, ended.told) == (1, "teal: i-aa1 runs nothing now")
    [mark] = marks
    assert (mark.act, mark.program) == (Act.EXEC, "env")
    assert "hunter2" not in mark.as_json()


def test_where_nobody_can_enter_nothing_is_marked(teal: Teal, marks: list[Mark], hands: FakeHands) -> None:
    hands.problem = NoPlugin("there is no plugin")
    ended = teal("containers", "exec", "dev", "i-aa1")
    assert (ended.code, ended.told, marks) == (1, "teal: there is no plugin", [])


def test_an_instance_that_ends_meanwhile_is_an_exit_code_of_its_own(
    teal: Teal, marks: list[Mark], hands: FakeHands
) -> None:
    hands.problem = InstanceEnded("the instance ended")
    assert teal("containers", "exec", "dev", "i-aa1").code == 137


def test_an_instance_is_named_by_its_id_or_the_beginning_of_one() -> None:
    there = FakeHands().there
    assert one_of(there, "i-b").id == "i-b"
    assert one_of(there, "i-aa2").id == "i-aa2"
    assert one_of(there[2:], None).id == "i-b"
    assert [each.id for each in some_of(there, "blue")] == ["i-aa1", "i-aa2"]
    assert some_of(there, None) == there
    with pytest.raises(NoSuchInstance, match=r"'i-a' is the beginning of several instances: i-aa1 \(blue\), i-aa2"):
        one_of(there, "i-a")
    with pytest.raises(NoSuchInstance, match="there is no instance 'x': i-aa1"):
        some_of(there, "x")
    with pytest.raises(ContainersError, match="say which instance: i-aa1"):
        one_of(there, None)


def test_instances_are_completed_where_the_command_says_that_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []

    def instances(environment: str) -> list[Instance]:
        asked.append((environment, access().is_on_aws))
        return FakeHands().there

    monkeypatch.setattr(place, "instances_for_completion", instances)
    argument = next(each for each in ps.ps.params if each.name == "instance")
    for words in (["dev"], ["--aws", "dev"]):
        context = ps.ps.make_context("ps", list(words), resilient_parsing=True)
        found = options._complete(context, argument, "i-a")
        assert [(item.value, item.help) for item in found] == [
            ("i-aa1", "blue, a, healthy"), ("i-aa2", "blue, a, healthy"),
        ]  # fmt: skip
    assert asked == [("dev", False), ("dev", True)]


def test_completion_never_complains(teal: Teal) -> None:
    assert place.instances_for_completion("dev") == ()
    assert place.instances_for_completion("no-such") == ()


@pytest.mark.parametrize("word", ["ps", "logs", "exec", "stop", "kill", "stats"])
def test_without_a_cloud_it_is_exit_code_3(teal: Teal, word: str) -> None:
    assert teal("containers", word, "dev").code == 3


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0s"), (59, "59s"), (60, "1m"), (7200, "2h"), (86_400, "1d"), (10**6, "11d")]
)
def test_ages_are_in_one_unit(seconds: int, shown: str) -> None:
    assert age(datetime.now(UTC) - timedelta(seconds=seconds + 0.2)) == shown
    assert age(None) == "-"
