"""`teal containers` for a swarm on AWS: each word from the command line to a worker's shell, with played parts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.access import Access
from cli.containers import ending, execute, logs, place, ps, stats
from cli.steps import Step
from cli_world import Teal
from containers import ssm, swarm_hands, terminal
from containers.model import Invocation
from release.hands import Act, Mark
from release.ledger import Colour
from worker_world import DIGEST, PlayedAws, PlayedWorker, container, plugin, task

FIRST, SECOND, GREEN = task(1, "a"), task(2, "b"), task(1, "c", "green")
ONE, TWO, THREE = "i-0000000000000000a", "i-0000000000000000b", "i-0000000000000000c"


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlayedAws:
    """Three workers: two tasks of blue, one of green beside the first, and nothing at the third."""
    workers = [PlayedWorker(name, name[-1], tmp_path / name) for name in (ONE, TWO, THREE)]
    workers[0].runs(container(FIRST), container(GREEN))
    workers[1].runs(container(SECOND))
    workers[2].runs()
    monkeypatch.setattr(ssm, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(swarm_hands, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(ending, "POLL_AWS_SECONDS", 0.01)
    return PlayedAws(workers)


@pytest.fixture
def marks(aws: PlayedAws, monkeypatch: pytest.MonkeyPatch) -> list[Mark]:
    """What was marked; every command finds the played AWS in the place of the environment."""
    written: list[Mark] = []
    remarks: list[str] = []

    @contextmanager
    def step(what: str, **_: Any) -> Iterator[Step]:
        yield Step(what)

    def write(mark: Mark) -> None:
        aws.calls.append("mark")
        written.append(mark)

    found = SimpleNamespace(
        name="prod",
        settings=SimpleNamespace(orchestrator="swarm"),
        marks=SimpleNamespace(write=write),
        ledger=SimpleNamespace(read=lambda: SimpleNamespace(live=Colour.BLUE)),
        steps=SimpleNamespace(step=step, remark=remarks.append),
        client=aws.client,
        remarks=remarks,
    )

    @contextmanager
    def place_of(_: str) -> Iterator[Any]:
        yield found

    for module in (ending, execute, logs, ps, stats):
        monkeypatch.setattr(module, "place_of", place_of)
    aws.told = remarks
    return written


def test_ps_tells_of_each_task_its_worker_zone_colour_digest_and_health(
    teal: Teal, aws: PlayedAws, marks: list[Mark]
) -> None:
    aws.health[(TWO, 8081)] = "unhealthy"
    found = json.loads(teal("containers", "ps", "--aws", "prod", "--json").out)
    keys = ("id", "worker", "zone", "colour", "role", "digest", "version", "container", "health", "address")
    assert [tuple(each[key] for key in keys) for each in found["containers"]] == [
        (FIRST, ONE, "a", "blue", "live", DIGEST, "1.4", "running", "healthy", "10.0.0.7:8081"),
        (SECOND, TWO, "b", "blue", "live", DIGEST, "1.4", "running", "unhealthy", "10.0.0.7:8081"),
        (GREEN, ONE, "a", "green", "idle", DIGEST, "1.4", "running", "healthy", "10.0.0.7:8082"),
    ]
    assert found["silent"] == {}
    assert aws.sent == [[ONE, TWO, THREE]]
    header, first, *_ = teal("containers", "ps", "--aws", "prod", "blue.1").out.splitlines()
    assert header.split()[-1] == "WORKER"
    assert (first.split()[0], first.split()[-1]) == (FIRST, ONE)


def test_a_worker_that_does_not_answer_is_a_line_and_the_others_answers_are_shown(
    teal: Teal, aws: PlayedAws, marks: list[Mark]
) -> None:
    aws.workers[1].answers, aws.workers[2].is_known = False, False
    shown = teal("containers", "ps", "--aws", "prod", "--json")
    found = json.loads(shown.out)
    assert [each["id"] for each in found["containers"]] == [FIRST, GREEN]
    assert set(found["silent"]) == {TWO, THREE}
    assert aws.told == [
        f"{TWO} does not say what it runs: no answer within 0 s (Pending): does its SSM agent run?",
        f"{THREE} does not say what it runs: {ssm.UNKNOWN}",
    ]


def test_where_no_worker_answers_it_does_not_say_that_nothing_runs(
    teal: Teal, aws: PlayedAws, marks: list[Mark]
) -> None:
    for worker in aws.workers:
        worker.is_known = False
    ended = teal("containers", "ps", "--aws", "prod")
    assert (ended.code, ended.told) == (1, "teal: no server of prod has said what it runs")


def test_logs_of_all_tasks_are_merged_each_from_its_own_worker(teal: Teal, aws: PlayedAws, marks: list[Mark]) -> None:
    aws.workers[0].says("logs", "2026-11-23T12:00:02.5Z second\n")
    aws.workers[1].says("logs", "2026-11-23T12:00:01.5Z first\n")
    shown = teal("containers", "logs", "--aws", "prod", "blue", "--tail", "5")
    assert shown.out.splitlines() == [f"blue  {SECOND} | first", f"blue  {FIRST} | second"]
    assert f"logs --timestamps --tail 5 {FIRST}" in aws.workers[0].asked
    told = teal("containers", "logs", "--aws", "prod", TWO, "--json").out.splitlines()
    assert [json.loads(line)["instance"] for line in told] == [SECOND]


def test_a_task_whose_log_can_not_be_read_keeps_nobody_from_the_others(
    teal: Teal, aws: PlayedAws, marks: list[Mark]
) -> None:
    aws.workers[1].says("logs", "2026-11-23T12:00:01.5Z first\n")
    before = aws.workers[0].run
    aws.workers[0].run = lambda script: before(script if "docker ps" in script else "exit 9")  # type: ignore[method-assign]
    shown = teal("containers", "logs", "--aws", "prod", "blue")
    assert shown.out.splitlines() == [f"blue  {SECOND} | first"]
    assert shown.told == f"teal: {FIRST}: the command ended with status 9"


def test_stats_are_asked_of_the_workers_at_once(teal: Teal, aws: PlayedAws, marks: list[Mark]) -> None:
    told = json.loads(teal("containers", "stats", "--aws", "prod", "blue", "--json").out)["containers"]
    assert [(each["instance"], each["cpu_percent"], each["memory_bytes"], each["pids"]) for each in told] == [
        (FIRST, 12.5, 3 * 2**20, 7), (SECOND, 12.5, 3 * 2**20, 7),
    ]  # fmt: skip
    assert aws.sent == [[ONE, TWO, THREE], [ONE, TWO]]


def test_stop_drains_the_port_of_its_colour_alone_and_swarm_starts_another(
    teal: Teal, aws: PlayedAws, marks: list[Mark]
) -> None:
    ended = teal("containers", "stop", "--aws", "prod", "blue.2")
    assert ended.out == f"blue {SECOND} stopped. It comes back by itself: Swarm starts another task.\n"
    assert aws.calls == ["mark", f"{TWO} out of arn:blue", f"{TWO}: stop", f"{TWO} into arn:blue"]
    assert aws.workers[1].asked[-1] == f"stop --time 60 {SECOND}"
    assert [(mark.act, mark.instance, mark.colour) for mark in marks] == [(Act.STOP, SECOND, Colour.BLUE)]


def test_the_only_healthy_task_of_its_colour_is_stopped_without_leaving(
    teal: Teal, aws: PlayedAws, marks: list[Mark]
) -> None:
    assert teal("containers", "stop", "--aws", "prod", "green.1").code == 0
    assert aws.calls == ["mark", f"{ONE}: stop"]


def test_a_task_that_has_ended_is_no_target_and_nobody_elses_is_taken_out(
    teal: Teal, aws: PlayedAws, marks: list[Mark]
) -> None:
    ended = task(3, "d")
    aws.workers[0].runs(container(FIRST), container(ended, "exited", code=3))
    assert teal("containers", "stop", "--aws", "prod", ended).code == 0
    assert aws.calls == ["mark", f"{ONE}: stop"]


def test_kill_is_at_once_and_wait_is_for_another_task_that_is_healthy(
    teal: Teal, aws: PlayedAws, marks: list[Mark]
) -> None:
    looks: list[None] = []
    before = aws.workers[1].run

    def run(script: str) -> Any:
        """The next looks find the killed one, then another that starts, then that it is healthy."""
        if "docker inspect" in script and any("kill" in call for call in aws.calls):
            looks.append(None)
            another, killed = task(2, "e"), container(SECOND, "exited", code=137)
            states = [[killed], [killed, container(another, age=1, health="starting")]]
            aws.workers[1].runs(*states[len(looks) - 1] if len(looks) < 3 else [container(another, age=1)])
        return before(script)

    aws.workers[1].run = run  # type: ignore[method-assign]
    ended = teal("containers", "kill", "--aws", "prod", SECOND, "--wait")
    assert "blue is healthy again after" in ended.out
    assert len(looks) == 3
    assert aws.calls == ["mark", f"{TWO}: kill"]
    assert f"kill {SECOND}" in aws.workers[1].asked


def test_exec_is_a_session_with_the_worker_for_the_tasks_container(
    teal: Teal, aws: PlayedAws, marks: list[Mark], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Invocation] = []

    def attach(invocation: Invocation) -> int:
        made.append(invocation)
        return 7

    monkeypatch.setattr(terminal, "attach", attach)
    monkeypatch.setenv("PATH", plugin(tmp_path / "bin"))
    ended = teal("containers", "exec", "--aws", "prod", "green.1", "sh", "-c", "echo 'a b'; ls")
    assert ended.code == 7
    assert (aws.opened["Target"], aws.opened["DocumentName"]) == (ONE, ssm.INTERACTIVE)
    [script] = aws.opened["Parameters"]["command"]
    # The fake Docker of the worker is handed what the shell made of it.
    aws.workers[0].run(f'sudo() {{ "$@"; }}; {script}')
    assert aws.workers[0].asked[-1] == f"exec --interactive --tty {GREEN} sh -c echo 'a b'; ls"
    assert "hush" not in " ".join(made[0].command)
    assert [(mark.act, mark.instance, mark.program) for mark in marks] == [(Act.EXEC, GREEN, "sh")]


def test_a_worker_with_two_tasks_is_not_enough_to_say_which_to_end(
    teal: Teal, aws: PlayedAws, marks: list[Mark]
) -> None:
    ended = teal("containers", "kill", "--aws", "prod", ONE)
    assert ended.code == 1
    assert ended.told.startswith(f"teal: {ONE!r} is the beginning of several instances: {FIRST} (blue), {GREEN}")
    assert teal("containers", "kill", "--aws", "prod", TWO).code == 0
    assert [mark.instance for mark in marks] == [SECOND]


def test_a_worker_that_is_silent_is_told_once_and_not_waited_for_again_and_again(
    teal: Teal, aws: PlayedAws, marks: list[Mark]
) -> None:
    aws.workers[2].answers = False
    aws.health[(TWO, 8081)] = "unhealthy"
    ended = teal("containers", "kill", "--aws", "prod", SECOND, "--wait", "--within", "0.2s")
    assert ended.code == 1
    assert len(aws.told) == 1
    lists = [names for names in aws.sent if len(names) > 1]
    assert len(lists) > 2
    assert lists == [[ONE, TWO, THREE], *[[ONE, TWO]] * (len(lists) - 1)]


@pytest.mark.parametrize(("orchestrator", "comes_back"), [("swarm", "Swarm starts"), ("scaling-group", "systemd")])
def test_on_aws_the_hands_are_those_of_the_orchestrator(
    monkeypatch: pytest.MonkeyPatch, orchestrator: str, comes_back: str
) -> None:
    monkeypatch.setattr(place, "access", lambda: Access(is_on_aws=True))
    settings = SimpleNamespace(orchestrator=orchestrator)
    there: Any = SimpleNamespace(name="prod", settings=settings, client=lambda _: None)
    assert place.hands_of(there).comes_back.startswith(comes_back)


def test_what_is_wrong_on_a_worker_is_told_and_a_container_that_has_just_gone_is_nothing_wrong(
    teal: Teal, aws: PlayedAws, marks: list[Mark]
) -> None:
    aws.workers[0].says("inspect", json.dumps(container(FIRST)) + "\n", "Error: No such container: 0a\n", 1)
    aws.workers[1].state = "Terminating:Wait"
    aws.workers[2].says("ps", "", "Cannot connect to the Docker daemon\n", 1)
    found = json.loads(teal("containers", "ps", "--aws", "prod", "--json").out)
    assert [(each["id"], each["reason"]) for each in found["containers"]] == [
        (FIRST, ""), (SECOND, "its worker is Terminating:Wait"),
    ]  # fmt: skip
    assert found["silent"] == {THREE: "Cannot connect to the Docker daemon"}


def test_a_worker_that_a_killed_stop_left_out_is_told_and_another_stop_puts_it_back(
    teal: Teal, aws: PlayedAws, marks: list[Mark]
) -> None:
    aws.deregister_targets(TargetGroupArn="arn:blue", Targets=[{"Id": TWO}])

    def blue() -> dict[str, tuple[str, str]]:
        found = json.loads(teal("containers", "ps", "--aws", "prod", "blue", "--json").out)["containers"]
        return {each["id"]: (each["health"], each["reason"]) for each in found}

    told = "no load balancer sends to port 8081 there: `stop` puts it back"
    assert blue() == {FIRST: ("healthy", ""), SECOND: ("none", told)}
    assert teal("containers", "stop", "--aws", "prod", SECOND).code == 0
    assert blue() == {FIRST: ("healthy", ""), SECOND: ("healthy", "")}
