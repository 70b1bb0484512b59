"""The Automation API adapter, with a `pulumi` that only says what a test wants."""

import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import CommandResult, PulumiCommand, errors
from pulumi.automation.events import EngineEvent, PolicyEvent

from release.adapters.automation import POLL_SECONDS, Heard, StackProgram, told_in
from release.errors import InfrastructureFailed, LedgerMissing

PULUMI = """#!/bin/sh
here=$(dirname "$(dirname "$0")")
echo "$TEAL_RELEASE $*" >> "$here/calls"
case "$*" in
    version*) [ -e "$here/events" ] && echo v3.200.0 || echo v3.259.0 ;;
    *"up --yes"*)
        [ -e "$here/events" ] && while [ $# -gt 0 ]; do [ "$1" = --event-log ] && cat "$here/events" > "$2"; shift; done
        [ -e "$here/problem" ] && { cat "$here/problem" >&2; exit 255; }
        exit 0 ;;
    *preview*)
        [ -e "$here/problem" ] && { cat "$here/problem" >&2; exit 255; } ;;
    *"stack output"*)
        [ -e "$here/problem" ] && { cat "$here/problem" >&2; exit 255; }
        echo '{"listenerArn": "arn:1", "targetGroupArns": {"blue": "arn:2"}}' ;;
    *"stack history"*) echo "[{$AN_UPDATE}]" ;;
esac
"""
AN_UPDATE = (
    '"kind": "update", "startTime": "2026-11-23T12:00:00.000Z", "endTime": "2026-11-23T12:00:01.000Z", "message": "",'
    '"environment": {}, "config": {}, "result": "succeeded", "version": 1'
)
CANCEL_EVENT = '{"sequence": 2, "timestamp": 2, "cancelEvent": {}}\n'
UNFINISHED = (
    "<{%reset%}>Attempting to deploy or update resources with 2 pending operations from previous deployment.\n"
    "  * urn:pulumi:dev::teal::teal:index:Fleet$aws:autoscaling/policy:Policy::green-cpu, interrupted while creating\n"
    "  * urn:pulumi:dev::teal::aws:lb/listener:Listener::web-listener, interrupted while updating\n"
    "These resources are in an unknown state<{%reset%}>"
)
ADVICE = (
    "an earlier run was killed while it made green-cpu, which may be there without being in the state: look for it at "
    "AWS, delete it or take it in by `pulumi import`, then `pulumi refresh -s dev --clear-pending-creates`"
)
LOCKED = "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete it"


class Bench:
    """A folder with a project, and a pulumi."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        program = folder / "bin" / "pulumi"
        program.write_text(PULUMI)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        (folder / "Pulumi.yaml").write_text("name: teal\nruntime: python\n")
        self.slept: list[float] = []
        self.remarks: list[str] = []
        self.woken: Callable[[], None] = lambda: None

    def program(self, other_run_seconds: float = 60.0) -> StackProgram:
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        variables = {"PATH": path, "PULUMI_SKIP_UPDATE_CHECK": "true", "AN_UPDATE": AN_UPDATE}
        command = PulumiCommand(root=str(self.folder))
        return StackProgram(
            self.folder, "dev", command, variables,
            remark=self.remarks.append, other_run_seconds=other_run_seconds, sleep=self.sleep,
        )  # fmt: skip

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.woken()

    def has_problem(self, told: str) -> None:
        (self.folder / "problem").write_text(told)

    def warns(self, message: str) -> None:
        """From now on it is of a version that tells its events in a file."""
        told = {"urn": "", "prefix": "", "message": message, "color": "never", "severity": "warning"}
        event = {"sequence": 1, "timestamp": 1, "diagnosticEvent": told}
        (self.folder / "events").write_text(json.dumps(event) + "\n" + CANCEL_EVENT)

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.delenv("TEAL_RELEASE", raising=False)
    return Bench(tmp_path)


def test_a_run_is_the_releases_own_and_selects_no_stack(bench: Bench) -> None:
    bench.program().apply("r-1")
    [up] = [call for call in bench.calls if " up " in call]
    assert up.startswith("r-1 --non-interactive up --yes --skip-preview")
    assert "--stack dev" in up
    assert not [call for call in bench.calls if "stack select" in call]
    assert "TEAL_RELEASE" not in os.environ


def test_exports_are_those_of_the_last_run(bench: Bench) -> None:
    assert bench.program().exports() == {"listenerArn": "arn:1", "targetGroupArns": {"blue": "arn:2"}}


def test_a_run_that_another_one_is_in_the_way_of_waits_for_it(bench: Bench) -> None:
    bench.has_problem(LOCKED)
    bench.woken = (bench.folder / "problem").unlink
    bench.program().apply("r-1")
    assert bench.slept == [POLL_SECONDS]


def test_it_waits_for_so_long_and_then_says_what_to_do(bench: Bench) -> None:
    bench.has_problem(LOCKED)
    with pytest.raises(InfrastructureFailed) as failed:
        bench.program(other_run_seconds=0).apply("r-1")
    assert str(failed.value) == (
        "stack dev is locked by another run, for 0 s now: wait for it, or, if it is dead, free the lock with "
        "`pulumi cancel -s dev`; then `teal release resume`"
    )


def test_a_run_that_fails_is_one_line_of_the_engines_own(bench: Bench) -> None:
    bench.has_problem("warning: x\nerror: no credentials\n\nerror: update failed\n")
    with pytest.raises(InfrastructureFailed, match=r"^stack dev: no credentials; update failed$"):
        bench.program().apply("r-1")


def test_what_an_earlier_run_was_killed_at_holds_nothing_up_and_is_told(bench: Bench) -> None:
    bench.warns(UNFINISHED)
    bench.program().apply("r-1")
    assert bench.remarks == [f"Stack dev: {ADVICE}"]


def test_where_that_is_in_the_way_the_failure_says_what_to_do(bench: Bench) -> None:
    bench.warns(UNFINISHED)
    bench.has_problem("error: green-cpu: only one such policy is allowed\n")
    with pytest.raises(InfrastructureFailed) as failed:
        bench.program().apply("r-1")
    assert str(failed.value) == f"stack dev: green-cpu: only one such policy is allowed; {ADVICE}"
    assert bench.remarks == []


def test_without_such_a_stack_it_says_how_to_make_it(bench: Bench) -> None:
    bench.has_problem("error: no stack named 'dev' found")
    with pytest.raises(LedgerMissing, match=r"there is no stack dev in the Pulumi backend .* `pulumi up -s dev`"):
        bench.program().exports()


def test_a_backend_that_is_not_logged_in_to_is_one_line(bench: Bench) -> None:
    bench.has_problem("error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions")
    with pytest.raises(InfrastructureFailed, match=r"^stack dev: PULUMI_ACCESS_TOKEN must be set for login"):
        bench.program().exports()


def test_what_has_no_error_line_is_told_by_its_end() -> None:
    assert told_in("x" * 600 + "\n the end") == "x" * 492 + " the end"


def test_a_preview_that_fails_is_one_line_and_a_missing_stack_says_how_to_make_it(bench: Bench) -> None:
    bench.has_problem("error: no such zone\nmore")
    with pytest.raises(InfrastructureFailed, match=r"^stack dev: no such zone$"):
        bench.program().preview(lambda _: None, [Path("/policy")])
    [call] = [call for call in bench.calls if " preview " in call]
    assert "--policy-pack /policy" in call
    assert "--stack dev" in call
    bench.has_problem("error: no stack named 'dev' found")
    with pytest.raises(LedgerMissing, match="`pulumi up -s dev` makes it"):
        bench.program().preview(lambda _: None)


def test_a_run_of_nobodys_release_is_judged_by_policy(bench: Bench, tmp_path: Path) -> None:
    assert bench.program().up([tmp_path / "policy"]) == {"listenerArn": "arn:1", "targetGroupArns": {"blue": "arn:2"}}
    [up] = [call for call in bench.calls if " up " in call]
    assert up.startswith(" --non-interactive up --yes")
    assert f"--policy-pack {tmp_path / 'policy'}" in up


def test_a_run_that_policy_stops_says_which_rule() -> None:
    heard = Heard()
    heard(EngineEvent(0, 0, policy_event=policy_event("advisory", "tags are missing")))
    heard(EngineEvent(0, 0, policy_event=policy_event("mandatory", "<{%fg 1%}>port 22 is\n open<{%reset%}>")))
    assert heard.told == "a-rule: port 22 is open"


def policy_event(level: str, message: str) -> PolicyEvent:
    return PolicyEvent(
        message=message, color="never", policy_name="a-rule", policy_pack_name="policy", policy_pack_version="1",
        policy_pack_version_tag="1", enforcement_level=level,
    )  # fmt: skip


@dataclass
class Looked:
    """A stack that tells what it is asked."""

    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    problem: Exception | None = None

    def preview_refresh(self, **arguments: Any) -> None:
        self.asked.append(("preview_refresh", arguments))

    def preview(self, **arguments: Any) -> None:
        self.asked.append(("preview", arguments))
        if self.problem:
            raise self.problem


def test_a_look_compares_twice_and_hands_the_events_on(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    stack, told = Looked(), EngineEvent(0, 0)
    monkeypatch.setattr(StackProgram, "_stack", lambda *_: stack)
    first: list[EngineEvent] = []
    second: list[EngineEvent] = []
    bench.program().look(first.append, second.append)
    assert [name for name, _ in stack.asked] == ["preview_refresh", "preview"]
    assert stack.asked[1][1]["refresh"] is True
    for _, arguments in stack.asked:
        arguments["on_event"](told)
    assert (first, second) == ([told], [told])


def test_a_look_that_fails_is_one_line(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Looked(problem=errors.CommandError(CommandResult("", "error: no credentials\n", 255)))
    monkeypatch.setattr(StackProgram, "_stack", lambda *_: stack)
    with pytest.raises(InfrastructureFailed, match=r"^stack dev: no credentials$"):
        bench.program().look(print, print)
