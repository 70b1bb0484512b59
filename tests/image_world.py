"""The image, and a container of it, as values for tests."""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BASE = os.environ.get("TEAL_BASE_IMAGE", "")
LOCKED_DOWN = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", "12345:12345")


@dataclass(frozen=True)
class Built:
    """An image, and the client that made it."""

    docker: str
    tag: str
    facts: Mapping[str, Any]

    def run(self, *command: str, timeout: float = 60) -> str:
        """What a Docker command prints. Raises CalledProcessError."""
        done = subprocess.run([self.docker, *command], capture_output=True, text=True, timeout=timeout, check=True)
        return done.stdout.strip()

    def inspect(self) -> Any:
        """The image as the engine tells it."""
        return json.loads(self.run("image", "inspect", self.tag))[0]


@dataclass(frozen=True)
class Running:
    """A container, on the loopback address of this machine."""

    built: Built
    name: str
    port: int

    def get(self, path: str) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body; HTTPError for 400 and above."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.status, dict(answer.headers), answer.read()

    def state(self) -> Any:
        """The container's state as the engine tells it."""
        return json.loads(self.built.run("inspect", "--format", "{{json .State}}", self.name))


def wait_until_ready(container: Running, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            container.get("/readyz")
        except OSError:
            logs = container.built.run("logs", container.name)
            assert time.monotonic() < deadline, f"not ready after {seconds:g} s: {logs}"
            time.sleep(0.1)
        else:
            return
