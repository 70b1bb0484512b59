"""Hands of the embedded cloud on an instance that really is a process, without a cloud around it."""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from cli.containers import embedded
from cli.containers.embedded import EmbeddedHands
from cli_world import record_of
from containers.errors import NotRunning
from containers.model import Instance
from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.images.cache import UnpackedImage
from localcloud.images.oci import ImageConfig
from localcloud.images.reference import ImageReference
from localcloud.instances.container import ContainerSpec
from localcloud.instances.driver import Launch
from localcloud.instances.errors import InstanceError
from localcloud.instances.process import ProcessDriver, ProcessInstance
from localcloud.status import InstanceStatus, StackStatus

pytestmark = pytest.mark.process

DIGEST = "sha256:" + "0a" * 32
NAME = "i-0123456789abcdef0"
CODE = """
import os, pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("finishing", flush=True), os._exit(0)))
print("begun", flush=True)
time.sleep(60)
"""


@dataclass
class World:
    hands: EmbeddedHands
    instance: Instance
    running: ProcessInstance
    folder: Path


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    home, driver = Home(tmp_path / "home"), ProcessDriver()
    folder = tmp_path / "rootfs" / "srv"
    folder.mkdir(parents=True)
    config = ImageConfig(
        command=(sys.executable, "-c", CODE),
        working_directory="/srv",
        labels={"org.opencontainers.image.version": "1.4"},
        environment={"GREETING": "hello"},
    )
    spec = ContainerSpec(image=ImageReference("r", "t", DIGEST), port=8080, colour="green", environment={})
    running = driver.start(
        Launch(
            instance_id=NAME,
            address="127.16.0.9",
            zone="eu-west-1b",
            spec=spec,
            image=UnpackedImage(digest=DIGEST, rootfs=tmp_path / "rootfs", config=config),
            folder=tmp_path / "instance",
            log=home.instance_log(NAME),
        )
    )
    told: dict[str, Any] = {
        "scaling_group": "g",
        "zone": "a",
        "address": "127.16.0.9:8080",
        "health": "healthy",
        "digest": DIGEST,
    }
    statuses = [
        InstanceStatus(id=NAME, colour="green", state="running", pid=running.pid, requests=7, **told),
        InstanceStatus(id="i-empty", colour="blue", state="failed", reason="no such image", **told),
    ]
    monkeypatch.setattr(embedded, "stack_statuses", lambda *_: {"dev": StackStatus(None, tuple(statuses))})
    hands = EmbeddedHands(record_of(psutil.Process()), "eu-west-1", "dev", home)
    [_, instance] = hands.instances()
    deadline = time.monotonic() + 15
    while "begun\n" not in home.instance_log(NAME).read_text():
        assert time.monotonic() < deadline, "it did not start"
        time.sleep(0.01)
    yield World(hands, instance, running, folder)
    running.stop(timedelta())
    driver.close()


def test_what_runs_tells_its_version_and_its_start(world: World) -> None:
    found = world.hands.look(world.hands.instances())
    assert (found[NAME].state, found[NAME].digest, found[NAME].version) == ("running", DIGEST, "1.4")
    assert found[NAME].since is not None
    assert (found["i-empty"].state, found["i-empty"].since) == ("none", None)


def test_usage_has_the_load_balancers_count_of_requests(world: World) -> None:
    found = world.hands.usage(world.hands.instances())
    assert found.keys() == {NAME}
    assert found[NAME].requests == 7
    assert found[NAME].memory_bytes > 1_000_000


def test_a_command_inside_has_the_very_environment_and_folder(world: World) -> None:
    made = world.hands.invocation(world.instance, ("env",), has_terminal=False)
    assert made.environment == psutil.Process(world.running.pid).environ()
    assert made.environment["GREETING"] == "hello"
    assert (made.folder, made.instance_pid, made.command) == (world.folder, world.running.pid, ("env",))
    shell = world.hands.invocation(world.instance, (), has_terminal=True)
    assert shell.command == ("sh",)
    assert shell.environment.keys() - made.environment.keys() == {"TERM"}


def test_stop_lets_it_finish_and_the_log_has_its_last_words(world: World) -> None:
    log = world.hands.log(world.instance, None, None)
    assert [line.text for line in log.read()] == ["begun"]
    world.hands.stop(world.instance)
    assert not world.running.is_alive()
    assert [line.text for line in log.read()] == ["finishing"]
    assert world.hands.look([world.instance])[NAME].state == "none"
    with pytest.raises(InstanceError, match=f"{NAME} is gone"):
        world.hands.kill(world.instance)


def test_kill_does_not_ask(world: World) -> None:
    world.hands.kill(world.instance)
    assert not world.running.is_alive()
    assert [line.text for line in world.hands.log(world.instance, None, None).read()] == ["begun"]


def test_where_nothing_runs_it_says_what_is_instead(world: World) -> None:
    [empty, _] = world.hands.instances()
    for act in (world.hands.stop, world.hands.kill):
        with pytest.raises(NotRunning, match=r"i-empty runs nothing now: it is failed\. no such image"):
            act(empty)
    with pytest.raises(NotRunning, match="i-empty runs nothing now"):
        world.hands.invocation(empty, (), has_terminal=False)


def test_a_container_of_an_engine_is_left_to_the_engine(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A `docker` that says what it was asked, and of which engine, stands for the engine's own."""
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\necho "$DOCKER_HOST$DOCKER_CONTEXT: $@" >> {tmp_path}/asked\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DOCKER_HOST", "unix:///another.sock")
    monkeypatch.setenv("DOCKER_CONTEXT", "another")
    record = replace(record_of(psutil.Process()), docker_host="unix:///the-clouds.sock")
    hands = EmbeddedHands(record, "eu-west-1", "dev", Home(tmp_path / "home"))
    hands.instances()
    hands._statuses[NAME] = hands._statuses[NAME].model_copy(update={"container": "teal-i-0-1a2b"})
    hands.stop(world.instance)
    hands.kill(world.instance)
    made = hands.invocation(world.instance, ("ls",), has_terminal=True)
    assert made.environment["DOCKER_HOST"] == "unix:///the-clouds.sock"
    assert list(made.command) == ["docker", "exec", "--interactive", "--tty", "teal-i-0-1a2b", "ls"]
    assert made.instance_pid is None
    assert (tmp_path / "asked").read_text().splitlines() == [
        "unix:///the-clouds.sock: stop --time 60 teal-i-0-1a2b", "unix:///the-clouds.sock: kill teal-i-0-1a2b",
    ]  # fmt: skip
    assert world.running.is_alive()


def test_a_stack_that_is_not_up_says_how_to_bring_it_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "stack_statuses", lambda *_: {})
    hands = EmbeddedHands(record_of(psutil.Process()), "eu-west-1", "qa", Home(tmp_path / "home"))
    with pytest.raises(LocalCloudError, match="qa is not up: `teal local up qa`"):
        hands.instances()
