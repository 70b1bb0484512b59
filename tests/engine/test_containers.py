"""Everyday work on containers, by the commands themselves, on the dev stack in an embedded cloud."""

import json
import os
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.world import COMMAND_SECONDS, PROJECT, World, running_world, within
from localcloud.stacks import LocalStack
from localcloud.status import HEALTHY
from pty_world import Terminal, follows_window_and_keys, terminal
from toolchain import Toolchain

BACK_SECONDS = 10.0
LEAST_VISITS = 100
TEAL = Path(sys.executable).with_name("teal")
Record = Callable[[str, object], None]


def containers(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(world.teal("containers", "ps", "dev", "--json"))["containers"]
    return found


def touched(world: World) -> dict[str, str]:
    """What was done last, by instance, as `teal release status` tells."""
    found = json.loads(world.teal("release", "status", "dev", "--json"))["touched"]
    return {each["instance"]: f"{each['act']} {each['program']}".rstrip() for each in found}


def variables(world: World) -> dict[str, str]:
    return {**os.environ, "TEAL_HOME": str(world.home.root), "TEAL_TOOLCHAIN": "build"}


def ended(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command, however it ends."""
    return subprocess.run(
        [TEAL, *arguments], cwd=PROJECT, env=variables(world), capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=COMMAND_SECONDS, check=False,
    )  # fmt: skip


def all_healthy(world: World) -> bool:
    return [each.health for each in world.status("dev").instances] == [HEALTHY, HEALTHY]


@contextmanager
def shell_in(world: World, instance: str) -> Iterator[Terminal]:
    """A shell in an instance, by somebody at a terminal."""
    with terminal([TEAL, "containers", "exec", "dev", instance], variables(world), PROJECT) as session:
        session.type("PS1='ready''> '; echo be'gun'\n")
        session.read_until("begun\r\n")
        session.read_until("ready> ")
        yield session


@dataclass
class Visits:
    """How many requests were answered well, and what the others got."""

    served: int = 0
    failures: list[str] = field(default_factory=list)


@contextmanager
def visitors_of(url: str) -> Iterator[Visits]:
    """Four who ask until the block ends."""
    visits, alone = Visits(), threading.Lock()
    stopping = threading.Event()

    def ask() -> None:
        with httpx.Client(timeout=10, trust_env=False) as client:
            while not stopping.wait(0.02):
                try:
                    client.get(f"{url}/version").raise_for_status()
                    with alone:
                        visits.served += 1
                except httpx.HTTPError as error:
                    visits.failures.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield visits
    finally:
        stopping.set()
        for thread in threads:
            thread.join(15)


@pytest.fixture
def one(world: World, dev: LocalStack) -> str:
    """An instance of dev, once both are healthy."""
    within(40, lambda: all_healthy(world))
    return min(each.id for each in world.status(dev.name).instances)


def test_ps_and_stats_tell_what_runs(world: World, one: str) -> None:
    found = {each["id"]: each for each in containers(world)}
    about = found[one]
    assert len(found) == 2
    assert {each["zone"] for each in found.values()} == {"eu-west-1a", "eu-west-1b"}
    assert (about["role"], about["state"], about["container"], about["health"]) == (
        "live", "running", "running", "healthy",
    )  # fmt: skip
    assert about["digest"].startswith("sha256:")
    assert about["version"]
    told = json.loads(world.teal("containers", "stats", "dev", "--json"))["containers"]
    stats = {each["instance"]: each for each in told}
    assert stats.keys() == found.keys()
    assert stats[one]["memory_bytes"] > 10_000_000
    assert stats[one]["pids"] >= 2
    assert stats[one]["requests"] is not None


def test_logs_have_both_instances_and_follow_goes_on(world: World, one: str) -> None:
    lines = world.teal("containers", "logs", "dev", "--since", "5m").splitlines()
    assert {line.split()[1] for line in lines} == {each["id"] for each in containers(world)}
    assert {line.split()[0] for line in lines} == {"blue"} or {line.split()[0] for line in lines} == {"green"}
    following = subprocess.Popen(
        [TEAL, "containers", "logs", "dev", one[:12], "-f", "-n", "0"],
        cwd=PROJECT, env=variables(world), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert following.stdout
    with following.stdout:  # the load balancer's checks are requests, too
        assert f" {one} | " in following.stdout.readline()
    following.terminate()
    following.wait(20)


def test_exec_runs_as_the_instance_would_and_passes_the_exit_code_on(world: World, one: str) -> None:
    code = "import os, pathlib, sys; print(os.environ['TEAL_INSTANCE'], pathlib.Path('Procfile').exists()); sys.exit(7)"
    done = ended(world, "containers", "exec", "dev", one, "python3", "-c", code)
    assert (done.returncode, done.stdout) == (7, f"{one} True\n"), done.stderr
    assert ended(world, "containers", "exec", "dev", one, "no-such-program").returncode == 127
    assert "AWS_SECRET_ACCESS_KEY" not in ended(world, "containers", "exec", "dev", one, "env").stdout


def test_exec_is_interactive_and_ends_with_its_instance(world: World, one: str, record_property: Record) -> None:
    with shell_in(world, one) as session:
        session.type("echo in $TEAL_INSTANCE\n")
        session.read_until(f"in {one}\r\n")
        follows_window_and_keys(session)
        session.type("exit 3\n")
        assert session.ended() == 3
    assert touched(world)[one] == "exec a shell"
    with shell_in(world, one) as session:
        killed = time.monotonic()
        done = json.loads(world.teal("containers", "kill", "dev", one, "--wait", "--json"))
        assert session.ended() == 137
        record_property("kill: seconds until healthy again, by --wait", done["healthy_again_seconds"])
        record_property("kill: with the command itself", round(time.monotonic() - killed, 1))
    assert done["comes_back"] == "its scaling group replaces it"
    assert done["healthy_again_seconds"] < BACK_SECONDS
    assert one not in {each["id"] for each in containers(world)}
    assert one not in touched(world)


def test_a_container_is_stopped_under_load_without_one_failed_request_and_another_comes(
    world: World, one: str, record_property: Record
) -> None:
    url = world.status("dev").url
    with visitors_of(f"{url}") as visits:
        done = json.loads(world.teal("containers", "stop", "dev", one, "--wait", "--json"))
    record_property("stop: seconds until healthy again, by --wait", done["healthy_again_seconds"])
    record_property("stop: requests served, failed", (visits.served, len(visits.failures)))
    assert visits.failures == []
    assert visits.served > LEAST_VISITS
    assert done["healthy_again_seconds"] < BACK_SECONDS
    assert all_healthy(world)
    history = [json.loads(line) for line in world.teal("release", "history", "dev", "--json").splitlines()]
    [last] = [each for each in history if each["event"] == "HAND"][-1:]
    assert (last["act"], last["instance"], last["program"]) == ("stop", one, "")


@pytest.mark.long
def test_an_image_goes_out_and_in_by_digest_and_is_removed_only_where_nobody_needs_it(
    world: World, one: str, tmp_path: Path
) -> None:
    digest = world.teal("image", "build", "dev", "--label", "org.opencontainers.image.version=spare").strip()
    listed = {each["digest"]: each for each in json.loads(world.teal("image", "ls", "dev", "--json"))["images"]}
    live = next(each["digest"] for each in containers(world))
    assert listed[digest]["used_by"] == []
    assert [(use["stack"], use["runs"]) for use in listed[live]["used_by"]] == [("dev", True)]
    shown = json.loads(world.teal("image", "inspect", "dev", digest[:19], "--json"))
    assert shown["labels"]["org.opencontainers.image.version"] == "spare"
    archive = tmp_path / "image.tar"
    assert world.teal("image", "pull", "dev", digest, str(archive)).strip() == digest
    with tarfile.open(archive) as opened:
        assert f"blobs/sha256/{digest.removeprefix('sha256:')}" in opened.getnames()
    refused = ended(world, "image", "rm", "dev", digest, live, "--yes")
    assert refused.returncode == 4
    assert f"needed         {live}" in refused.stdout
    assert ended(world, "image", "rm", "dev", digest).stdout.endswith("Nothing was removed: say so with --yes.\n")
    assert digest in world.teal("image", "ls", "dev", "--json")
    assert ended(world, "image", "rm", "dev", digest, "--yes").returncode == 0
    assert digest not in world.teal("image", "ls", "dev", "--json")
    assert world.teal("image", "push", "dev", str(archive)).strip() == digest
    assert digest in world.teal("image", "ls", "dev", "--json")


@pytest.mark.long
def test_a_phoenix_release_makes_touched_servers_new(engine: Toolchain, tmp_path: Path) -> None:
    with running_world(tmp_path / "home", engine) as world:
        world.teal("local", "up", "dev")
        before = containers(world)
        first = before[0]["id"]
        assert ended(world, "containers", "exec", "dev", first, "sh", "-c", "exit 0").returncode == 0
        assert touched(world) == {first: "exec sh"}
        plan = ended(world, "release", "plan", "dev")
        assert f"remark  blue {first} was touched by hand (exec sh by " in plan.stdout
        assert "`teal release start dev --phoenix` replaces it" in world.teal("release", "status", "dev")
        quick = ("--steps", "100", "--bake", "0s", "--keep-warm", "0s")
        world.teal("release", "start", "dev", "--phoenix", *quick)
        within(40, lambda: first not in {each["id"] for each in containers(world)}, every=1)
        assert touched(world) == {}
        after = containers(world)
        assert {each["digest"] for each in after} == {each["digest"] for each in before}
        assert {each["id"] for each in after}.isdisjoint({each["id"] for each in before})
        assert ended(world, "release", "plan", "dev").stdout.count("remark") == 0
        world.teal("local", "preview", "dev", "--refresh", "--expect-no-changes")
