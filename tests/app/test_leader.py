"""Real Gunicorn processes as behind NGINX: a request a connection, over a Unix socket."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.process

APP = Path(__file__).parents[2] / "app"
APPLICATION = """
import sys, threading, time
counts, lock = {"now": 0, "most": 0}, threading.Lock()
def application(environ, start_response):
    path = environ["PATH_INFO"]
    with lock:
        counts["now"] += 1
        counts["most"] = max(counts.values())
    try:
        if path == "/fails":
            raise ValueError("the application's mistake")
        if path == "/exits":
            sys.exit(3)
        time.sleep(float(environ["QUERY_STRING"] or 0))
    finally:
        with lock:
            counts["now"] -= 1
    body = f"{path} most={counts['most']} threads={environ['wsgi.multithread']}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


class Behind:
    """A Gunicorn of one worker and an application that sleeps as long as the query says."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.path = folder / "socket"
        self.stderr = folder / "stderr"
        (folder / "sleeper.py").write_text(APPLICATION)
        with self.stderr.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "--config", "gunicorn_conf.py", "sleeper:application"],
                cwd=APP,
                stdout=subprocess.DEVNULL,
                stderr=err,
                start_new_session=True,
                env={
                    "PATH": "/usr/bin:/bin",
                    "PYTHONPATH": str(folder),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "TEAL_BIND": f"unix:{self.path}",
                    "TEAL_ACCESS_LOG": "0",
                    "TEAL_WORKERS": "1",
                    "TEAL_THREADS": str(threads),
                    "TEAL_STOP_GRACE_SECONDS": "0",
                },
            )

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(10)
        try:
            connection.connect(str(self.path))
        except OSError:
            connection.close()
            raise
        return connection

    def ask(self, path: str, body: bytes = b"") -> str:
        """The whole answer to one request on a connection of its own."""
        with self.connect() as connection:
            head = f"POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            return rest(connection)

    def worker(self) -> psutil.Process:
        [worker] = psutil.Process(self.process.pid).children()
        return worker


def rest(connection: socket.socket) -> str:
    """What comes until the other side closes."""
    told = b""
    while some := connection.recv(65_536):
        told += some
    return told.decode()


@pytest.fixture
def behind(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Behind]:
    served = Behind(tmp_path, getattr(request, "param", 3))
    deadline = time.monotonic() + 20
    while True:
        with suppress(OSError):
            served.ask("/")
            break
        assert served.process.poll() is None, served.stderr.read_text()
        assert time.monotonic() < deadline, "Gunicorn does not listen"
        time.sleep(0.02)
    yield served
    with suppress(ProcessLookupError):
        os.killpg(served.process.pid, signal.SIGKILL)
    served.process.wait(10)


def test_quick_requests_are_answered_one_after_the_other(behind: Behind) -> None:
    with ThreadPoolExecutor(8) as visitors:
        answers = list(visitors.map(behind.ask, ["/?0.002"] * 80))
    assert all(answer.startswith("HTTP/1.1 200") for answer in answers)
    at_once = [int(answer.partition("most=")[2].partition(" ")[0]) for answer in answers]
    assert min(at_once) == 1
    # A worker that the machine keeps waiting in a request looks slow, and another thread takes over: rarely.
    assert sum(most > 1 for most in at_once[:20]) < 10
    assert "threads=True" in answers[0]


def test_slow_requests_keep_no_quick_one_waiting(behind: Behind) -> None:
    with ThreadPoolExecutor(2) as visitors:
        slow = [visitors.submit(behind.ask, "/slow?2") for _ in range(2)]
        time.sleep(0.3)
        began = time.monotonic()
        answers = [behind.ask("/quick") for _ in range(50)]
        assert time.monotonic() - began < 1
        assert not any(one.done() for one in slow)
        assert all("200 OK" in answer for answer in answers)
        assert all("200 OK" in one.result(10) for one in slow)
    assert "200 OK" in behind.ask("/afterwards")


def test_with_every_thread_in_a_slow_request_others_wait_for_one_to_end(behind: Behind) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(8) as visitors:
        answers = list(visitors.map(behind.ask, ["/slow?0.5"] * 6))
    assert all("200 OK" in answer for answer in answers)
    assert "most=3 " in answers[-1]
    assert time.monotonic() - began >= 1
    assert "200 OK" in behind.ask("/afterwards")


def test_a_slow_request_after_a_rest_is_noticed_too(behind: Behind) -> None:
    for _ in range(3):
        time.sleep(0.1)  # the main thread stops watching
        with ThreadPoolExecutor(1) as visitors:
            slow = visitors.submit(behind.ask, "/slow?0.6")
            time.sleep(0.05)
            began = time.monotonic()
            behind.ask("/quick")
            assert time.monotonic() - began < 0.4
            slow.result(10)


def test_whoever_waits_when_it_is_told_to_stop_is_answered(behind: Behind) -> None:
    """More slow requests than threads, and connections whose request comes only after the order."""
    with ThreadPoolExecutor(8) as visitors, behind.connect() as late:
        answers = [visitors.submit(behind.ask, "/slow?0.5") for _ in range(5)]
        time.sleep(0.3)
        behind.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        late.sendall(b"GET /late HTTP/1.1\r\nHost: test\r\n\r\n")
        assert all("200 OK" in answer.result(10) for answer in answers)
        assert "200 OK" in rest(late)
    assert behind.process.wait(5) == 0


def test_idle_it_stops_at_once_and_costs_nothing(behind: Behind) -> None:
    time.sleep(0.2)
    worker = behind.worker()
    before = sum(worker.cpu_times()[:2])
    time.sleep(1.5)
    assert sum(worker.cpu_times()[:2]) - before < 0.05
    began = time.monotonic()
    behind.process.send_signal(signal.SIGTERM)
    assert behind.process.wait(10) == 0
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("path", ["/fails", "/exits"])
def test_an_application_that_fails_or_exits_costs_one_request(behind: Behind, path: str) -> None:
    worker = behind.worker().pid
    for _ in range(5):  # more than there are threads
        assert behind.ask(path).startswith("HTTP/1.1 500")
    assert "200 OK" in behind.ask("/afterwards")
    assert behind.worker().pid == worker


def test_nonsense_silence_and_leavers_cost_nobody_anything(behind: Behind) -> None:
    with behind.connect() as silent, behind.connect() as nonsense:
        nonsense.sendall(b"nonsense\r\n\r\n")
        assert rest(nonsense).startswith("HTTP/1.1 400")
        behind.connect().close()
        assert "200 OK" in behind.ask("/quick")
        silent.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert "200 OK" in rest(silent)


def test_a_body_that_nobody_reads_does_not_cut_the_answer(behind: Behind) -> None:
    for _ in range(20):
        assert behind.ask("/unread", b"x" * 16_384).endswith("threads=True")


def test_a_worker_that_has_no_files_left_makes_way_for_another(behind: Behind) -> None:
    worker = behind.worker()
    psutil.Process(worker.pid).rlimit(psutil.RLIMIT_NOFILE, (8, 8))
    with suppress(OSError):
        behind.ask("/")
    deadline = time.monotonic() + 10
    while behind.process.poll() is None and worker.is_running():
        assert time.monotonic() < deadline, "the worker stays"
        time.sleep(0.05)
    assert "200 OK" in behind.ask("/afterwards")
    assert "No connection can be accepted" in behind.stderr.read_text()
