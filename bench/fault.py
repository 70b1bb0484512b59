"""Makes a version of the app that is bad for its users while its health checks stay green. Goes into images of benches.

The Procfile of such an image says which fault, and after how many requests of an instance it shows:
BENCH_FAULT=errors|crash|slow BENCH_AFTER=N BENCH_SHARE=0..1. Nothing here is part of any image but a bench's.
"""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

SPARED = ("/livez", "/readyz")
"""What the load balancer asks is always well: a version that is plainly dead would never get a request."""
SLOW_SECONDS = 3.0

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Faulty:
    """Around an application. Made before Gunicorn forks, so that all workers of an instance count together."""

    def __init__(self, app: Wsgi, fault: str, after: int, share: float) -> None:
        if fault not in FAULTS:
            raise ValueError(f"fault must be one of {', '.join(FAULTS)}, got {fault!r}")
        self._app, self._after, self._share = app, after, share
        self._do = FAULTS[fault]
        self._answered = multiprocessing.Value("Q")

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers a request, the later ones badly."""
        if environ.get("PATH_INFO") in SPARED:
            return self._app(environ, start_response)
        with self._answered.get_lock():
            self._answered.value += 1
            is_late = self._answered.value > self._after
        if is_late and random.random() < self._share:  # noqa: S311  # which requests suffer is no secret
            return self._do(self._app, environ, start_response)
        return self._app(environ, start_response)


def faulty(app: Wsgi, environment: Mapping[str, str]) -> Faulty:
    """The application with the fault that the environment asks for. Raises ValueError, KeyError."""
    share = float(environment.get("BENCH_SHARE", "1"))
    return Faulty(app, environment["BENCH_FAULT"], int(environment["BENCH_AFTER"]), share)


def _error(app: Wsgi, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    body = b'{"error": "out of order"}'
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("500 Internal Server Error", headers)
    return [body]


def _slow(app: Wsgi, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    time.sleep(SLOW_SECONDS)
    return app(environ, start_response)


def _crash(app: Wsgi, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The whole instance: Gunicorn would start a lone worker again."""
    os.kill(os.getppid(), signal.SIGKILL)
    os._exit(1)


FAULTS: Mapping[str, Callable[[Wsgi, dict[str, Any], Callable[..., Any]], Iterable[bytes]]] = {
    "errors": _error,
    "crash": _crash,
    "slow": _slow,
}
