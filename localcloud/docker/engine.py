"""The Docker engine of this machine, as far as an embedded cloud needs it: containers, a network and images of its own.

Everything of a cloud's carries its mark as a label, and nothing else is ever changed or removed.
"""

import json
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import docker
from docker.errors import APIError, NotFound, create_api_error_from_http_exception
from docker.types import Mount
from requests.exceptions import HTTPError

from localcloud.docker.client import engine_host
from localcloud.docker.errors import DockerError, NoDocker
from localcloud.docker.explained import TROUBLES, explained, gone_is_fine, is_going, is_held, short
from localcloud.docker.sizes import PROCESSES, Size
from localcloud.logs import SteadyFile

LABEL = "teal.cloud"
"""Says whose something is: its value is the cloud's mark."""
ANSWER_SECONDS = 60.0
CLEAR_SECONDS = 20.0
POLL_SECONDS = 0.1
LOGGING = {"type": "json-file", "config": {"max-size": "10m", "max-file": "1"}}
NETWORK = {
    "com.docker.network.bridge.enable_icc": "false",  # instances reach each other as little as on AWS
    "com.docker.network.bridge.host_binding_ipv4": "127.0.0.1",
}
DATA_TARGET = "/data"


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
                f"no Docker engine answers at {self.host} ({short(trouble)}): start it, or set DOCKER_HOST"
            ) from trouble

    def close(self) -> None:
        """Ends the connections to the engine; to be called last."""
        self._api.close()

    def ask(self, method: str, path: str, body: Any, query: Mapping[str, Any]) -> Any:
        """The answer, read as JSON, to a request that the client library has no plain form of. Raises APIError."""
        api = self._api
        address = f"{api.base_url}/v{api.api_version}{path}"
        answer = api.request(method, address, json=body, params=query, timeout=ANSWER_SECONDS)
        try:
            answer.raise_for_status()
        except HTTPError as error:
            raise create_api_error_from_http_exception(error) from error
        return answer.json() if answer.content else None

    @property
    def network(self) -> str:
        """Name of the cloud's network."""
        return f"teal-{self.mark}"

    def make_network(self) -> None:
        """Makes the network that the cloud's containers are in, and that publishes on loopback only."""
        with explained(f"making the network {self.network}"):
            self._api.create_network(self.network, driver="bridge", options=NETWORK, labels={LABEL: self.mark})

    def image(self, name: str) -> Mapping[str, Any] | None:
        """An image as the engine tells it; None where it is not there."""
        with explained(f"looking for the image {name}"):
            try:
                found: Mapping[str, Any] = self._api.inspect_image(name)
            except NotFound:
                return None
            return found

    def pull(self, name: str) -> None:
        """Gets an image from the registry that its name begins with; nobody's credentials are used."""
        repository, _, digest = name.partition("@")
        with explained(f"pulling {name}"):
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
        with explained(f"making the container {box.name}"):
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
        with explained(f"starting the container {container[:12]}"):
            self._api.start(container)
            return int(self._api.inspect_container(container)["State"]["Pid"])

    def follow(self, container: str, log: Path) -> None:
        """Appends all that a container prints to a file, until it ends."""
        with explained(f"reading what the container {container[:12]} prints"), log.open("ab", buffering=0) as file:
            steady = SteadyFile(file.fileno())  # a full disk is no reason to take the container for ended
            for part in self._api.logs(container, stream=True, follow=True):
                steady.write(part)

    def wait(self, container: str) -> int:
        """Returns once a container has ended; its exit status."""
        with explained(f"waiting for the container {container[:12]}"):
            return int(self._api.wait(container)["StatusCode"])

    def stop(self, container: str, grace_seconds: int) -> None:
        """Asks a container to end, and ends it by force after grace_seconds. Harmless if it is over or gone."""
        with explained(f"stopping the container {container[:12]}"), gone_is_fine():
            self._api.stop(container, timeout=grace_seconds)

    def remove(self, container: str) -> None:
        """Removes a container, whatever it does. Harmless if it is gone, or being removed."""
        with explained(f"removing the container {container[:12]}"), gone_is_fine():
            self._api.remove_container(container, v=True, force=True)

    def containers(self) -> list[str]:
        """Ids of the cloud's containers, running or not."""
        with explained("listing containers"):
            found = self._api.containers(all=True, filters={"label": f"{LABEL}={self.mark}"})
            return [str(each["Id"]) for each in found]

    def services(self) -> Sequence[Mapping[str, Any]]:
        """The cloud's services; none where the engine manages no swarm."""
        wanted = {"filters": json.dumps({"label": [f"{LABEL}={self.mark}"]})}
        with explained("listing services"):
            try:
                return cast("Sequence[Mapping[str, Any]]", self.ask("GET", "/services", None, wanted))
            except APIError as error:
                if error.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
                    return []
                raise

    def clear(self, registry: str) -> None:
        """Removes the cloud's services, containers and networks, and the names of images that came from its registry.

        The registry is host:port. Raises DockerError if anything is left after CLEAR_SECONDS.
        """
        deadline = time.monotonic() + CLEAR_SECONDS
        for service in self.services():  # first: else a swarm would bring its containers back
            with explained("removing the cloud's services"), gone_is_fine():
                self.ask("DELETE", f"/services/{service['ID']}", None, {})
        for kind, left, remove in (
            ("containers", self.containers, self.remove),
            ("networks", self._networks, self._remove_network),
        ):
            while found := left():
                if time.monotonic() > deadline:
                    raise DockerError(f"Docker has not removed {len(found)} {kind} within {CLEAR_SECONDS:g} s")
                for each in found:
                    remove(each)
                time.sleep(POLL_SECONDS)
        with explained("removing the cloud's images"):
            for image in self._api.images():
                for name in image["RepoDigests"] or ():
                    if name.startswith(f"{registry}/"):
                        with gone_is_fine():
                            self._api.remove_image(name)

    def _networks(self) -> list[str]:
        with explained("listing networks"):
            return [str(each["Id"]) for each in self._api.networks(filters={"label": f"{LABEL}={self.mark}"})]

    def _remove_network(self, network: str) -> None:
        """Removes a network; one that a task is just leaving stays for now."""
        with explained("removing the cloud's networks"):
            try:
                self._api.remove_network(network)
            except APIError as error:
                if not (is_held(error) or is_going(error)):
                    raise


def clear(mark: str, registry: str, host: str) -> None:
    """Removes what a cloud that has ended left in the engine. Raises DockerError, saying how to do it by hand."""
    try:
        with closing(Engine(mark, host)) as engine:
            engine.clear(registry)
    except DockerError as error:
        raise DockerError(
            f"{error}; the ended cloud may have left services and containers: "
            f"docker service rm $(docker service ls --quiet --filter label={LABEL}={mark}); "
            f"docker rm --force $(docker ps --all --quiet --filter label={LABEL}={mark})"
        ) from error
