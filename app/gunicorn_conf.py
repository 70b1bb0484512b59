"""Gunicorn's configuration: pre-fork, threaded workers, JSON logs, an orderly stop."""

import gc
import math
import os
import signal
import sys
from pathlib import Path
from typing import Any

PARENT = str(Path(__file__).resolve().parent.parent)
sys.path.insert(0, PARENT)  # for the import below; `pythonpath` does the same for the application

from app.settings import read_settings  # noqa: E402

settings = read_settings(os.environ)

pythonpath = PARENT
wsgi_app = "app.wsgi:application"
proc_name = "teal"
bind = settings.bind
workers = settings.workers
threads = settings.threads
worker_class = "app.leader.LeaderWorker" if settings.is_behind_nginx else "app.worker.DrainingWorker"
logger_class = "app.access_log.JsonLogger"
accesslog = "-" if settings.logs_requests else None
errorlog = "-"
preload_app = (
    True  # imported once and shared by fork: starts sooner, takes less memory, and a broken build never listens
)
backlog = 4096  # as many as NGINX may have open: where a Unix socket's queue is full, it would answer 502
keepalive = 75  # longer than the load balancer's idle timeout of 60 s, so that it is never we who close first
timeout = 60  # a worker that does not report for so long is replaced; requests may take longer, threads do not report
graceful_timeout = 30 + math.ceil(settings.stop_grace_seconds)  # Gunicorn counts both from SIGTERM
control_socket_disable = True
if Path("/dev/shm").is_dir():  # noqa: S108  # heartbeats must never wait for a disk
    worker_tmp_dir = "/dev/shm"  # noqa: S108


def when_ready(server: Any) -> None:
    """Before the first worker: what is there now stays for good, so no collection need look at it or unshare it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def post_fork(server: Any, worker: Any) -> None:
    """Lets SIGTERM end a worker that is still starting; it has no request yet.

    Until a worker has handlers of its own it has its parent's, which put the order into a queue that here nobody reads:
    the worker would stay, taking requests, until it was killed with them.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while not server.SIG_QUEUE.empty():
        if server.SIG_QUEUE.get_nowait() == signal.SIGTERM:
            sys.exit(0)
