"""The image as it is built, and as it runs and stops. Needs a Docker engine: make test-docker."""

import asyncio
import http.client
import io
import json
import re
import stat
import subprocess
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from image_world import BASE, Built, Running
from scripts.build_image import ROOT, build
from visitors import Visitors

RecordProperty = Callable[[str, object], None]
pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]
IDLE_TIMEOUT_SECONDS = 60
"""A load balancer's, unless it is told another; ours is not."""
AT_ONCE = 1500
"""Visitors; for each NGINX has two of its 4,096 connections open."""
GOAL_BYTES = 16_000_000
MOST_BYTES = 20_000_000
SHELLS = {"sh", "bash", "dash", "busybox", "apt", "apt-get", "dpkg", "pip", "pip3", "perl", "env", "su", "sudo"}


@pytest.fixture(scope="module")
def files(built: Built) -> list[tarfile.TarInfo]:
    """Everything in the image."""
    name = built.run("create", built.tag)
    try:
        exported = subprocess.run([built.docker, "export", name], capture_output=True, check=True, timeout=60).stdout
    finally:
        built.run("rm", name)
    with tarfile.open(fileobj=io.BytesIO(exported)) as archive:
        return archive.getmembers()


def test_a_pull_moves_little(built: Built, record_property: RecordProperty) -> None:
    size, layers = built.facts["compressed_bytes"], built.facts["layer_bytes"]
    record_property("compressed image", f"{size / 1e6:.1f} MB, of which a release of new code moves {layers[-1]} bytes")
    assert size <= MOST_BYTES
    assert size <= GOAL_BYTES, "below what fails a release, but above what was promised"
    assert layers[-1] < 200_000


def test_the_same_source_is_the_same_digest(built: Built) -> None:
    again = build(built.docker, "teal-test:two", "1.2.3", BASE, is_fresh=True)
    assert again == built.facts


def test_it_says_what_it_is(built: Built) -> None:
    config = built.inspect()["Config"]
    assert config["User"] == "10001:10001"
    assert config["Labels"]["org.opencontainers.image.version"] == "1.2.3"
    assert config["Healthcheck"]["Test"][0] == "CMD"


def test_there_is_nothing_to_break_in_with(files: list[tarfile.TarInfo]) -> None:
    programs = {Path(file.name).name for file in files if file.isfile() and file.mode & 0o111}
    assert programs & SHELLS == set()
    assert {"python3.11", "nginx"} <= programs
    assert [file.name for file in files if file.mode & (stat.S_ISUID | stat.S_ISGID)] == []
    assert [file.name for file in files if file.isfile() and file.uid != 0] == []
    assert [file.name for file in files if file.isfile() and file.mode & 0o022] == []


def test_its_inventory_names_what_is_in_it(built: Built) -> None:
    name = built.run("create", built.tag)
    try:
        copied = subprocess.run(
            [built.docker, "cp", f"{name}:/usr/share/sbom/teal.cdx.json", "-"],
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
    finally:
        built.run("rm", name)
    with tarfile.open(fileobj=io.BytesIO(copied)) as archive:
        document = json.load(archive.extractfile("teal.cdx.json") or io.BytesIO())
    versions = {part["name"].lower(): part["version"] for part in document["components"]}
    assert {"nginx", "python3.11-minimal", "libc6", "libssl3", "flask", "gunicorn"} <= versions.keys()
    pinned = re.findall(r"^([a-z0-9]+)==(\S+)", (ROOT / "app" / "requirements.txt").read_text(), re.MULTILINE)
    assert {name: versions[name] for name, _ in pinned} == dict(pinned)


def test_both_sides_of_a_shift_get_their_files(running: Running) -> None:
    """What is not this blue image's is at the green one; what nobody has is answered by the file of that name."""
    page = running.get("/")[2].decode()
    for name in re.findall(r"/assets/[^\"]+", page):
        assert running.get(name)[1]["Cache-Control"] == "public, max-age=31536000, immutable"
    asked = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
    asked.request("GET", "/assets/page.000000000000.css")
    answer = asked.getresponse()
    assert (answer.status, answer.headers["Location"]) == (307, "/assets/green/page.000000000000.css")
    asked.close()
    _, headers, body = running.get(answer.headers["Location"])
    assert headers["Cache-Control"] == "no-store"
    assert body == (ROOT / "app" / "static" / "page.css").read_bytes()


def test_an_idle_connection_is_kept_for_longer_than_the_load_balancer_keeps_it(running: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
    connection.request("GET", "/version")
    assert connection.getresponse().read()
    time.sleep(IDLE_TIMEOUT_SECONDS + 3)
    connection.request("GET", "/version")  # nothing connects again by itself: a closed one would raise
    assert connection.getresponse().status == 200
    connection.close()


def test_docker_finds_it_healthy(running: Running) -> None:
    deadline = time.monotonic() + 40
    while running.state()["Health"]["Status"] == "starting":
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert running.state()["Health"]["Status"] == "healthy"


def test_a_stop_under_load_loses_no_request(running: Running, record_property: RecordProperty) -> None:
    with Visitors(running.port) as visitors:
        time.sleep(3)
        before = visitors.visits.served
        running.built.run("kill", "--signal", "TERM", running.name)
        assert running.built.run("wait", running.name) == "0"
    visits = visitors.visits
    record_property(
        "stopped under load", f"{visits.served} served, {before} of them before, {len(visits.failed)} failed"
    )
    assert visits.failed == []
    assert before > 50
    assert visits.served > before
    assert visits.refused > 0


def test_as_many_as_nginx_takes_in_at_once_are_answered(running: Running) -> None:
    """Requests that no Python takes yet wait in the queue of Gunicorn's socket; a full one would be a 502."""

    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(b"GET /version HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer.partition(b"\r\n")[0]

    async def all_at_once() -> list[bytes]:
        return await asyncio.wait_for(asyncio.gather(*(ask() for _ in range(AT_ONCE))), 60)

    assert asyncio.run(all_at_once()) == [b"HTTP/1.1 200 OK"] * AT_ONCE


def test_a_server_that_dies_ends_the_container(running: Running) -> None:
    rows = running.built.run("top", running.name, "-eo", "pid,args").splitlines()
    [nginx] = [int(row.split()[0]) for row in rows if "nginx: master" in row]
    subprocess.run(["kill", "-KILL", str(nginx)], check=True)
    assert running.built.run("wait", running.name) == "1"
    assert (
        "a server ended by itself"
        in subprocess.run(
            [running.built.docker, "logs", running.name], capture_output=True, text=True, check=True, timeout=30
        ).stderr
    )
