"""A command run for whoever sits at ours: real processes, real terminals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest

from pty_world import Terminal, follows_window_and_keys, terminal

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from pathlib import Path
from containers.errors import InstanceEnded
from containers.model import Invocation
from containers.terminal import attach
pid, mark, has_terminal, *command = sys.argv[1:]
try:
    sys.exit(attach(Invocation(
        command=command, environment={"PATH": "/usr/bin:/bin", "TEAL_INSTANCE": "i-1"}, folder=Path("/tmp"),
        has_terminal=has_terminal == "yes", instance_pid=int(pid) or None, exit_mark=mark.encode())))
except InstanceEnded as error:
    print(error)
    sys.exit(137)
"""


def command(*words: str, pid: int = 0, mark: str = "", has_terminal: bool = True) -> list[str]:
    return [sys.executable, "-c", PROGRAM, str(pid), mark, "yes" if has_terminal else "no", *words]


def at(*words: str, **more: Any) -> AbstractContextManager[Terminal]:
    return terminal(command(*words, **more), cwd=ROOT)


def run(*words: str, typed: str = "", **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words, **more), cwd=ROOT, input=typed, capture_output=True, text=True, timeout=30, check=False
    )


def wait_for(what: Callable[[], Any], seconds: float = 15) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


def processes_with(word: str) -> list[psutil.Process]:
    """Those whose command line has a word that nobody else's has."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if word in words and PROGRAM not in words:
            found.append(process)
    return found


def test_a_shell_has_a_terminal_of_its_own_with_window_size_and_signals() -> None:

    with at("sh") as session:
        session.type("PS1='ready''> '; tty; echo at $PWD in $TEAL_INSTANCE\n")
        assert "/dev/pts/" in session.read_until("at /tmp in i-1\r\n")
        session.read_until("ready> ")
        follows_window_and_keys(session)
        session.type("exit 7\n")
        assert session.ended() == 7


def test_the_exit_code_is_the_commands() -> None:
    assert run("sh", "-c", "exit 3", has_terminal=False).returncode == 3
    assert run("sh", "-c", "kill -TERM $$", has_terminal=False).returncode == 128 + signal.SIGTERM
    assert run("no-such-program", has_terminal=False).returncode == 127
    assert run("/tmp", has_terminal=False).returncode == 126


def test_without_a_terminal_input_output_and_errors_are_three_streams() -> None:
    done = run("sh", "-c", "cat; echo wrong >&2", typed="in and out\n", has_terminal=False)
    assert (done.stdout, done.stderr) == ("in and out\n", "wrong\n")


def test_a_program_that_tells_its_code_in_the_output_is_believed() -> None:
    script = "printf 'some words\\033]7337;abc;'; sleep 0.2; printf '42\\007'"
    assert run("sh", "-c", script, mark="\033]7337;abc;").returncode == 42
    assert run("sh", "-c", script, mark="\033]7337;other;").returncode == 0


def test_what_is_typed_ends_where_our_input_ends() -> None:
    done = run("cat", typed="half a line")
    assert done.returncode == 0
    assert "half a line" in done.stdout


def test_the_terminal_is_as_it_was_afterwards(tmp_path: Path) -> None:
    with terminal(["sh"], {**os.environ, "OLD": str(tmp_path / "old")}, ROOT) as session:
        session.type("PS1='outer''> '; stty -a > $OLD\n")
        session.read_until("outer> ")
        words = " ".join(f"'{word}'" for word in command("true"))
        session.type(f"{words}; stty -a | cmp - $OLD && echo all the 'same'\n")
        session.read_until("all the same\r\n")


def test_it_ends_with_the_instance() -> None:
    instance = subprocess.Popen(["sleep", "20"])
    with at("sh", pid=instance.pid) as session:
        session.type("PS1='ready''> '; echo here\n")
        session.read_until("ready> ")
        session.type("sleep 300.25 & nohup setsid sleep 300.75 > /dev/null 2>&1 &\n")
        left = wait_for(lambda: len(found := processes_with("300.25") + processes_with("300.75")) >= 2 and found)
        instance.kill()
        instance.wait()
        assert session.ended() == 137
        assert "the instance ended, and with it what ran inside" in session.seen
        wait_for(lambda: not any(process.is_running() for process in left))


def test_what_is_left_in_the_background_ends_with_the_command() -> None:
    done = run("sh", "-c", "setsid sleep 300.5 > /dev/null 2>&1 & echo begun", has_terminal=False)
    assert done.stdout == "begun\n"
    wait_for(lambda: not processes_with("300.5"))


def test_a_signal_to_the_command_reaches_what_runs_inside() -> None:
    script = "trap 'echo told; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        command("sh", "-c", script, has_terminal=False), cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    with process.stdout:
        assert process.stdout.readline() == "ready\n"
        os.kill(process.pid, signal.SIGTERM)
        assert process.stdout.readline() == "told\n"
    assert process.wait(15) == 5


def test_killed_by_force_it_leaves_no_shell_behind() -> None:
    with at("sh", "-c", "echo begun; exec sleep 300.125") as session:
        session.read_until("begun")
        [left] = wait_for(lambda: processes_with("300.125"))
        session.process.kill()
        wait_for(lambda: not left.is_running())


def test_an_instance_that_is_gone_already_is_told() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    done = run("true", pid=ended.pid, has_terminal=False)
    assert (done.returncode, done.stdout) == (137, "the instance is gone: it ended just now\n")
