"""The process behind an embedded cloud: API, providers, load balancer and instances, until it is told to stop."""

import argparse
import os
import secrets
import signal
import sys
import threading
from pathlib import Path
from typing import TextIO, cast

import psutil
import structlog

from localcloud.api.recorder import SWITCH
from localcloud.cloud import Cloud
from localcloud.errors import CloudStartFailed, LocalCloudError
from localcloud.home import MARK, CloudRecord, DriverName, Home
from localcloud.logs import Logs, SteadyFile, SteadyText

WATCH_SECONDS = 1.0
SWITCH_SECONDS = 0.0005
"""Longest that one thread may keep an answer to the engine waiting; Python's own figure is ten times that."""


def configure_log(file: TextIO | None = None) -> None:
    """A line of JSON an event, on standard output or in a file."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Without local variables, which structlog would show: they may hold a secret that was being written.
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(file),
    )


def main() -> int:
    """Runs one cloud in the folder given; its record appears there once everything answers."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("project", type=Path)
    parser.add_argument("regions", nargs="+")
    parser.add_argument("--driver", type=DriverName, default=DriverName.PROCESS)
    parser.add_argument("--ends-with", type=int, metavar="PID")
    arguments = parser.parse_args()
    home = Home(arguments.home)
    own = SteadyFile(sys.stdout.fileno())  # the log, which `launch` has opened
    sys.stdout = sys.stderr = cast("TextIO", SteadyText(own))
    configure_log(sys.stdout)
    logs = Logs(home, own)
    sys.setswitchinterval(SWITCH_SECONDS)
    os.environ[MARK] = secrets.token_hex(8)  # inherited by every process that this one starts
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    try:
        companion = psutil.Process(arguments.ends_with) if arguments.ends_with else None
        records, driver = os.environ.get(SWITCH) == "1", arguments.driver
        with Cloud(home, arguments.project, arguments.regions, driver=driver, records_calls=records) as cloud:
            _write_down(
                home,
                CloudRecord(
                    pid=os.getpid(),
                    started=psutil.Process().create_time(),
                    mark=os.environ[MARK],
                    api_url=cloud.api_url,
                    providers=cloud.providers,
                    driver=driver,
                    docker_host=cloud.docker_host,
                ),
            )
            while not stopping.wait(WATCH_SECONDS) and not (companion and _is_over(companion)):
                cloud.require_alive()
                logs.keep_small(cloud.living())
    except (LocalCloudError, psutil.NoSuchProcess) as error:
        print(error, file=sys.stderr)  # noqa: T201  # the last line of the log is what `launch` shows
        return 1
    return 0


def _write_down(home: Home, record: CloudRecord) -> None:
    try:
        home.write_record(record)
    except OSError as error:
        raise CloudStartFailed(f"its record could not be written: {error.strerror or error}") from error


def _is_over(process: psutil.Process) -> bool:
    """Whether a process has ended; its pid may be another's by now."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


if __name__ == "__main__":
    sys.exit(main())
