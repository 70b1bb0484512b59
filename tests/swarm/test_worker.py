"""What `teal containers` says to a swarm's worker on AWS, on a real engine in swarm mode: only SSM is left out.

A test's swarm is one node, manager and worker at once, so a service is without the declared place; it publishes no
port, since Swarm would listen on every address of this machine. tests/boot shows both.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from containers.docker_hands import Answer
from containers.model import Line
from containers.roster import Worker
from containers.shells import HereShell
from containers.swarm_hands import SwarmHands
from docker_world import Engine, within
from localcloud.images.oci import Image
from pty_world import terminal
from swarm_service import creation, declared
from worker_world import plugin

WORKER, REGION = "i-0123456789abcdef0", "eu-west-1"
SECONDS = 60.0
UNRESOLVED = f"{'1' * 12}.dkr.ecr.{REGION}.amazonaws.com/app@sha256:{'0' * 64}"
IMAGE = "teal-test:app"


class Reach:
    """The engine here as the only worker."""

    opened: Mapping[str, Any]
    meta = SimpleNamespace(region_name=REGION, endpoint_url="https://ssm")

    def run(self, scripts: Mapping[str, str], seconds: float) -> Mapping[str, Answer]:
        return HereShell(os.environ).run(scripts, seconds)

    def workers(self) -> list[Worker]:
        return [Worker(id=WORKER, zone="a", address="10.0.0.1", state="InService", health={})]

    def start_session(self, **asked: Any) -> dict[str, str]:
        self.opened = asked
        return {"SessionId": "s-1", "TokenValue": "hush", "StreamUrl": "wss://x"}


def make(engine: Engine, name: str, *words: str) -> str:
    """A service as SwarmServices declares blue's, under another name, and what else its making is told."""
    spec = {**declared(UNRESOLVED, "logs", REGION), "name": name}
    return engine.run(*creation(spec), *words, IMAGE)


@pytest.fixture(scope="module")
def blue(engine: Engine, images: Mapping[str, Image]) -> Iterator[str]:
    """The blue service of dev: its id."""
    made = make(engine, "teal-dev-blue")
    yield made
    engine.run("service", "rm", made)


@pytest.fixture
def reach() -> Reach:
    return Reach()


@pytest.fixture
def hands(reach: Reach) -> SwarmHands:
    any_of_it: Any = reach
    return SwarmHands(any_of_it, any_of_it, "dev", any_of_it)


def names(engine: Engine, service: str) -> list[str]:
    """Tasks that Swarm wants to run, as a manager names them."""
    words = ("service", "ps", "--no-trunc", "--filter", "desired-state=running", "--format", "{{.Name}}.{{.ID}}")
    return engine.run(*words, service).split()


def running(hands: SwarmHands) -> list[str]:
    return [each.id for each in hands.instances() if each.state == "running"]


def test_a_worker_names_its_tasks_as_a_manager_does(engine: Engine, blue: str, hands: SwarmHands) -> None:
    within(SECONDS, lambda: running(hands), "a task runs")
    [task] = hands.instances()
    assert [task.id] == names(engine, blue)
    assert (task.colour, task.slot, task.worker, task.port, task.health) == ("blue", "blue.1", WORKER, 0, "none")
    inside = hands.look([task])[task.id]
    assert inside.since is not None
    assert abs(inside.since.timestamp() - time.time()) < 2 * SECONDS
    assert inside.version == engine.inspect(IMAGE)["Config"]["Labels"]["org.opencontainers.image.version"]


def test_log_and_usage_are_the_tasks(blue: str, hands: SwarmHands) -> None:
    within(SECONDS, lambda: running(hands), "a task runs")
    [task] = hands.instances()
    log = hands.log(task, None, 50)
    lines: list[Line] = []

    def says(word: str) -> bool:
        lines.extend(log.read())
        return any(word in each.text for each in lines)

    within(SECONDS, lambda: says("Starting gunicorn"), "it says that it starts")
    lines.extend(log.read())
    assert len(lines) == len(set(lines))
    usage = hands.usage([task])[task.id]
    assert usage.memory_bytes > 1_000_000
    assert usage.pids >= 2


def test_exec_has_a_terminal_inside_the_task_and_tells_its_exit_code(
    blue: str, hands: SwarmHands, reach: Reach, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    within(SECONDS, lambda: running(hands), "a task runs")
    [task] = hands.instances()
    monkeypatch.setenv("PATH", plugin(tmp_path / "bin"))
    code = "import os, sys; print(os.environ['TEAL_INSTANCE'], input('say: ')); sys.exit(5)"
    made = hands.invocation(task, ("python3", "-c", code), has_terminal=True)
    assert reach.opened["Target"] == WORKER
    [script] = reach.opened["Parameters"]["command"]
    assert script.startswith("sudo ")
    with terminal(["/bin/sh", "-c", script.removeprefix("sudo ")], os.environ) as session:
        session.read_until("say: ")
        session.type("it's; me\n")
        session.read_until(f"{task.id} it's; me")
        session.ended()
        assert f"{made.exit_mark.decode()}5\a" in session.seen


@pytest.mark.parametrize("word", ["kill", "stop"])
def test_what_is_ended_swarm_replaces_in_the_same_slot(engine: Engine, blue: str, hands: SwarmHands, word: str) -> None:
    within(SECONDS, lambda: running(hands), "a task runs")
    [task] = hands.instances()
    getattr(hands, word)(task)
    within(SECONDS, lambda: running(hands) not in ([], [task.id]), "another task runs")
    [another] = hands.instances()
    assert another.slot == task.slot
    assert [another.id] == names(engine, blue)
    before = json.loads(engine.run("inspect", task.id))[0]["State"]
    assert (before["Status"], before["Running"]) == ("exited", False)


def test_a_task_that_does_not_stay_up_is_shown_with_how_it_ended(engine: Engine, blue: str, hands: SwarmHands) -> None:
    fails = "--entrypoint=/usr/bin/python3.11 -c 'raise SystemExit(3)'"
    made = make(engine, "teal-dev-green", "--container-label=teal.colour=green", fails)
    try:
        within(
            SECONDS,
            lambda: [each for each in hands.instances() if each.colour == "green" and "status 3" in each.reason],
            "a task of green has ended",
        )
    finally:
        engine.run("service", "rm", made)
    within(SECONDS, lambda: {each.colour for each in hands.instances()} == {"blue"}, "green is gone")


def test_other_services_are_nobody_of_ours_and_what_was_scaled_away_is_gone(
    engine: Engine, blue: str, hands: SwarmHands
) -> None:
    """Docker keeps an earlier, killed task of the slot that is scaled away."""
    other = make(engine, "teal-dev-blue-2")
    try:
        within(SECONDS, lambda: engine.run("ps", "--quiet", "--filter", "name=teal-dev-blue-2"), "the other's task")
        assert {each.slot for each in hands.instances()} == {"blue.1"}
        engine.run("service", "scale", "--detach", f"{blue}=0")
        within(SECONDS, lambda: not hands.instances(), "no task of blue is left, nor one that is kept of earlier")
    finally:
        engine.run("service", "rm", other)
