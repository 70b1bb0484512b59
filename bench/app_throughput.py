"""Requests per second and waits of the image, beside bare Gunicorn and beside NGINX and Gunicorn as they come.

`python -m bench.app_throughput [--rounds N] [--seconds N]` needs Docker and wrk. All three are the image's own Python,
NGINX and app, locked down alike, and serve /version on loopback with as many workers. They take turns, round after
round, since the machine may have other work; what counts are the ratios, by the median of the rounds.
Exit status 1 where ours falls below either.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from scripts.build_image import NoDocker, build, docker_client

WORKERS = 2
CONNECTIONS = 32
PORT = 18_090
PYTHON = "/usr/bin/python3.11"
URL = f"http://127.0.0.1:{PORT}/version"
TAG = "teal-bench:throughput"
IMAGE, BARE, STOCK = "image", "bare gunicorn", "nginx + gunicorn, defaults"
NOISE = 0.05
"""A ratio this close to 1 is no difference on a machine that is shared."""
STOCK_CONF = """
daemon off; pid /dev/shm/pid; error_log stderr;
events {{ }}
http {{
    access_log /dev/shm/access.log;
    client_body_temp_path /dev/shm/a; proxy_temp_path /dev/shm/b; fastcgi_temp_path /dev/shm/c;
    uwsgi_temp_path /dev/shm/d; scgi_temp_path /dev/shm/e;
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://127.0.0.1:{back}; proxy_set_header Host $http_host; }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What wrk measured."""

    per_second: float
    p99_ms: float


@contextmanager
def container(docker: str, *options: str, environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """A container of the image, locked down as on an instance; options may end in another entry point."""
    variables = {"TEAL_STOP_GRACE_SECONDS": "0.1", "TEAL_WORKERS": str(WORKERS), **environment}
    words = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    command = [docker, "run", "--detach", "--network", "host", "--read-only", "--cap-drop", "ALL", *words, *options]
    name = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    try:
        yield
    finally:
        subprocess.run([docker, "rm", "--force", name], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def image(docker: str) -> Iterator[None]:
    """The image as it is."""
    with container(docker, TAG, environment={"TEAL_HOST": "127.0.0.1", "TEAL_PORT": str(PORT)}):
        yield


@contextmanager
def bare(docker: str) -> Iterator[None]:
    """The image's Gunicorn alone, with the app's configuration: threads, kept connections, a log line a request."""
    command = ("--entrypoint", PYTHON, TAG, "-m", "gunicorn", "--config", "/srv/app/gunicorn_conf.py")
    with container(docker, *command, environment={"TEAL_BIND": f"127.0.0.1:{PORT}", "TEAL_ACCESS_LOG": "1"}):
        yield


@contextmanager
def stock(docker: str) -> Iterator[None]:
    """The image's NGINX and Gunicorn as a tutorial has them: all defaults, but for as many workers as ours."""
    back = ("-m", "gunicorn", "--workers", str(WORKERS), "--bind", f"127.0.0.1:{PORT + 1}", "app.wsgi:application")
    with tempfile.TemporaryDirectory(prefix="teal-bench-") as folder:
        conf = Path(folder) / "nginx.conf"
        conf.write_text(STOCK_CONF.format(port=PORT, back=PORT + 1))
        Path(folder).chmod(0o755)
        front = ("--volume", f"{folder}:/conf:ro", "--entrypoint", "/usr/sbin/nginx", TAG, "-c", "/conf/nginx.conf")
        with container(docker, "--entrypoint", PYTHON, TAG, *back), container(docker, *front):
            yield


def measure(seconds: int) -> Run:
    """One run of wrk, after a warm-up. Raises RuntimeError where an answer was no good one."""
    wait_until_up()
    wrk("2")
    told = wrk(str(seconds))
    if re.search(r"Non-2xx|Socket errors", told):
        raise RuntimeError(f"not every request was answered:\n{told}")
    rate, p99 = re.search(r"Requests/sec:\s+([\d.]+)", told), re.search(r"99%\s+([\d.]+)(us|ms|s)", told)
    if rate is None or p99 is None:
        raise RuntimeError(f"wrk told no figures:\n{told}")
    return Run(float(rate[1]), float(p99[1]) * {"us": 0.001, "ms": 1, "s": 1000}[p99[2]])


def wrk(seconds: str) -> str:
    """What wrk prints."""
    command = [
        "wrk",
        "--threads",
        "1",
        "--connections",
        str(CONNECTIONS),
        "--duration",
        f"{seconds}s",
        "--latency",
        URL,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def wait_until_up() -> None:
    """Returns once the URL answers. Raises TimeoutError after 30 s."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(URL, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"{URL} did not answer within 30 s")


def median(runs: Sequence[Run]) -> Run:
    """The middle of each figure."""
    return Run(statistics.median(run.per_second for run in runs), statistics.median(run.p99_ms for run in runs))


def report(runs: dict[str, list[Run]]) -> bool:
    """Prints the figures; whether ours is not below either, by more than noise."""
    for name, measured in runs.items():
        middle = median(measured)
        print(f"{name:28} {middle.per_second:8.0f} requests/s   p99 {middle.p99_ms:7.1f} ms")
    is_fine = True
    for other in (BARE, STOCK):
        pairs = list(zip(runs[IMAGE], runs[other], strict=True))
        rate = statistics.median(ours.per_second / theirs.per_second for ours, theirs in pairs)
        wait = statistics.median(ours.p99_ms / theirs.p99_ms for ours, theirs in pairs)
        print(f"image / {other:28} requests/s x {rate:.2f}   p99 x {wait:.2f}")
        is_fine &= rate >= 1 - NOISE and wait <= 1 + NOISE
    return is_fine


def main() -> int:
    """Builds the image and measures; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--base", default=os.environ.get("TEAL_BASE_IMAGE", ""))
    chosen = parser.parse_args()
    missing = [] if shutil.which("wrk") else ["wrk"]
    try:
        docker = docker_client()
    except NoDocker as why:
        missing.append(f"Docker ({why})")
        docker = ""
    if missing:
        print(f"not measured, for want of {', '.join(missing)}")
        return 2
    build(docker, TAG, "bench", chosen.base)
    print(f"{CONNECTIONS} connections, {WORKERS} workers, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    runs: dict[str, list[Run]] = {IMAGE: [], BARE: [], STOCK: []}
    for number in range(chosen.rounds):
        sides = [(IMAGE, image(docker)), (BARE, bare(docker)), (STOCK, stock(docker))]
        for name, side in sides[number % 3 :] + sides[: number % 3]:
            with side:
                runs[name].append(measure(chosen.seconds))
    return 0 if report(runs) else 1


if __name__ == "__main__":
    sys.exit(main())
