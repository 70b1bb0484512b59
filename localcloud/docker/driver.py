"""Instances as containers of the Docker engine of this machine, each at a loopback address of its own."""

import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from localcloud.docker.engine import DATA_TARGET, Box, Engine
from localcloud.docker.errors import DockerError
from localcloud.docker.sizes import size_of
from localcloud.images.errors import ImageError
from localcloud.images.oci import VERSION_LABEL, is_packed, read_manifest
from localcloud.images.reference import ImageReference
from localcloud.images.registry import EcrClient, fetch_blob, fetch_manifest
from localcloud.instances.driver import Launch
from localcloud.instances.errors import InstanceError

CREATE_SECONDS = 60.0
"""Longest that a stop waits for a container that is just being made."""
LAST_WORDS_SECONDS = 2.0
SIGNALLED = 128
"""Docker adds this to the number of the signal that ended a container."""
ROOT = ("", "0", "root")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineImage:
    """An image in the engine."""

    name: str
    """By digest, as the engine knows it."""
    digest: str
    version: str


class DockerDriver:
    """Starts instances as containers that may do little: limits, no capability, a root that is read-only, no root user.

    Containers live in a network of the cloud's own and publish their port on the instance's loopback address only.
    """

    def __init__(self, engine: Engine, registry: str) -> None:
        """The registry is the host:port at which the cloud's own images can be pulled. Raises DockerError."""
        self._engine, self._registry = engine, registry
        engine.make_network()

    def pull(self, client_ecr: EcrClient, reference: ImageReference) -> EngineImage:
        """The image that reference names, in the engine, pulled by its digest. Raises ImageError, DockerError."""
        if reference.region is None:
            raise ImageError(f"{reference} is in no registry of ECR, and the embedded cloud has no other")
        name = f"{self._registry}/{reference.account}/{reference.region}/{reference.repository}@{reference.digest}"
        found = self._engine.image(name)
        if found is None:
            manifest = read_manifest(fetch_manifest(client_ecr, reference))
            if is_packed(fetch_blob(client_ecr, reference, manifest.config_digest)):
                raise ImageError(
                    f"{reference.digest} was packed without Docker and needs the Python of a machine, so no container "
                    "can run it: build it again in this cloud, which has the docker driver"
                )
            self._engine.pull(name)
            found = self._engine.image(name)
        if found is None:
            raise ImageError(f"{reference.digest} was removed from the Docker engine while it was being pulled")
        config = found["Config"]
        if str(config.get("User") or "").partition(":")[0] in ROOT:
            raise ImageError(f"{reference.digest} runs as root: give its Dockerfile a USER")
        version = str((config.get("Labels") or {}).get(VERSION_LABEL) or "0")
        return EngineImage(name=name, digest=reference.digest, version=version)

    def start(self, launch: Launch[EngineImage]) -> "ContainerInstance":
        """Starts one and returns at once: making a container takes the engine longer than callers have.

        Raises InstanceError where its log cannot be written. What Docker refuses ends the instance and is in its log.
        """
        try:
            launch.folder.mkdir(parents=True, exist_ok=True)
            launch.log.parent.mkdir(parents=True, exist_ok=True)
            launch.log.touch()
        except OSError as error:
            raise InstanceError(f"instance {launch.instance_id} could not be started: {error}") from error
        return ContainerInstance(self._engine, launch, self._box(launch))

    def close(self) -> None:
        """Removes all that the cloud has in the engine. Raises DockerError."""
        try:
            self._engine.clear(self._registry)
        finally:
            self._engine.close()

    def _box(self, launch: Launch[EngineImage]) -> Box:
        return Box(
            # An instance that is started again must not wait until its first container is gone.
            name=f"teal-{launch.instance_id}-{secrets.token_hex(2)}",
            image=launch.image.name,
            address=launch.address,
            port=launch.spec.port,
            size=size_of(launch.instance_type, self._engine.processors),
            environment=_environment(launch),
            labels={"teal.instance": launch.instance_id, "teal.colour": launch.spec.colour},
            data=launch.data.path if launch.data else None,
        )


class ContainerInstance:
    """An instance's container, from its making to its end. Thread-safe."""

    def __init__(self, engine: Engine, launch: Launch[EngineImage], box: Box) -> None:
        self._engine, self._log, self._box = engine, launch.log, box
        self._container = ""
        self._status = SIGNALLED
        self._made, self._ended = threading.Event(), threading.Event()
        self._stopping = threading.Lock()
        self._is_removed = False
        self.pid: int | None = None
        threading.Thread(target=self._live, name=box.name, daemon=True).start()

    @property
    def container(self) -> str:
        """Name of the container."""
        return self._box.name

    def is_alive(self) -> bool:
        """Whether it is being made, or runs."""
        return not self._ended.is_set()

    def stop(self, grace: timedelta) -> int:
        """SIGTERM to the container's first process, SIGKILL to all once grace is over; the exit status.

        The container is removed. Raises DockerError.
        """
        with self._stopping:
            if not self._is_removed:
                self._made.wait(CREATE_SECONDS)
                if self._container:
                    self._engine.stop(self._container, ceil(grace.total_seconds()))
                    self._ended.wait(LAST_WORDS_SECONDS)
                    self._engine.remove(self._container)
                self._is_removed = True
            return SIGNALLED - self._status if self._status > SIGNALLED else self._status

    def _live(self) -> None:
        try:
            self._container = self._engine.create(self._box)
            self.pid = self._engine.start(self._container)
            self._made.set()
            self._engine.follow(self._container, self._log)
            self._status = self._engine.wait(self._container)
        except DockerError as problem:
            with suppress(OSError), self._log.open("a") as log:  # a full disk
                log.write(f"{problem}\n")
        finally:
            self._made.set()
            self._ended.set()


def _environment(launch: Launch[EngineImage]) -> Mapping[str, str]:
    """As on an instance (components/boot/instance_boot.py)."""
    return {
        **launch.spec.environment,
        **launch.secrets,
        "TEAL_COLOUR": launch.spec.colour,
        "TEAL_DIGEST": launch.image.digest,
        "TEAL_INSTANCE": launch.instance_id,
        "TEAL_VERSION": launch.image.version,
        "TEAL_ZONE": launch.zone,
        **({"TEAL_DATA": DATA_TARGET} if launch.data else {}),
    }
