"""A cloud whose instances are containers, and what Docker tells of it."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from config.stack_files import region_of
from localcloud.docker.builder import with_base
from localcloud.docker.client import Client, Recipe
from localcloud.home import CloudRecord, DriverName, Home
from localcloud.images.oci import Image
from localcloud.launch import start, stop
from localcloud.status import StackStatus, stack_statuses
from scripts.build_image import ROOT

COMMAND_SECONDS = 60.0
PLAIN = "TEAL_TRUSTED_HOPS=2"
DEMO = f"TEAL_DEMO=1 {PLAIN}"
LABEL = "teal.cloud"
TEST_SECONDS = 1200  # the first may have to build image and engine
THE_CLOUD_OUTLIVES_WHO_STARTED_IT = "ignore:subprocess [0-9]+ is still running:ResourceWarning"
REGION = "eu-west-1"
BACK_SECONDS = 10.0
RATE = 100.0
MIB = 1024 * 1024
QUICK = ("--steps", "25,100", "--bake", "2s", "--keep-warm", "2s")
WHO_AM_I = "import os; print(os.getuid(), os.environ['TEAL_INSTANCE'])"
Record = Callable[[str, object], None]


def mark(items: Sequence[pytest.Item], folder: Path) -> None:
    """The tests below the folder are about Docker, and may take their time."""
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.docker)
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))
            item.add_marker(pytest.mark.filterwarnings(THE_CLOUD_OUTLIVES_WHO_STARTED_IT))


@dataclass(frozen=True)
class Engine:
    """A Docker engine, as its client shows it."""

    client: Client

    def run(self, *words: str, seconds: float = COMMAND_SECONDS) -> str:
        """What a Docker command prints. Raises CalledProcessError."""
        done = subprocess.run([self.client.path, *words], capture_output=True, text=True, timeout=seconds, check=True)
        return done.stdout.strip()

    def of_cloud(self, mark: str) -> list[str]:
        """Ids of a cloud's containers, running or not."""
        return self.run("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={LABEL}={mark}").split()

    def inspect(self, name: str) -> Any:
        """A container, an image or a network as the engine tells it."""
        return json.loads(self.run("inspect", name))[0]

    def container(self, mark: str, instance: str) -> str:
        """Id of an instance's container."""
        filters = ("--filter", f"label={LABEL}={mark}", "--filter", f"label=teal.instance={instance}")
        [found] = self.run("ps", "--quiet", "--no-trunc", *filters).split()
        return found


def built_images(client: Client, folder: Path, version: str) -> Mapping[str, Image]:
    """By name: `app` as the dev stack builds it, `one` and `two` of other versions, which answer /slow, too.

    Afterwards the engine has all of it in its cache, and the images as teal-test:NAME.
    """
    source = folder / "app"
    shutil.copytree(ROOT / "app", source, ignore=shutil.ignore_patterns("__pycache__"))
    recipe = source / "Dockerfile"
    text = recipe.read_text()
    assert PLAIN in text
    recipe.write_text(text.replace(PLAIN, DEMO))
    wanted = {"app": (ROOT / "app", version), "one": (source, "docker-1"), "two": (source, "docker-2")}
    images = {}
    for name, (context, told) in wanted.items():
        with (folder / f"{name}.log").open("wb") as log:
            made = client.build(Recipe(context=context, args=with_base({"VERSION": told})), f"teal-test:{name}", log)
            client.load(made, f"teal-test:{name}", log)
        images[name] = made.packed()
    return images


def within(seconds: float, check: Callable[[], Any], what: str) -> float:
    """Seconds until check was true. Fails after so many."""
    started = time.monotonic()
    while not check():
        assert time.monotonic() - started < seconds, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - started


@dataclass(frozen=True)
class Up:
    """The dev stack, up."""

    home: Home
    url: str
    seconds: float

    @property
    def mark(self) -> str:
        return self.home.running().mark

    def status(self) -> StackStatus:
        return stack_statuses(self.home.running(), [region_of(ROOT, "dev")])["dev"]

    def healthy(self) -> set[str]:
        return {instance.id for instance in self.status().healthy}

    def version(self) -> Mapping[str, str]:
        with urllib.request.urlopen(f"{self.url}/version", timeout=5) as answer:
            told: Mapping[str, str] = json.load(answer)
        return told


def teal(home: Path, *words: str, seconds: float = 600, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """A `teal` command in a project's folder, ended."""
    return subprocess.run(
        [ROOT / ".venv" / "bin" / "teal", *words],
        cwd=folder,
        env={**os.environ, "TEAL_HOME": str(home), "TEAL_TOOLCHAIN": "build"},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@contextmanager
def dev_up(home: Home, folder: Path = ROOT) -> Iterator[Up]:
    """The dev stack of a project's folder, in a cloud of its own with the docker driver."""
    began = time.monotonic()
    try:
        done = teal(home.root, "local", "up", "dev", "--driver", "docker", folder=folder)
        assert done.returncode == 0, f"{done.stderr}\n{home.log_file.read_text()[-3000:]}"
        yield Up(home, done.stdout.strip().splitlines()[-1], time.monotonic() - began)
    finally:
        stop(home)


def started(home: Home) -> CloudRecord:
    """A cloud with the docker driver, and nothing in it."""
    return start(home, ROOT, [REGION], driver=DriverName.DOCKER).record


def kill(record: CloudRecord) -> None:
    """The cloud has no time to clear up."""
    daemon = psutil.Process(record.pid)
    os.kill(record.pid, signal.SIGKILL)
    within(10, lambda: not daemon.is_running() or daemon.status() == psutil.STATUS_ZOMBIE, "the daemon has ended")
