"""Who is named as touched by hand: servers by their target groups, a swarm's tasks by what stands."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.containers import place
from cli.release.touched import touched
from containers.model import Instance
from release.hands import Act, Mark
from release.ledger import Colour
from release_world import ROUTES

NOW = datetime.now(UTC)
TASK, GONE, ENDED = "teal-dev-blue.1.aaa", "teal-dev-blue.2.bbb", "teal-dev-blue.3.ccc"
MARKS = [
    Mark.of(act, name, Colour.BLUE, (), by="ann", at=NOW - timedelta(seconds=age))
    for act, name, age in (
        (Act.EXEC, TASK, 30), (Act.EXEC, GONE, 20), (Act.KILL, ENDED, 10), (Act.STOP, "i-1", 5), (Act.EXEC, "i-9", 1)
    )
]  # fmt: skip


class FakePlace:
    """An environment with these marks."""

    name = "dev"

    def __init__(self, orchestrator: str, marks: Sequence[Mark] = MARKS) -> None:
        self.settings = SimpleNamespace(orchestrator=orchestrator)
        self.marks = SimpleNamespace(read=lambda: list(marks))
        self.remarks: list[str] = []
        self.steps = SimpleNamespace(remark=self.remarks.append)

    def health(self, _: object) -> Any:
        return SimpleNamespace(servers=lambda: {Colour.BLUE: frozenset({"i-1"}), Colour.GREEN: frozenset()})


def named(there: Any) -> list[str]:
    return [each.instance for each in touched(there, ROUTES)]


def instance(name: str) -> Instance:
    return Instance(id=name, colour="blue", zone="a", address="", health="healthy", state="running", worker="i-1")


def test_a_server_is_named_while_its_target_group_has_it() -> None:
    assert named(FakePlace("scaling-group")) == ["i-1"]
    assert named(FakePlace("scaling-group", [])) == []


def test_a_task_is_named_while_it_runs_and_what_was_ended_is_no_task_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(instances=lambda: [instance(TASK), instance(ENDED)])
    monkeypatch.setattr(place, "hands_of", lambda _: found)
    assert named(FakePlace("swarm")) == [TASK]


def test_where_nobody_was_in_a_task_no_worker_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "hands_of", lambda _: pytest.fail("it was asked"))
    assert named(FakePlace("swarm", MARKS[2:4])) == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "AccessDenied"])
def test_whoever_may_not_ask_workers_is_told_so_and_goes_on(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    def refuse() -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "SendCommand")

    monkeypatch.setattr(place, "hands_of", lambda _: SimpleNamespace(instances=refuse))
    there = FakePlace("swarm")
    assert named(there) == []
    assert there.remarks == ["tasks that were touched by hand are not named: their workers may not be asked (ssm)"]


def test_any_other_refusal_is_not_kept_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "SendCommand")

    monkeypatch.setattr(place, "hands_of", lambda _: SimpleNamespace(instances=refuse))
    with pytest.raises(ClientError):
        named(FakePlace("swarm"))
