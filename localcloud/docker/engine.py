"""The Docker engine of this machine, as far as an embedded cloud needs it: containers, a network and images of its own.

Everything of a cloud's carries its mark as a label, and nothing else is ever changed or removed.
"""

import socket
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.types import Mount
from requests import exceptions
from urllib3.exceptions import HTTPError

from localcloud.docker.client import engine_host
from localcloud.docker.errors import DockerError, NoDocker
from localcloud.docker.sizes import PROCESSES, Size

LABEL = "teal.cloud"
"""Says whose something is: its value is the cloud's mark."""
ANSWER_SECONDS = 60.0
CLEAR_SECONDS = 20.0
POLL_SECONDS = 0.1
NOT_FOUND, CONFLICT = 404, 409
LOGGING = {"type": "json-file", "config": {"max-size": "10m", "max-file": "1"}}
NETWORK = {
    "com.docker.network.bridge.enable_icc": "false",  # instances reach each other as little as on AWS
    "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1",
}
DATA_TARGET = "/data"
TROUBLES = (DockerException, exceptions.RequestException, HTTPError, OSError, struct.error)
"""What its client library raises when the engine goes away: in the middle of a stream, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A container to run."""

    name: str
    image: str
    address: str
    """Loopback address of this machine that its port is published at."""
    port: int
    size: Size
    environment: Mapping[str, str] = field(repr=False)
    """Secrets among it."""
    labels: Mapping[str, str] = field(default_factory=dict)
    data: Path | None = None
    """Folder of this machine that it has at DATA_TARGET and may write to."""


class Bounded(docker.APIClient):  # type: ignore[misc]  # the client library is untyped
    """Waits no longer than ANSWER_SECONDS for an answer or its next part; the library would wait for ever."""

    def post(self, url: str, data: Any = None, json: Any = None, **settings: Any) -> Any:
        """As requests has it."""
        settings["timeout"] = settings.get("timeout") or ANSWER_SECONDS
        return super().post(url, data, json, **settings)


class Engine:
    """One engine, and what in it belongs to the cloud of one mark. Thread-safe. Every method raises DockerError."""

    def __init__(self, mark: str, host: str = "") -> None:
        """The engine at a host, by default that of DOCKER_HOST or Docker's own socket.

        Raises NoDocker where none answers, or it is not this machine's: nobody could reach its containers.
        """
        self.mark = mark
        self.host = host or engine_host()
        if not self.host.startswith("unix://"):
            raise NoDocker(
                f"instances need a Docker engine of this machine, unix://..., and DOCKER_HOST is {self.host}"
            )
        try:
            with socket.socket(socket.AF_UNIX) as caller:  # the library leaves its socket open where nobody answers
                caller.connect(self.host.removeprefix("unix://"))
            self._api: Any = Bounded(self.host, version="auto", timeout=ANSWER_SECONDS)
            self.processors = int(self._api.info()["NCPU"])
        except TROUBLES as trouble:
            raise NoDocker(
                f"no Docker engine answers at {self.host} ({_short(trouble)}): start it, or set DOCKER_HOST"
            ) from trouble

    def close(self) -> None:
        """Ends the connections to the engine; to be called last."""
        self._api.close()

    @property
    def network(self) -> str:
        """Name of the cloud's network."""
        return f"teal-{self.mark}"

    def make_network(self) -> None:
        """Makes the network that the cloud's containers are in, and that publishes on loopback only."""
        with _explained(f"making the network {self.network}"):
            self._api.create_network(self.network, driver="bridge", options=NETWORK, labels={LABEL: self.mark})

    def image(self, name: str) -> Mapping[str, Any] | None:
        """An image as the engine tells it; None where it is not there."""
        with _explained(f"looking for the image {name}"):
            try:
                found: Mapping[str, Any] = self._api.inspect_image(name)
            except NotFound:
                return None
            return found

    def pull(self, name: str) -> None:
        """Gets an image from the registry that its name begins with; nobody's credentials are used."""
        repository, _, digest = name.partition("@")
        with _explained(f"pulling {name}"):
            for told in self._api.pull(repository, digest, stream=True, decode=True, auth_config={}):
                if "error" in told:
                    raise DockerError(f"Docker could not pull {name}: {told['error']}")

    def create(self, box: Box) -> str:
        """Makes a container and returns its id."""
        settings = self._api.create_host_config(
            port_bindings={box.port: (box.address, box.port)},
            network_mode=self.network,
            nano_cpus=int(box.size.processors * 1e9),
            mem_limit=box.size.memory_bytes,
            memswap_limit=box.size.memory_bytes,  # the same: no swap
            pids_limit=PROCESSES,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            read_only=True,
            tmpfs={"/tmp": "", "/run": ""},  # noqa: S108  # its own, as on an instance
            mounts=[Mount(DATA_TARGET, str(box.data), type="bind")] if box.data else [],
            log_config=LOGGING,
        )
        with _explained(f"making the container {box.name}"):
            made = self._api.create_container(
                image=box.image,
                name=box.name,
                ports=[box.port],
                environment=dict(box.environment),
                labels={**box.labels, LABEL: self.mark},
                host_config=settings,
                use_config_proxy=False,  # it knows what it is told, and nothing of whoever runs the engine
            )
            return str(made["Id"])

    def start(self, container: str) -> int:
        """Starts a container; the number of its first process on the engine's machine."""
        with _explained(f"starting the container {container[:12]}"):
            self._api.start(container)
            return int(self._api.inspect_container(container)["State"]["Pid"])

    def follow(self, container: str, log: Path) -> None:
        """Appends all that a container prints to a file, until it ends."""
        with _explained(f"reading what the container {container[:12]} prints"), log.open("ab", buffering=0) as file:
            for part in self._api.logs(container, stream=True, follow=True):
                file.write(part)

    def wait(self, container: str) -> int:
        """Returns once a container has ended; its exit status."""
        with _explained(f"waiting for the container {container[:12]}"):
            return int(self._api.wait(container)["StatusCode"])

    def stop(self, container: str, grace_seconds: int) -> None:
        """Asks a container to end, and ends it by force after grace_seconds. Harmless if it is over or gone."""
        with _explained(f"stopping the container {container[:12]}"), _gone_is_fine():
            self._api.stop(container, timeout=grace_seconds)

    def remove(self, container: str) -> None:
        """Removes a container, whatever it does. Harmless if it is gone, or being removed."""
        with _explained(f"removing the container {container[:12]}"), _gone_is_fine():
            self._api.remove_container(container, v=True, force=True)

    def containers(self) -> list[str]:
        """Ids of the cloud's containers, running or not."""
        with _explained("listing containers"):
            found = self._api.containers(all=True, filters={"label": f"{LABEL}={self.mark}"})
            return [str(each["Id"]) for each in found]

    def clear(self, registry: str) -> None:
        """Removes the cloud's containers, its network, and the names of images that came from its registry.

        The registry is host:port. Raises DockerError if containers are left after CLEAR_SECONDS.
        """
        deadline = time.monotonic() + CLEAR_SECONDS
        while left := self.containers():
            if time.monotonic() > deadline:
                raise DockerError(f"Docker has not removed {len(left)} containers within {CLEAR_SECONDS:g} s")
            for container in left:
                self.remove(container)
            time.sleep(POLL_SECONDS)
        with _explained("removing the cloud's network and images"):
            for network in self._api.networks(filters={"label": f"{LABEL}={self.mark}"}):
                with _gone_is_fine():
                    self._api.remove_network(network["Id"])
            for image in self._api.images():
                for name in image["RepoDigests"] or ():
                    if name.startswith(f"{registry}/"):
                        with _gone_is_fine():
                            self._api.remove_image(name)


def clear(mark: str, registry: str, host: str) -> None:
    """Removes what a cloud that has ended left in the engine. Raises DockerError, saying how to do it by hand."""
    try:
        with closing(Engine(mark, host)) as engine:
            engine.clear(registry)
    except DockerError as error:
        raise DockerError(
            f"{error}; the ended cloud may have left containers: "
            f"docker rm --force $(docker ps --all --quiet --filter label={LABEL}={mark})"
        ) from error


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    """Turns what the client library raises into a DockerError."""
    try:
        yield
    except TROUBLES as trouble:
        raise DockerError(f"{doing} failed: {_short(trouble)}") from trouble


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    """Lets pass that something is gone already, or on its way, or held by somebody else."""
    try:
        yield
    except APIError as error:
        if error.status_code not in (CONFLICT, NOT_FOUND):
            raise


def _short(trouble: BaseException) -> str:
    """One line: the engine's own explanation where it gave one."""
    if isinstance(trouble, exceptions.ConnectionError):
        return "the Docker engine does not answer"
    told = trouble.explanation if isinstance(trouble, APIError) and trouble.explanation else trouble
    return " ".join(str(told).split())
