"""Gunicorn's worker behind NGINX: quick requests one after the other, slow ones aside.

NGINX keeps the clients' connections and hands over each request, whole, on a connection of its own to a Unix socket on
which all workers listen. A worker takes one only when it can serve it at once, so a request never waits at a busy
worker while another is idle, and within a worker no two quick ones fight for the interpreter. That is what makes the
slowest of a hundred requests quick (`bench/app_throughput.py`).

One thread leads: it accepts and answers. When a request takes longer than SLOW_SECONDS, it most likely waits for
something; then the main thread passes the lead on to another thread, and the slow one follows again when it is done.
"""

import errno
import math
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from gunicorn import http
from gunicorn.workers.sync import SyncWorker

SLOW_SECONDS = 0.02
"""Longest that a request may keep the others waiting; also how often a busy worker is looked at."""
HEARTBEAT_SECONDS = 1.0
LEAVING_SECONDS = 5.0
"""Longest that a worker which is to end takes in connections that wait; it ends before where there are none."""
GONE = frozenset({errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN})


class Turn:
    """A thread's time as the leader. The leader writes began and served, the main thread is_over."""

    def __init__(self) -> None:
        self.began = 0.0
        """When its present request began, by the monotonic clock; 0 between requests."""
        self.served = 0
        self.is_over = False


class LeaderWorker(SyncWorker):  # type: ignore[misc]  # gunicorn is untyped
    """Set as Gunicorn's worker_class where bind is a Unix socket; `threads` is how many requests may be under way.

    No lock guards what the threads share: each attribute has one writer at a time, and whoever passes something on
    writes before it looks.
    """

    alive: bool
    wsgi: Callable[[dict[str, Any], Any], Iterable[bytes]]

    def init_process(self) -> None:
        """Called by Gunicorn in the new process; returns when the worker is to end."""
        self.listener: socket.socket = self.sockets[0]
        self.listener.setblocking(False)
        self.lead = threading.Semaphore(1)
        self.turn = Turn()
        self.seen = 0
        """How many requests the leader had served when it was looked at last."""
        self.is_watched = False
        self.leaves_at = math.inf
        self.closing = os.eventfd(0)
        self.newcomers = select.epoll()
        # Exclusive: a request wakes one worker, not all of them.
        self.newcomers.register(self.listener, select.EPOLLIN | select.EPOLLEXCLUSIVE)
        self.newcomers.register(self.closing, select.EPOLLIN)
        super().init_process()

    def load_wsgi(self) -> None:
        """Has the application told that there are other threads, which the base class denies."""
        super().load_wsgi()
        application = self.wsgi

        def among_threads(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            environ["wsgi.multithread"] = True
            return application(environ, start_response)

        self.wsgi = among_threads

    def run(self) -> None:
        """The main thread: shows Gunicorn that the worker lives, and watches the leader while there are requests."""
        threads = [threading.Thread(target=self.follow, daemon=True) for _ in range(self.cfg.threads)]
        for thread in threads:
            thread.start()
        while self.alive and self.is_parent_alive():
            self.notify()
            if self.is_watched:
                time.sleep(SLOW_SECONDS)
                self.watch()
            else:
                self.wait_for_signal_or_request()
        self.alive = False
        self.leaves_at = time.monotonic() + LEAVING_SECONDS
        os.eventfd_write(self.closing, 1)
        for thread in threads:
            while thread.is_alive():  # Gunicorn ends who takes longer than graceful_timeout
                self.notify()
                thread.join(HEARTBEAT_SECONDS)

    def wait_for_signal_or_request(self) -> None:
        """Returns when a signal came, when a leader that nobody watches has a request, or after a heartbeat."""
        if select.select([self.PIPE[0]], [], [], HEARTBEAT_SECONDS)[0]:
            os.read(self.PIPE[0], 4096)

    def watch(self) -> None:
        """Passes the lead on where the leader's request is slow; stops watching where there was none."""
        turn, served = self.turn, self.turn.served
        began = turn.began
        if began and not turn.is_over and time.monotonic() - began > SLOW_SECONDS:
            turn.is_over = True
            self.lead.release()
        elif not began and served == self.seen:
            self.is_watched = False
            self.is_watched = turn.began > 0  # one that began just now may have found itself watched still
        self.seen = served

    def follow(self) -> None:
        """A thread: waits for the lead, and leads. Returns when the worker ends and no connection waits."""
        while True:
            self.lead.acquire()
            self.turn = turn = Turn()
            while not turn.is_over:
                accepted = self.next_connection()
                if accepted is None:
                    self.lead.release()
                    return
                turn.began = time.monotonic()
                if not self.is_watched:
                    self.is_watched = True
                    os.write(self.PIPE[1], b".")
                self.answer(*accepted)
                turn.served += 1
                turn.began = 0.0

    def next_connection(self) -> tuple[socket.socket, Any] | None:
        """The connection that has waited longest; None once the worker ends, and there is none or it is time to go."""
        while time.monotonic() < self.leaves_at:
            try:
                connection, address = self.listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                if not self.alive:
                    return None
                self.newcomers.poll()
            except OSError:  # too many open files, say: Gunicorn starts another worker
                self.log.exception("No connection can be accepted; this worker ends")
                self.alive = False
                return None
            else:
                connection.setblocking(True)
                return connection, address
        return None

    def answer(self, connection: socket.socket, address: Any) -> None:
        """Reads the one request of a connection, has the application answer, and closes."""
        request = None
        try:
            request = next(http.get_parser(self.cfg, connection, address))
            self.handle_request(self.listener, request, connection, address)
        except (http.errors.NoMoreData, StopIteration):
            self.log.debug("A connection ended before its request")
        except OSError as error:
            if error.errno not in GONE:
                self.log.exception("A request could not be read or answered")
        except (Exception, SystemExit) as error:  # an application may raise the latter; the thread must go on
            self.handle_error(request, connection, address, error)
        finally:
            hang_up(connection)


def hang_up(connection: socket.socket) -> None:
    """Closes without waiting for the other side, as Gunicorn would.

    What was sent on a Unix socket is at the other side already, and stays readable there, if nothing is left unread
    here: of a body that the application did not want, say.
    """
    with suppress(OSError):
        connection.setblocking(False)
        while connection.recv(65_536):
            pass
    connection.close()
