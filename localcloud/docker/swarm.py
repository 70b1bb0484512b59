"""Services and their networks in the engine of this machine, with images out of the embedded ECR.

A service's spec is what the program declares, and what the embedded cloud adds: its labels, the image's name in its own
registry, and that a task may do little.
"""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from localcloud.docker.driver import DockerDriver
from localcloud.docker.engine import LABEL, LOGGING
from localcloud.docker.errors import DockerError
from localcloud.docker.services import Json, Services
from localcloud.docker.sizes import PROCESSES
from localcloud.images.errors import ImageError
from localcloud.images.reference import parse_reference
from localcloud.images.registry import EcrClient
from localcloud.provider.swarm import Network, Port

DOOR = "127.0.0.1:5000/"
"""How a worker names images in ECR: by its own door to it."""
SERVICE, PORT, PUBLISHED, PROCESSORS = (f"{LABEL}.{name}" for name in ("service", "port", "published", "nano-cpus"))
NAME = f"{LABEL}.name"
NO_NEW_PRIVILEGES = (1, 46)
"""Version of the engine's API since which a service can have this."""
POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What the embedded cloud writes on a service of its own."""

    service: str
    """Name as the program has it."""
    port: int = 0
    """Port that tasks answer at; 0 for none."""
    published: int = 0
    """Port of workers that stands for that."""

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Self:
        """As they are on a service."""
        labels = spec.get("Labels") or {}
        return cls(
            service=labels.get(SERVICE, ""), port=int(labels.get(PORT, 0)), published=int(labels.get(PUBLISHED, 0))
        )

    def written(self, mark: str) -> dict[str, str]:
        """As they are put on."""
        return {LABEL: mark, SERVICE: self.service, PORT: str(self.port), PUBLISHED: str(self.published)}


class EngineSwarm:
    """Implements localcloud.provider.swarm.Swarm."""

    def __init__(
        self,
        services: Services,
        driver: DockerDriver,
        registry: str,
        ecr: Callable[[str], EcrClient],
        begun: Callable[[], None],
    ) -> None:
        """The registry is host:port of the cloud's own; ecr gives a region's client; begun is told of services."""
        self._services, self._driver, self._registry, self._ecr, self._begun = services, driver, registry, ecr, begun

    def create_service(self, name: str, spec: Json, port: Port | None) -> str:
        """Makes a service under a name that no other cloud's has, once its image is in the engine."""
        self._services.require_swarm()
        ready = self._ready(name, spec, port)
        self._begun()
        return self._services.create({**ready, "Name": _own_name(name)})

    def service(self, service_id: str) -> Json | None:
        """A service's spec as a program would have it declared."""
        found = self._services.inspect(service_id)
        return None if found is None else self._declared(found["Spec"])

    def update_service(self, service_id: str, name: str, spec: Json, port: Port | None) -> None:
        """Changes a service to a spec, once its image is in the engine."""
        self._services.update(service_id, self._ready(name, spec, port))

    def remove_service(self, service_id: str) -> None:
        """Removes a service."""
        self._services.remove(service_id)

    def await_converged(self, service_id: str, seconds: float) -> None:
        """Waits until as many tasks run as there are replicas."""
        deadline = time.monotonic() + seconds
        while True:
            found = self._services.inspect(service_id)
            wanted = found["Spec"]["Mode"]["Replicated"].get("Replicas", 1) if found else 0
            running = [task for task in self._services.tasks([service_id]) if task["Status"]["State"] == "running"]
            if len(running) == wanted:
                return
            if time.monotonic() > deadline:
                raise DockerError(f"after {seconds:g} s {len(running)} of {wanted} tasks of {service_id} run")
            time.sleep(POLL_SECONDS)

    def create_network(self, network: Network) -> str:
        """Makes an overlay network under a name that no other cloud's has."""
        labels = {**network.labels, NAME: network.name}
        return self._services.create_network(
            _own_name(network.name),
            network.options,
            labels,
            Attachable=network.is_attachable,
            Internal=network.is_internal,
        )

    def network(self, network_id: str) -> Network | None:
        """A network as it is."""
        found = self._services.inspect_network(network_id)
        if found is None:
            return None
        labels = dict(found.get("Labels") or {})
        return Network(
            name=str(labels.get(NAME) or found["Name"]),
            options={name: value for name, value in (found.get("Options") or {}).items() if "." not in name},
            labels=labels,
            is_attachable=bool(found.get("Attachable")),
            is_internal=bool(found.get("Internal")),
        )

    def remove_network(self, network_id: str) -> None:
        """Removes a network, once the last task has left it."""
        self._services.remove_network(network_id)

    def _ready(self, name: str, spec: Json, port: Port | None) -> Json:
        """The whole spec, but for its name; pulls its image. Raises ImageError, DockerError."""
        labels = Labels(service=name, port=port.target if port else 0, published=port.published if port else 0)
        own = labels.written(self._services.mark)
        template = spec["TaskTemplate"]
        limits = dict((template.get("Resources") or {}).get("Limits") or {})
        if limits.get("NanoCPUs"):
            own[PROCESSORS] = str(limits["NanoCPUs"])  # more than this machine has, and no container starts
            limits["NanoCPUs"] = min(limits["NanoCPUs"], int(self._services.processors * 1e9))
        container = template["ContainerSpec"]
        container = {
            **container,
            "Image": self._pulled(container["Image"]),
            "Labels": {**(container.get("Labels") or {}), LABEL: self._services.mark},
            "CapabilityDrop": ["ALL"],
        }
        resources = {**(template.get("Resources") or {}), "Limits": {**limits, "Pids": PROCESSES}}
        log = {"Name": LOGGING["type"], "Options": LOGGING["config"]}
        return {
            **spec,
            "Labels": {**(spec.get("Labels") or {}), **own},
            "TaskTemplate": {**template, "ContainerSpec": container, "Resources": resources, "LogDriver": log},
        }

    def _declared(self, spec: Json) -> Json:
        """The reverse of _ready: what the embedded cloud added, and still stands, is taken away."""
        template = dict(spec["TaskTemplate"])
        container = dict(template["ContainerSpec"])
        container["Image"] = self._at_the_door(container["Image"])
        limits = dict((template.get("Resources") or {}).get("Limits") or {})
        told = int((spec.get("Labels") or {}).get(PROCESSORS, 0))
        if limits.get("NanoCPUs") == min(told, int(self._services.processors * 1e9)):
            limits["NanoCPUs"] = told
        template |= {"ContainerSpec": container, "Resources": {"Limits": limits}}
        return {**spec, "TaskTemplate": template}

    def _pulled(self, image: str) -> str:
        """The engine's name of the image that workers name by their door. Raises ImageError, DockerError."""
        if not image.startswith(DOOR):
            raise ImageError(f"image must be {DOOR}<account>.dkr.ecr.<region>.amazonaws.com/..., got {image!r}")
        reference = parse_reference(image.removeprefix(DOOR))
        if reference.region is None:
            raise ImageError(f"{reference} is in no registry of ECR, and the embedded cloud has no other")
        return self._driver.pull(self._ecr(reference.region), reference).name

    def _at_the_door(self, image: str) -> str:
        """The reverse of _pulled; another image is told as it is."""
        own = re.fullmatch(rf"{re.escape(self._registry)}/(\d+)/([a-z0-9-]+)/(.+)", image)
        return f"{DOOR}{own[1]}.dkr.ecr.{own[2]}.amazonaws.com/{own[3]}" if own else image


def _own_name(name: str) -> str:
    return f"{name}-{secrets.token_hex(3)}"
