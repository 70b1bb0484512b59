"""A cloud whose instances are containers, and what Docker tells of it."""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud.docker.builder import with_base
from localcloud.docker.client import Client, Recipe
from localcloud.home import Home
from localcloud.images.oci import Image
from localcloud.status import StackStatus, stack_statuses
from scripts.build_image import ROOT
from stack_files import region_of

COMMAND_SECONDS = 60.0
PLAIN = "TEAL_TRUSTED_HOPS=2"
DEMO = f"TEAL_DEMO=1 {PLAIN}"
LABEL = "teal.cloud"


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
