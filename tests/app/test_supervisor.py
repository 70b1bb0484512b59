import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
SERVER = """
import pathlib, signal, sys, time
name, events, drain_file = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
def note(text):
    with events.open("a") as file:
        file.write(f"{name} {text}\\n")
def end(number, frame):
    note(f"{signal.Signals(number).name} draining={drain_file.exists()}")
    time.sleep(0.2)
    note("ended")
    sys.exit(0)
for order in (signal.SIGTERM, signal.SIGQUIT):
    signal.signal(order, end)
note("up")
while True:
    time.sleep(0.05)
"""
SUPERVISOR = "import sys; from app.supervisor import main; sys.exit(main(eval(sys.argv[1]), eval(sys.argv[2])))"


class Supervised:
    """The supervisor over two stand-ins that note what they are told."""

    def __init__(self, folder: Path) -> None:
        self.events = folder / "events"
        drain_file = folder / "draining"
        commands = [
            repr([sys.executable, "-c", SERVER, name, str(self.events), str(drain_file)])
            for name in ("gunicorn", "nginx")
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, *commands],
            cwd=ROOT,
            env={"TEAL_DRAIN_FILE": str(drain_file), "TEAL_STOP_GRACE_SECONDS": "0.2"},
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 10
        while len(self.lines()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def lines(self) -> list[str]:
        return self.events.read_text().splitlines() if self.events.exists() else []

    def end(self) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=10)
        return self.process.returncode, errors


@pytest.fixture
def supervised(tmp_path: Path) -> Supervised:
    return Supervised(tmp_path)


def test_nginx_finishes_before_gunicorn_is_told(supervised: Supervised) -> None:
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == (0, "")
    assert supervised.lines()[2:] == [
        "nginx SIGQUIT draining=True",
        "nginx ended",
        "gunicorn SIGTERM draining=True",
        "gunicorn ended",
    ]


def test_when_a_server_ends_by_itself_the_container_fails(supervised: Supervised) -> None:
    children = psutil.Process(supervised.process.pid).children()
    [gunicorn] = [child for child in children if "gunicorn" in child.cmdline()]
    gunicorn.kill()
    assert supervised.end() == (1, "supervisor: a server ended by itself\n")
    assert supervised.lines()[2:] == ["nginx SIGQUIT draining=False", "nginx ended"]
