"""Builds an image by its Dockerfile, in the engine that instances run in."""

import hashlib
import os
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from localcloud.docker.client import BASE_VARIABLE, Recipe, engine_host, find_client
from localcloud.docker.errors import DockerError
from localcloud.images.errors import ImageError
from localcloud.images.ignore import parse_ignore
from localcloud.images.oci import Image
from localcloud.provider.docker_builds import Build, Refusal

TOLD_LINES = 2
BASE_ARGUMENT = "BASE_IMAGE"


class EngineBuilder:
    """Builds one image at a time. What Docker tells of the last build is in a file."""

    def __init__(self, root: Path, log: Path, host: str = "") -> None:
        """Relative paths start at root. The host is the engine's address, by default that of DOCKER_HOST."""
        self._root, self._log, self._host = root, log, host
        self._alone = threading.Lock()

    def refusals(self, build: Build) -> Iterator[Refusal]:
        """None: a Dockerfile may read any argument."""
        return iter(())

    def fingerprint(self, build: Build) -> str:
        """sha256:HEX of all that goes into the build. Raises ImageError, OSError."""
        recipe = self._recipe(build)
        known = hashlib.sha256()
        for part in (str(build.get("dockerfile")), *(f"{name}={value}" for name, value in sorted(recipe.args.items()))):
            known.update(f"{part}\0".encode())
        known.update((recipe.dockerfile or recipe.context / "Dockerfile").read_bytes())
        for path in _files(recipe.context):
            content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            mode = path.lstat().st_mode & 0o777
            known.update(f"\0{path.relative_to(recipe.context).as_posix()}\0{mode:o}\0{len(content)}\0".encode())
            known.update(content)
        return f"sha256:{known.hexdigest()}"

    def known_digest(self, fingerprint: str) -> str | None:
        """None: what a Dockerfile makes of its source is known afterwards."""
        return None

    def make(self, build: Build) -> Image:
        """Builds. Raises DockerError, with the last that Docker told; ImageError, OSError."""
        return self.build(self._recipe(build))

    def build(self, recipe: Recipe) -> Image:
        """The image of a recipe. Raises DockerError, with the last that Docker told; ImageError, OSError."""
        with self._alone, self._log.open("wb") as output:
            client = find_client(self._host or engine_host())
            try:
                return client.build(recipe, f"teal-build:{uuid.uuid4().hex}", output).packed()
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
                raise DockerError(
                    f"docker build failed: {self._last_words() or error} (all of it: {self._log})"
                ) from error

    def _recipe(self, build: Build) -> Recipe:
        dockerfile = build.get("dockerfile")
        return Recipe(
            context=self._root / str(build.get("context", ".")),
            dockerfile=self._root / str(dockerfile) if dockerfile else None,
            args=with_base({name: str(value) for name, value in (build.get("args") or {}).items()}),
        )

    def _last_words(self) -> str:
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines() if line.strip(" -")]
        return " / ".join(lines[-TOLD_LINES:])


def with_base(args: Mapping[str, str]) -> Mapping[str, str]:
    """Build arguments, and this machine's base image where it has one and they name none."""
    base = os.environ.get(BASE_VARIABLE, "")
    return {BASE_ARGUMENT: base, **args} if base else args


def _files(context: Path) -> list[Path]:
    """What the build may see, in the order of its names. Raises ImageError for a folder that is missing."""
    if not context.is_dir():
        raise ImageError(f"{context} is not a folder to build an image from")
    ignore = context / ".dockerignore"
    rules = parse_ignore(ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else [])
    found = (path for path in context.rglob("*") if path.is_symlink() or path.is_file())
    return sorted(path for path in found if not rules.leaves_out(path.relative_to(context).as_posix()))
