"""Docker's own client, where only it will do: it builds with BuildKit, and takes images out of an engine."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from localcloud.docker.errors import NoDocker
from localcloud.docker.saved import SavedImage, opened

ANSWER_SECONDS = 60.0
BUILD_SECONDS = 1800.0
MOVE_SECONDS = 300.0
DEFAULT_HOST = "unix:///var/run/docker.sock"
CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT")
BASE_VARIABLE = "TEAL_BASE_IMAGE"
"""Environment variable with the BASE_IMAGE of builds, for a machine that does not reach Docker Hub."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What an image is built from."""

    context: Path
    dockerfile: Path | None = None
    """Default: the one in the context."""
    args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    is_fresh: bool = False
    """Without the engine's cache."""

    def words(self, tag: str) -> list[str]:
        """Arguments of `docker build`. It takes the machine's network, and its certificate authorities as a secret."""
        words = ["build", "--network", "host", "--tag", tag]
        for name, value in sorted(self.args.items()):
            words += ["--build-arg", f"{name}={value}"]
        for name, value in sorted(self.labels.items()):
            words += ["--label", f"{name}={value}"]
        words += ["--no-cache"] if self.is_fresh else []
        words += ["--file", str(self.dockerfile)] if self.dockerfile else []
        authority = next((os.environ[name] for name in CERTIFICATES if Path(os.environ.get(name, "")).is_file()), "")
        words += ["--secret", f"id=ca,src={authority}"] if authority else []
        return [*words, str(self.context)]


@dataclass(frozen=True, slots=True)
class Client:
    """A Docker client that can build with BuildKit."""

    path: str
    host: str = ""
    """Address of the engine; empty for the one that the client finds by itself."""

    def build(self, recipe: Recipe, tag: str, output: IO[bytes]) -> SavedImage:
        """Builds, and takes the image out; the engine keeps only its cache. What Docker tells goes to output.

        Raises CalledProcessError, TimeoutExpired, ImageError.
        """
        as_built = f"{tag}-as-built"
        self._run(recipe.words(as_built), BUILD_SECONDS, output, output)
        try:
            return opened(self._run(["save", as_built], MOVE_SECONDS, subprocess.PIPE, output).stdout)
        finally:
            self._run(["rmi", as_built], MOVE_SECONDS, output, output)

    def load(self, image: SavedImage, tag: str, output: IO[bytes]) -> None:
        """Puts an image into the engine. Raises CalledProcessError, TimeoutExpired."""
        self._run(["load", "--quiet"], MOVE_SECONDS, output, output, image.archive(tag))

    def _run(
        self, words: Sequence[str], seconds: float, output: IO[bytes] | int, errors: IO[bytes], given: bytes = b""
    ) -> "subprocess.CompletedProcess[bytes]":
        command = [self.path, *(["--host", self.host] if self.host else []), *words]
        return subprocess.run(
            command, input=given, stdout=output, stderr=errors, check=True, timeout=seconds, env=_environment()
        )


def engine_host() -> str:
    """Address of the engine that instances run in: DOCKER_HOST, or Docker's own socket, whatever context is chosen."""
    return os.environ.get("DOCKER_HOST") or DEFAULT_HOST


def find_client(host: str = "") -> Client:
    """A client that can build with BuildKit, $DOCKER before those of PATH, whose engine answers. Raises NoDocker."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    paths = [os.environ["DOCKER"]] if "DOCKER" in os.environ else [f"{folder}/docker" for folder in folders]
    found = [path for path in paths if Path(path).is_file()]
    if not found:
        raise NoDocker("no Docker client is installed")
    able = [path for path in found if "--secret" in _told(path, "build", "--help")]
    if not able:
        raise NoDocker(f"{found[0]} cannot build with BuildKit: install buildx, or Debian's docker.io")
    address = ["--host", host] if host else []
    if not _told(able[0], *address, "version", "--format", "{{.Server.Version}}").strip():
        raise NoDocker("no Docker engine answers")
    return Client(able[0], host)


def _told(*command: str) -> str:
    """What a command prints, empty where it fails."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
            env=_environment(),
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _environment() -> dict[str, str]:
    return {**os.environ, "DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"}
