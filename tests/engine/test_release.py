"""Releases in an embedded cloud of their own, under load: by the command, as a user does them."""

import json
import os
import signal
import subprocess
import sys
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
from toolchain import Toolchain

CLIENTS, PAUSE_SECONDS = 4, 0.08
"""About 50 requests a second."""
QUICK = ("--steps", "25,100", "--bake", "1s")
AT_ONCE = ("--steps", "100", "--bake", "0s", "--keep-warm", "0s")
Record = Callable[[str, object], None]


@dataclass(frozen=True)
class Answer:
    """What a client got, and when."""

    at: float
    version: str
    digest: str


@dataclass
class Load:
    """What clients got that asked all the time."""

    answers: list[Answer] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def last(self, digest: str) -> float:
        """When an image answered for the last time."""
        return max(answer.at for answer in self.answers if answer.digest == digest)


@contextmanager
def load_on(url: str) -> Iterator[Load]:
    """Clients that ask for the version, half of them on a new connection each time, until the block ends."""
    load, stopping = Load(), threading.Event()

    def ask(is_new: bool) -> None:
        client = httpx.Client(timeout=10, trust_env=False)
        while not stopping.wait(PAUSE_SECONDS):
            if is_new:
                client.close()
                client = httpx.Client(timeout=10, trust_env=False)
            try:
                answer = client.get(f"{url}/version")
            except httpx.HTTPError as error:
                load.failures.append(repr(error))
                continue
            if answer.is_success:
                about = answer.json()
                load.answers.append(Answer(time.time(), about["version"], about["digest"]))
            else:
                load.failures.append(f"{answer.status_code} {answer.text[:80]}")
        client.close()

    threads = [threading.Thread(target=ask, args=[number % 2 == 0]) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        stopping.set()
        for thread in threads:
            thread.join(15)


@dataclass(frozen=True)
class Dev:
    """The dev stack in a cloud that only these tests use."""

    world: World
    url: str

    def build(self, version: str) -> str:
        """The digest of the app with another version on it."""
        label = f"org.opencontainers.image.version={version}"
        return self.world.teal("image", "build", "dev", "--label", label).strip()

    def begin(self, command: str, *arguments: str) -> subprocess.Popen[str]:
        """`teal release start dev`, or another command on it, under way."""
        return subprocess.Popen(
            [Path(sys.executable).with_name("teal"), "release", command, "dev", *arguments],
            cwd=PROJECT,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def teal(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command, however it ends."""
        return subprocess.run(
            [Path(sys.executable).with_name("teal"), *arguments],
            cwd=PROJECT,
            env=self.variables,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def status(self) -> dict[str, Any]:
        """What `teal release status` tells."""
        found: dict[str, Any] = json.loads(self.world.teal("release", "status", "dev", "--json"))
        for colour in found["colours"].values():
            del colour["healthy"]  # servers that leave do so in their own time
        return found

    def is_in(self, phase: str) -> bool:
        """Whether a release is in a phase."""
        release = self.status()["release"]
        return release is not None and release["phase"] == phase

    def expect_no_changes(self) -> None:
        """Fails if a refreshed preview shows any."""
        self.world.teal("local", "preview", "dev", "--refresh", "--expect-no-changes")

    def colours(self) -> set[str]:
        """Colours that have instances."""
        return {instance.colour for instance in self.world.status("dev").instances}

    @property
    def stack(self) -> LocalStack:
        """The stack, for raw pulumi."""
        return self.world.stack("dev")

    @property
    def variables(self) -> dict[str, str]:
        """What a command of ours runs with."""
        return {**os.environ, "TEAL_HOME": str(self.world.home.root), "TEAL_TOOLCHAIN": "build"}


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """How a command ended, and what it told."""
    told, _ = process.communicate(timeout=COMMAND_SECONDS)
    return process.returncode, told


@pytest.fixture(scope="module")
def dev(engine: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    with running_world(tmp_path_factory.mktemp("release") / "home", engine) as world:
        yield Dev(world, world.teal("local", "up", "dev").strip())


def test_a_release_under_load_loses_no_request(dev: Dev, record_property: Record) -> None:
    digest = dev.build("2")
    assert dev.teal("release", "plan", "dev", "--image", digest).returncode == 0
    with load_on(dev.url) as load:
        started = time.time()
        code, told = ended(dev.begin("start", "--image", digest, "--bake", "1s", "--keep-warm", "2s"))
        seconds = time.time() - started
        within(10, lambda: load.answers[-1].at > started + seconds)
    assert code == 0, told
    assert load.failures == []
    assert {answer.version for answer in load.answers if answer.at > started + seconds} == {"2"}
    shown = dev.status()
    assert (shown["live"], shown["release"], shown["lock"]) == ("green", None, None)
    assert shown["colours"]["blue"]["capacity"] == 0
    within(40, lambda: dev.colours() == {"green"})
    dev.expect_no_changes()
    record_property("requests during a release", f"{len(load.answers)}, 0 failed, release took {seconds:.1f} s")


def test_the_same_digest_again_is_no_release(dev: Dev) -> None:
    live = dev.status()
    digest = live["colours"][live["live"]]["digest"]
    done = dev.teal("release", "start", "dev", "--image", digest)
    assert (done.returncode, done.stdout) == (0, f"dev serves {digest} already: nothing to do.\n")


@pytest.mark.long
def test_taken_back_while_warm_all_requests_go_back_at_once(dev: Dev, record_property: Record) -> None:
    before, bad = dev.status(), dev.build("3")
    with load_on(dev.url) as load:
        running = dev.begin("start", "--image", bad, *QUICK, "--keep-warm", "5m")
        within(60, lambda: dev.is_in("SETTLING"), every=0.5)
        with pytest.raises(AssertionError, match=r"release r-\w+ is in flight"):
            dev.world.pulumi(dev.stack, "up", "--yes")
        assert dev.teal("release", "resume", "dev").returncode == 7
        asked = time.time()
        done = dev.teal("release", "rollback", "dev", "--reason", "it is bad")
    assert done.returncode == 0, done.stderr
    code, told = ended(running)
    assert code == 7, told
    assert load.failures == []
    after = dev.status()
    assert after["colours"] == before["colours"]
    assert after["live"] == before["live"]
    entries = [json.loads(line) for line in dev.world.teal("release", "history", "dev", "--json").splitlines()]
    assert [entry["event"] for entry in entries[-4:]] == ["LOCK_BROKEN", "TAKEN_BACK", "RETIRED", "LIVE_RESTORED"]
    assert entries[-3]["why"] == "it is bad"
    dev.expect_no_changes()
    seconds = load.last(bad) - asked
    record_property("rollback", f"{seconds:.2f} s from command to the last answer of the bad image, 0 requests failed")
    assert seconds < 10


@pytest.mark.long
def test_ctrl_c_pauses_and_a_killed_engine_is_resumed_or_aborted(dev: Dev) -> None:
    before, digest = dev.status(), dev.build("4")
    with load_on(dev.url) as load:
        running = dev.begin("start", "--image", digest, "--steps", "25,100", "--bake", "4s", "--keep-warm", "1s")
        within(60, lambda: dev.is_in("SHIFTING"), every=0.3)
        running.send_signal(signal.SIGINT)
        code, told = ended(running)
        assert code == 6, told
        paused = dev.status()
        assert paused["release"]["paused"]
        assert paused["lock"] is None
        resumed = dev.begin("resume")
        within(20, lambda: dev.status()["lock"] is not None)
        resumed.kill()
        ended(resumed)
        assert dev.teal("release", "resume", "dev").returncode == 7  # the killed one's term is not over
        assert dev.teal("release", "abort", "dev").returncode == 0
    assert load.failures == []
    assert dev.status()["colours"] == before["colours"]
    dev.expect_no_changes()


@pytest.mark.long
def test_others_pause_it_let_it_go_on_and_break_its_lock(dev: Dev) -> None:
    before, digest = dev.status(), dev.build("5")
    running = dev.begin("start", "--image", digest, "--steps", "25,100", "--bake", "4s", "--keep-warm", "1s", "--json")
    within(90, lambda: dev.is_in("SHIFTING"), every=0.3)
    paused = dev.teal("release", "pause", "dev", "--reason", "the phones ring")
    assert paused.returncode == 0, paused.stderr
    assert "watches it" in paused.stdout
    time.sleep(6)  # longer than a step bakes
    held = dev.status()
    assert (held["release"]["paused"], held["release"]["step"], held["lock"] is None) == (True, 0, False)
    went_on = dev.teal("release", "resume", "dev")
    assert went_on.returncode == 0, went_on.stderr
    assert "goes on" in went_on.stdout
    broken = dev.teal("release", "unlock", "dev", "--reason", "to see what happens")
    assert broken.returncode == 0, broken.stderr
    code, told = ended(running)
    assert code == 7, told
    events = [json.loads(line)["event"] for line in told.splitlines() if line.startswith("{")]
    assert events[:2] == ["PLANNED", "STARTED"]
    assert dev.teal("release", "abort", "dev").returncode == 0
    assert dev.status()["colours"] == before["colours"]
    written = [json.loads(line) for line in dev.world.teal("release", "history", "dev", "--json").splitlines()]
    assert [entry["version"] for entry in written] == list(range(2, len(written) + 2))
    assert {"PAUSED", "RESUMED", "LOCK_BROKEN"} <= {entry["event"] for entry in written}


@pytest.mark.long
def test_an_empty_environment_gets_its_first_image_by_a_release(dev: Dev) -> None:
    url = dev.world.teal("local", "up", "qa").strip()
    assert httpx.get(f"{url}/version", trust_env=False).status_code == 503
    digest = dev.world.teal("image", "build", "qa", "--label", "org.opencontainers.image.version=1").strip()
    done = dev.teal("release", "start", "qa", "--image", digest, "--bake", "1s", "--keep-warm", "1s")
    assert done.returncode == 0, done.stderr
    assert httpx.get(f"{url}/version", trust_env=False).json()["digest"] == digest
    shown = json.loads(dev.world.teal("release", "status", "qa", "--json"))
    assert (shown["live"], shown["colours"]["green"]["listener_weight"], shown["release"]) == ("green", 100, None)
    dev.world.teal("local", "preview", "qa", "--refresh", "--expect-no-changes")


@pytest.mark.long
def test_once_it_is_over_a_rollback_releases_the_image_before(dev: Dev) -> None:
    newer = dev.build("newer")  # of its own: nobody else may have released any
    assert dev.teal("release", "start", "dev", "--image", newer, *AT_ONCE).returncode == 0
    before = dev.status()
    idle = {"blue": "green", "green": "blue"}[before["live"]]
    done = dev.teal("release", "rollback", "dev", "--bake", "0s", "--keep-warm", "0s")
    assert done.returncode == 0, done.stderr
    after = dev.status()
    assert after["live"] == idle
    assert after["colours"][idle]["digest"] == before["colours"][idle]["digest"]
    dev.expect_no_changes()
