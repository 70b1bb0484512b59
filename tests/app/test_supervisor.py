import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
SERVER = """
import os, pathlib, signal, socket, sys, time
name, events, drain_file = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
if name == "gunicorn":
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.environ["TEAL_BIND"].removeprefix("unix:"))
    listener.listen()
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


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Supervised:
    """The supervisor over two stand-ins that note what they are told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events = folder / "events"
        drain_file = folder / "draining"
        commands = [
            repr([sys.executable, "-c", SERVER, name, str(self.events), str(drain_file)])
            for name in ("gunicorn", "nginx")
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR, *commands],
            cwd=ROOT,
            env={
                "TEAL_DRAIN_FILE": str(drain_file),
                "TEAL_STOP_GRACE_SECONDS": "0.2",
                "TEAL_BIND": f"unix:{folder / 'socket'}",
                "TEAL_HOST": "127.0.0.1",
                "TEAL_PORT": str(free_port()),
                "TEAL_COLOUR": 'blue"; evil',
            },
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


def test_nginx_is_told_who_it_serves_for_in_words_that_cannot_end_a_quote(supervised: Supervised) -> None:
    written = (supervised.folder / "teal-identity.conf").read_text()
    supervised.process.send_signal(signal.SIGTERM)
    supervised.end()
    assert 'map "" $teal_colour { default "blue___evil"; }\n' in written


def test_nobody_is_let_in_before_gunicorn_listens(tmp_path: Path) -> None:
    """A Gunicorn that ends at once is a container that fails, and NGINX never starts."""
    commands = [repr([sys.executable, "-c", "raise SystemExit(3)"]), repr(["/no/nginx"])]
    environment = {"TEAL_DRAIN_FILE": str(tmp_path / "draining"), "TEAL_BIND": f"unix:{tmp_path / 'socket'}"}
    done = subprocess.run(
        [sys.executable, "-c", SUPERVISOR, *commands],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert (done.returncode, done.stderr) == (1, "supervisor: gunicorn did not start\n")
