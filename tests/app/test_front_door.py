import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.front_door import await_queue_empty, open_door, queued, turn_newcomers_away


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with open_door("127.0.0.1", 0) as opened:
        yield opened


def test_those_in_the_queue_are_served_and_newcomers_are_refused(door: socket.socket) -> None:
    with socket.create_connection(door.getsockname()) as early:
        early.sendall(b"here")
        assert turn_newcomers_away(door)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(door.getsockname(), 0.2)
        accepted, _ = door.accept()
        with accepted:
            accepted.settimeout(2)
            assert accepted.recv(4) == b"here"
            accepted.sendall(b"served")
            assert early.recv(6) == b"served"


APP = Path(__file__).parents[2] / "app"
ALONE = """
print(turn_newcomers_away(open_door("127.0.0.1", 0)))
"""


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="not run: it needs root to drop rights")
def test_it_takes_no_right_at_all() -> None:
    rights = ("setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "--no-new-privs", "--bounding-set=-all")
    python = next(path for path in ("/usr/bin/python3", sys.executable) if Path(path).exists())
    done = subprocess.run(
        [*rights, python, "-"], input=(APP / "front_door.py").read_text() + ALONE,
        capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_the_queue_is_empty_once_everybody_was_accepted(door: socket.socket) -> None:
    with socket.create_connection(door.getsockname()), socket.create_connection(door.getsockname()):
        assert queued(door) == 2
        accepted, _ = door.accept()
        with accepted:
            assert queued(door) == 1
            assert not await_queue_empty(door, 0.1), "one waits, and nobody accepts it"
            late = threading.Timer(0.3, lambda: door.accept()[0].close())
            late.start()
            assert await_queue_empty(door, 5)
            late.join()
