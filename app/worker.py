"""Gunicorn's threaded worker, stopping in the order in which a load balancer loses nothing.

1. SIGTERM: /readyz answers 503 and every response says `Connection: close`; all requests are still served, on open
   connections and on new ones, for TEAL_STOP_GRACE_SECONDS.
2. The listener closes. Connections that the kernel has already taken in are served too; later ones are refused, which
   a load balancer may safely retry elsewhere.
3. Requests in flight finish (graceful_timeout). An idle kept-alive connection stays open for two seconds more, in
   which a request on it is still answered, with `Connection: close`; then it gets an orderly end (FIN).
   A request that a client sends later than that meets a closed connection: hence clients drain first, as 1 tells them.
"""

import os
import select
import signal
import time
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from app.health import readiness_of
from app.settings import read_settings


class DrainingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn is untyped
    """Set as Gunicorn's worker_class; wants preload_app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stop_grace_seconds = read_settings(os.environ).stop_grace_seconds

    def init_signals(self) -> None:
        """Called by Gunicorn in the new process."""
        super().init_signals()
        signal.signal(signal.SIGALRM, super().handle_exit)
        signal.siginterrupt(signal.SIGALRM, False)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: drains at once, stops accepting after the grace. Takes no lock, as it can interrupt anything."""
        readiness = readiness_of(self.app.wsgi())
        if readiness.is_draining:
            return
        readiness.is_draining = True
        self.max_keepalived = 0  # no room for idle connections: Gunicorn ends each with its response
        if self.stop_grace_seconds > 0:
            signal.setitimer(signal.ITIMER_REAL, self.stop_grace_seconds)
        else:
            super().handle_exit(sig, frame)

    def set_accept_enabled(self, enabled: bool) -> None:
        """Called by Gunicorn's loop; when stopping it takes in what waits in the backlog, then closes the listener.

        Left open, the listener would go on completing handshakes that nobody answers, and reset them at exit.
        """
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()
        self.end_silent_connections()

    def end_silent_connections(self) -> None:
        """Gives connections that never sent a byte as long as idle ones, where Gunicorn waits until it is killed."""
        deadline = time.monotonic() + STOP_KEEPALIVE_LINGER
        for connection in self.pending_conns:
            connection.timeout = min(connection.timeout, deadline)
