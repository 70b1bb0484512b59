"""Process 1 of the image: runs NGINX and Gunicorn and stops them in the order in which no request is lost.

On SIGTERM, SIGQUIT or SIGINT: the drain file appears, so /readyz answers 503 and every response ends its connection,
while everything is still served; after the grace no connection begins any more, those in the queue are taken in, and
NGINX gets SIGQUIT and finishes what it has; only then Gunicorn, which nobody asks any more, gets SIGTERM.
When one of the two ends by itself, the other is stopped too and the container fails, to be replaced.
"""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from app.front_door import BACKLOG, await_queue_empty, open_door, turn_newcomers_away

GUNICORN = (sys.executable, "-m", "gunicorn", "--config", "/srv/app/gunicorn_conf.py")
NGINX = ("/usr/sbin/nginx", "-e", "stderr", "-c", "/srv/app/nginx/nginx.conf", "-g", "daemon off;")
ALL_ADDRESSES = "0.0.0.0"  # noqa: S104  # a container's own; who may ask is for its network to say
PORT = 8080
START_SECONDS = 60.0
LONGEST_STOP_SECONDS = 60.0
BEGUN_SECONDS = 0.25
"""From the last beginning of a connection until it surely is in the queue: kernels do that by themselves."""
QUEUE_SECONDS = 10.0
"""Longest that NGINX may take to accept what is in the queue, on a busy machine."""
LOGGED = ("version", "digest", "colour", "instance")
UNSAFE = re.compile(r"[^A-Za-z0-9._:/@+-]")


class Orders:
    """Whether a signal has asked for the end; later ones change nothing. Wakes whoever waits on a child's end, too."""

    def __init__(self) -> None:
        self.stop = False
        self.wakes, waker = os.pipe()
        os.set_blocking(self.wakes, False)
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        for name in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
            signal.signal(name, self.receive)

    def receive(self, _signal: int, _frame: FrameType | None) -> None:
        """Called on the signal."""
        self.stop = True

    def wait(self, seconds: float | None = None) -> None:
        """Returns at the next signal, or after so many seconds."""
        if select.select([self.wakes], [], [], seconds)[0]:
            os.read(self.wakes, 4096)


def main(
    gunicorn: Sequence[str] = GUNICORN, nginx: Sequence[str] = NGINX, environment: Mapping[str, str] = os.environ
) -> int:
    """Serves until told to stop; the exit status, 0 after an orderly stop and 1 when a server ended by itself."""
    grace_seconds = float(environment.get("TEAL_STOP_GRACE_SECONDS") or 5)
    drain_file = Path(environment["TEAL_DRAIN_FILE"])
    drain_file.unlink(missing_ok=True)
    host, port = environment.get("TEAL_HOST") or ALL_ADDRESSES, int(environment.get("TEAL_PORT") or PORT)
    drain_file.with_name("teal-identity.conf").write_text(identity_map(environment))
    drain_file.with_name("teal-listen.conf").write_text(f"listen {host}:{port} backlog={BACKLOG};\n")
    orders = Orders()
    # The grace is spent here, before NGINX closes; Gunicorn has nothing to wait for after that.
    back = subprocess.Popen(gunicorn, env={**environment, "TEAL_STOP_GRACE_SECONDS": "0"})
    if not _is_up(environment["TEAL_BIND"].removeprefix("unix:"), back, orders):
        _end(back, signal.SIGTERM)
        return 0 if orders.stop else _failed("gunicorn did not start")
    with open_door(host, port) as door:
        # NGINX takes over the sockets that this variable names, as it does when its own binary is replaced.
        inherited = {**environment, "NGINX": f"{door.fileno()};"}
        front = subprocess.Popen(nginx, env=inherited, pass_fds=[door.fileno()])
        while not orders.stop and back.poll() is None and front.poll() is None:
            orders.wait()
            _reap({back.pid, front.pid})
        if orders.stop:
            drain_file.touch()
            time.sleep(grace_seconds)
            turn_newcomers_away(door)
            time.sleep(BEGUN_SECONDS)
            await_queue_empty(door, QUEUE_SECONDS)
    _end(front, signal.SIGQUIT)
    _end(back, signal.SIGTERM)
    return 0 if orders.stop else _failed("a server ended by itself")


def identity_map(environment: Mapping[str, str]) -> str:
    """NGINX variables for its access log: who this container is. What could end a quoted text becomes `_`."""
    values = {name: UNSAFE.sub("_", environment.get(f"TEAL_{name.upper()}", "")) for name in LOGGED}
    return "".join(f'map "" $teal_{name} {{ default "{value}"; }}\n' for name, value in values.items())


def _is_up(path: str, server: subprocess.Popen[bytes], orders: Orders) -> bool:
    """Whether somebody listens on the Unix socket at path, before the server ends, an order comes or time is over."""
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and not orders.stop and time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as caller:
            if caller.connect_ex(path) == 0:
                return True
        orders.wait(0.02)
    return False


def _reap(own: set[int]) -> None:
    """Takes note of the end of processes that were left to process 1; those of our own are for Popen to note."""
    while (ended := _ended()) and ended not in own:
        os.waitpid(ended, 0)


def _ended() -> int:
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return 0
    return found.si_pid if found else 0


def _end(server: subprocess.Popen[bytes], order: signal.Signals) -> None:
    """Sends order and waits; a server that does not follow within a minute is killed."""
    if server.poll() is None:
        server.send_signal(order)
    try:
        server.wait(LONGEST_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(LONGEST_STOP_SECONDS)


def _failed(why: str) -> int:
    print(f"supervisor: {why}", file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    sys.exit(main())
