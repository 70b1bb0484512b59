"""Runs NGINX and Gunicorn in one container and stops them in the order in which no request is lost.

On SIGTERM or SIGQUIT: the drain file appears, so /readyz answers 503 while everything is still served; after the grace
NGINX gets SIGQUIT, stops listening and finishes what it has; only then Gunicorn, which nobody asks any more, gets
SIGTERM. When one of the two ends by itself, the other is stopped too and the container fails, to be replaced.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

GUNICORN = ("gunicorn", "--config", "gunicorn_conf.py")
NGINX = ("nginx", "-e", "stderr", "-c", "/srv/app/nginx/nginx.conf", "-g", "daemon off;")
POLL_SECONDS = 0.1
LONGEST_STOP_SECONDS = 60.0


class Orders:
    """Whether a signal has asked for the end; later ones change nothing."""

    def __init__(self) -> None:
        self.stop = False
        for name in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
            signal.signal(name, self.receive)

    def receive(self, _signal: int, _frame: FrameType | None) -> None:
        """Called on the signal."""
        self.stop = True


def main(
    gunicorn: Sequence[str] = GUNICORN, nginx: Sequence[str] = NGINX, environment: Mapping[str, str] = os.environ
) -> int:
    """Serves until told to stop; the exit status, 0 after an orderly stop and 1 when a server ended by itself."""
    grace_seconds = float(environment.get("TEAL_STOP_GRACE_SECONDS") or 5)
    drain_file = Path(environment["TEAL_DRAIN_FILE"])
    drain_file.unlink(missing_ok=True)
    orders = Orders()
    # The grace is spent here, before NGINX closes; Gunicorn has nothing to wait for after that.
    back = subprocess.Popen(gunicorn, env={**environment, "TEAL_STOP_GRACE_SECONDS": "0"})
    front = subprocess.Popen(nginx)
    while not orders.stop and back.poll() is None and front.poll() is None:
        time.sleep(POLL_SECONDS)
    if orders.stop:
        drain_file.touch()
        time.sleep(grace_seconds)
    else:
        print("supervisor: a server ended by itself", file=sys.stderr)  # noqa: T201
    _end(front, signal.SIGQUIT)
    _end(back, signal.SIGTERM)
    return 0 if orders.stop else 1


def _end(server: subprocess.Popen[bytes], order: signal.Signals) -> None:
    """Sends order and waits; a server that does not follow within a minute is killed."""
    if server.poll() is None:
        server.send_signal(order)
    try:
        server.wait(LONGEST_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(LONGEST_STOP_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
