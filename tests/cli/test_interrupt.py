"""Ctrl-C, as a terminal gives it (to all processes in the foreground) and as a script does (to the command alone)."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli_world import FakeCloud, Teal
from fake_machine import wait_for

PROGRAM = Path(sys.executable).with_name("teal")
ADVICE = "teal: interrupted: what is made so far stays; `teal local up dev` goes on from there"


@pytest.mark.engine  # a process, for its whole life
def test_a_signal_to_the_command_alone_reaches_the_engine_once(binaries: Path, cloud: FakeCloud) -> None:
    with subprocess.Popen(
        [PROGRAM, "local", "up"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        wait_for((binaries / "busy").exists)
        running.send_signal(signal.SIGINT)
        try:
            out, err = running.communicate(timeout=20)
        finally:
            running.kill()
    assert running.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == ADVICE
    assert "Traceback" not in err
    assert (binaries / "told").read_text() == "told\n"
    record = cloud.home.record()
    assert record
    assert record.is_alive


@pytest.mark.engine  # a process, for its whole life
@pytest.mark.usefixtures("cloud")
def test_ctrl_c_on_a_terminal_reaches_the_engine_once(binaries: Path) -> None:
    child, terminal = pty.fork()
    if child == 0:
        os.execv(PROGRAM, [str(PROGRAM), "local", "up"])  # noqa: S606  # no shell is wanted
    wait_for((binaries / "busy").exists)
    time.sleep(0.2)  # the command is waiting for the engine by now
    os.write(terminal, b"\x03")
    shown = b""
    while True:
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # its other end is closed
            break
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 130
    assert ADVICE in shown.decode()
    assert (binaries / "told").read_text() == "told\n"


@pytest.mark.usefixtures("project")
def test_elsewhere_ctrl_c_is_one_word(teal: Teal, monkeypatch: pytest.MonkeyPatch) -> None:
    def ensure(report: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.engine.ensure", ensure)
    ended = teal("toolchain", "show")
    assert (ended.code, ended.out, ended.told) == (130, "", "teal: interrupted")
