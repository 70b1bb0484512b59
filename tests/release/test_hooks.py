"""Hooks that are real executables."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from release.adapters.hook_run import OUTPUT_CHARACTERS, Hook, last_words
from release.adapters.hooks import Executables, Surroundings
from release.errors import LedgerMissing
from release.ledger import InFlight
from release.machine import Phase
from release.verdict import Answer, HookAnswer, HookRun
from release_world import NEXT, flight

pytestmark = pytest.mark.process

SECRET = "the-value-that-opens-the-test-route-1234567"
WITHIN_SECONDS = 15.0
VERIFYING, SHIFTING = flight(phase=Phase.VERIFYING), flight(phase=Phase.SHIFTING, step=1)


def until(check: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while not check():
        assert time.monotonic() < deadline, "not so in time"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the latter where it ends between open and read
        return False


@dataclass
class Bench:
    """A folder of hooks, and the adapter that runs them."""

    folder: Path
    hooks: dict[Phase, tuple[Hook, ...]] = field(default_factory=dict)
    runs: list[HookRun] = field(default_factory=list)
    adapter: Executables = field(init=False)

    def __post_init__(self) -> None:
        self.adapter = Executables(self.hooks, self.around, again_seconds=0.05, grace_seconds=0.2)

    def around(self) -> Surroundings:
        return Surroundings(
            environment="dev",
            folder=self.folder,
            url="http://127.0.0.1:1",
            secret=SECRET,
            variables={"PATH": os.environ["PATH"], "TEAL_RELEASE": "r-1", "SHOP_TOKEN": "another-secret-value"},
        )

    def add(self, phase: Phase, text: str, name: str = "hook", mode: int = 0o755, **bounds: float) -> None:
        """A shell script as a hook of a phase."""
        (self.folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.folder / name).chmod(mode)
        self.hooks[phase] = (*self.hooks.get(phase, ()), Hook(command=(f"./{name}",), **bounds))

    def ask(self, release: InFlight) -> HookAnswer:
        """One answer, which must come at once."""
        asked = time.monotonic()
        answer = self.adapter.ask(release)
        assert time.monotonic() - asked < 1
        self.runs += answer.ended
        return answer

    def answer(self, release: InFlight) -> HookAnswer:
        """The answer that is not wait."""
        answers: list[HookAnswer] = []

        def decided() -> bool:
            answers.append(self.ask(release))
            return answers[-1].answer is not Answer.WAIT

        until(decided)
        return answers[-1]

    def read(self, name: str) -> str:
        """A file that a hook wrote in whole, once it is there."""
        until((self.folder / name).exists)
        return (self.folder / name).read_text()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    kept = tmp_path / "temporary"
    kept.mkdir()
    monkeypatch.setenv("TMPDIR", str(kept))
    made = Bench(tmp_path)
    yield made
    made.adapter.close()
    assert list(kept.iterdir()) == []  # no secret stays behind


def test_without_hooks_it_is_go(bench: Bench) -> None:
    assert bench.ask(VERIFYING) == HookAnswer(answer=Answer.GO, why="")


def test_exit_code_0_is_go_and_is_asked_once(bench: Bench) -> None:
    bench.add(Phase.VERIFYING, "echo fine; echo x >> asked")
    assert bench.ask(VERIFYING).why == "hook ./hook runs"
    assert bench.answer(VERIFYING).why == "every hook says go"
    assert bench.ask(VERIFYING) == HookAnswer(answer=Answer.GO, why="every hook says go")
    assert (bench.folder / "asked").read_text() == "x\n"
    [run] = bench.runs
    assert (run.command, run.phase, run.answer, run.output) == ("./hook", "VERIFYING", Answer.GO, "fine")
    assert 0 < run.seconds < WITHIN_SECONDS


def test_any_other_exit_code_is_stop_with_its_last_line(bench: Bench) -> None:
    bench.add(Phase.VERIFYING, "echo 3 tests; echo 1 failed >&2; exit 3")
    bench.add(Phase.VERIFYING, "exit 0", "other")
    told = bench.answer(VERIFYING)
    assert (told.answer, told.why) == (Answer.STOP, "hook ./hook says stop (exit code 3): 1 failed")


def test_a_hook_that_dies_of_a_signal_says_stop(bench: Bench) -> None:
    bench.add(Phase.VERIFYING, "kill -9 $$")
    assert bench.answer(VERIFYING).why == "hook ./hook says stop (exit code 137)"


def test_exit_code_75_is_asked_again_until_it_says_go(bench: Bench) -> None:
    bench.add(Phase.VERIFYING, "echo x >> asked; [ $(wc -l < asked) -ge 3 ] || { echo not yet; exit 75; }")
    assert bench.answer(VERIFYING).answer is Answer.GO
    assert [run.answer for run in bench.runs] == [Answer.WAIT, Answer.WAIT, Answer.GO]


def test_between_two_askings_it_says_what_it_waits_for(bench: Bench) -> None:
    bench.adapter = Executables(bench.hooks, bench.around, again_seconds=60)
    bench.add(Phase.VERIFYING, "echo ticket 12 is open; exit 75")
    until(lambda: "says wait: ticket 12 is open" in bench.ask(VERIFYING).why)
    assert bench.ask(VERIFYING).answer is Answer.WAIT
    assert len(bench.runs) == 1


def test_who_says_wait_for_too_long_has_said_stop(bench: Bench) -> None:
    bench.add(Phase.VERIFYING, "exit 75", wait_seconds=0.3)
    assert bench.answer(VERIFYING).why == "hook ./hook says wait for longer than 0.3 s"


def test_who_takes_too_long_is_ended_with_its_group_and_has_said_stop(bench: Bench) -> None:
    bench.add(
        Phase.VERIFYING, "trap '' TERM; sleep 60 & echo $! > child.new; mv child.new child; wait; sleep 60",
        timeout_seconds=0.5,
    )  # fmt: skip
    told = bench.answer(VERIFYING)
    assert (told.answer, told.why) == (Answer.STOP, "hook ./hook gave no answer within 0.5 s")
    until(lambda: not is_running(int(bench.read("child"))))


def test_what_a_hook_leaves_behind_in_its_group_is_ended(bench: Bench) -> None:
    bench.add(Phase.VERIFYING, "sleep 60 & echo $! > child")
    assert bench.answer(VERIFYING).answer is Answer.GO
    until(lambda: not is_running(int(bench.read("child"))))


def test_of_a_huge_output_the_end_is_kept(bench: Bench) -> None:
    bench.add(Phase.VERIFYING, f"{sys.executable} -c 'print(\"x\" * 20_000_000)'; echo the end")
    assert bench.answer(VERIFYING).answer is Answer.GO
    [run] = bench.runs
    assert len(run.output) == OUTPUT_CHARACTERS - 1  # the last newline is no news
    assert run.output.endswith("x\nthe end")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("./missing",), "not found"),
        (("no-such-command-of-ours",), "not found"),
        (("./hook",), "Permission denied"),
    ],
)
def test_one_that_cannot_be_started_is_a_stop_that_says_why(bench: Bench, command: tuple[str], told: str) -> None:
    bench.add(Phase.VERIFYING, "exit 0", mode=0o644)
    bench.hooks[Phase.VERIFYING] = (Hook(command=command),)
    answer = bench.answer(VERIFYING)
    assert answer.answer is Answer.STOP
    assert answer.why == f"hook {command[0]} says stop (exit code 127): cannot be started: {told}"


def test_without_a_service_to_ask_it_is_a_stop(bench: Bench) -> None:
    def nowhere() -> Surroundings:
        raise LedgerMissing("dev has no listener")

    bench.add(Phase.VERIFYING, "exit 0")
    bench.adapter = Executables(bench.hooks, nowhere)
    told = bench.ask(VERIFYING)
    assert (told.answer, told.why) == (Answer.STOP, "hook ./hook cannot be started: dev has no listener")
    assert [run.output for run in told.ended] == ["cannot be started: dev has no listener"]


def test_a_hook_knows_the_release(bench: Bench) -> None:
    bench.add(Phase.SHIFTING, "env > env; cat > document; pwd > folder")
    assert bench.answer(SHIFTING).answer is Answer.GO
    found = dict(line.split("=", 1) for line in (bench.folder / "env").read_text().splitlines())
    told = {name: value for name, value in found.items() if name.startswith("TEAL_")}
    assert told.pop("TEAL_TEST_HEADER_FILE")
    assert told == {
        "TEAL_ENVIRONMENT": "dev", "TEAL_RELEASE_ID": "r-1", "TEAL_PHASE": "SHIFTING", "TEAL_STEP": "2",
        "TEAL_WEIGHT": "50", "TEAL_TARGET_COLOUR": "green", "TEAL_DIGEST": NEXT, "TEAL_URL": "http://127.0.0.1:1",
    }  # fmt: skip
    assert found["SHOP_TOKEN"] == "another-secret-value"
    assert json.loads((bench.folder / "document").read_text()) == {
        "environment": "dev", "release": "r-1", "phase": "SHIFTING", "step": 2, "steps": [5, 50, 100], "weight": 50,
        "targetColour": "green", "digest": NEXT, "url": "http://127.0.0.1:1", "startedBy": "ann",
        "startedAt": "2026-11-23T12:00:00+00:00",
    }  # fmt: skip
    assert (bench.folder / "folder").read_text().strip() == str(bench.folder)


def test_the_secret_is_in_a_file_of_ours_alone_and_nowhere_else(bench: Bench) -> None:
    looking = 'cp -p "$TEAL_TEST_HEADER_FILE" header; cat "$TEAL_TEST_HEADER_FILE"; echo $SHOP_TOKEN'
    bench.add(Phase.VERIFYING, f'{looking}; cat /proc/$PPID/cmdline /proc/$$/cmdline /proc/$$/environ | tr "\\0" " "')
    assert bench.answer(VERIFYING).answer is Answer.GO
    assert (bench.folder / "header").read_text() == f"X-Teal-Test: {SECRET}\n"
    assert (bench.folder / "header").stat().st_mode & 0o777 == 0o600
    [run] = bench.runs
    assert SECRET not in str(bench.runs)
    assert run.output.startswith("X-Teal-Test: ***\n***\n")
    assert run.output.count("***") == 3  # the third is SHOP_TOKEN again, in its environment


def test_a_secret_cut_in_two_is_not_shown() -> None:
    raw = (SECRET[5:] + SECRET * 90).encode()
    assert SECRET[-10:] not in last_words(raw, [SECRET], is_cut=True)


def test_every_step_is_asked_anew(bench: Bench) -> None:
    bench.add(Phase.SHIFTING, 'echo "$TEAL_STEP" >> asked')
    for step in range(3):
        assert bench.answer(replace(SHIFTING, step=step)).answer is Answer.GO
    assert (bench.folder / "asked").read_text() == "1\n2\n3\n"


def test_hooks_of_another_phase_are_ended_first(bench: Bench) -> None:
    bench.add(Phase.VERIFYING, "echo $$ > pid.new; mv pid.new pid; exec sleep 60")
    bench.add(Phase.ROLLING_BACK, "kill -0 $(cat pid) 2> /dev/null && exit 1; exit 0", "back")
    bench.ask(VERIFYING)
    pid = int(bench.read("pid"))
    assert bench.answer(flight(phase=Phase.ROLLING_BACK)).answer is Answer.GO
    assert not is_running(pid)
    assert [(run.command, run.answer) for run in bench.runs] == [("./hook", Answer.WAIT), ("./back", Answer.GO)]


def test_the_end_is_told_once_whatever_the_answer(bench: Bench) -> None:
    bench.add(Phase.SETTLING, "exit 0", "settling")
    bench.add(Phase.DONE, 'echo "$TEAL_RELEASE_ID $TEAL_PHASE $TEAL_WEIGHT $TEAL_DIGEST"; exit 75')
    assert bench.answer(flight(phase=Phase.SETTLING, step=2)).answer is Answer.GO
    [run] = bench.adapter.tell("r-1", Phase.DONE)
    assert (run.phase, run.answer, run.output) == ("DONE", Answer.WAIT, f"r-1 DONE 100 {NEXT}")


def test_the_end_is_told_of_a_release_that_was_not_seen_before(bench: Bench) -> None:
    bench.add(Phase.ROLLED_BACK, 'echo "$TEAL_ENVIRONMENT $TEAL_RELEASE_ID $TEAL_PHASE $TEAL_DIGEST"')
    [run] = bench.adapter.tell("r-9", Phase.ROLLED_BACK)
    assert run.output == "dev r-9 ROLLED_BACK"


def test_who_hears_of_the_way_back_may_finish(bench: Bench) -> None:
    bench.add(Phase.ROLLING_BACK, "sleep 0.3; echo page sent")
    assert bench.ask(flight(phase=Phase.ROLLING_BACK)).answer is Answer.WAIT
    [run] = bench.adapter.tell("r-1", Phase.ROLLED_BACK)
    assert (run.phase, run.answer, run.output) == ("ROLLING_BACK", Answer.GO, "page sent")


def test_close_ends_everything(bench: Bench) -> None:
    bench.add(Phase.VERIFYING, "echo $$ > pid.new; mv pid.new pid; exec sleep 60")
    bench.ask(VERIFYING)
    pid = int(bench.read("pid"))
    bench.adapter.close()
    assert not is_running(pid)


ENGINE = """
import sys, time
from pathlib import Path
from release.adapters.hook_run import Hook
from release.adapters.hooks import Executables, Surroundings
from release.machine import Phase
from release_world import flight

around = Surroundings(environment="dev", folder=Path(sys.argv[1]), url="", secret="s", variables={})
adapter = Executables({Phase.VERIFYING: (Hook(command=("./hook",)),)}, lambda: around, grace_seconds=0.2)
adapter.ask(flight(phase=Phase.VERIFYING))
time.sleep(60)
"""


def test_no_hook_outlives_a_killed_engine(bench: Bench) -> None:
    bench.add(Phase.VERIFYING, 'ls "$TEAL_TEST_HEADER_FILE" > header; echo $$ > pid.new; mv pid.new pid; sleep 60')
    root = Path(__file__).parents[2]
    variables = {**os.environ, "PYTHONPATH": f"{root}:{root / 'tests'}"}
    with subprocess.Popen([sys.executable, "-c", ENGINE, str(bench.folder)], env=variables) as engine:
        pid, header = int(bench.read("pid")), Path(bench.read("header").strip())
        assert is_running(pid)
        assert header.exists()
        engine.send_signal(signal.SIGKILL)
    until(lambda: not is_running(pid))
    until(lambda: not header.exists())
