"""What the provider needs of whatever runs services and their networks: an engine in swarm mode."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from localcloud.provider.errors import ProviderError
from localcloud.provider.swarm_specs import Spec

NEEDS_DOCKER = (
    "services of Docker Swarm (orchestrator: swarm) need the docker driver: "
    "`teal local down`, then `teal local up --driver docker`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """Where a service's tasks answer, and at which port of a worker that stands for them."""

    target: int
    published: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network to make, or as it is."""

    name: str
    """As the program calls it."""
    options: Mapping[str, str]
    labels: Mapping[str, str]
    is_attachable: bool = False
    is_internal: bool = False


class Swarm(Protocol):
    """Services and overlay networks of one cloud. Every method raises LocalCloudError or ProviderError."""

    def create_service(self, name: str, spec: Spec, port: Port | None) -> str:
        """Makes a service, once its image is in the engine, and returns its id."""

    def service(self, service_id: str) -> Spec | None:
        """A service's spec as it is now; None where it is gone."""

    def update_service(self, service_id: str, name: str, spec: Spec, port: Port | None) -> None:
        """Changes a service to a spec, once its image is in the engine."""

    def remove_service(self, service_id: str) -> None:
        """Removes a service. Harmless if it is gone."""

    def await_converged(self, service_id: str, seconds: float) -> None:
        """Waits until as many tasks run as there are replicas."""

    def create_network(self, network: Network) -> str:
        """Makes an overlay network and returns its id."""

    def network(self, network_id: str) -> Network | None:
        """A network as it is now; None where it is gone."""

    def remove_network(self, network_id: str) -> None:
        """Removes a network. Harmless if it is gone."""


class NoSwarm:
    """Implements Swarm where instances are no containers: every method says what to do."""

    def create_service(self, name: str, spec: Spec, port: Port | None) -> str:
        """Raises ProviderError."""
        _refuse()

    def service(self, service_id: str) -> Spec | None:
        """Raises ProviderError."""
        _refuse()

    def update_service(self, service_id: str, name: str, spec: Spec, port: Port | None) -> None:
        """Raises ProviderError."""
        _refuse()

    def remove_service(self, service_id: str) -> None:
        """Raises ProviderError."""
        _refuse()

    def await_converged(self, service_id: str, seconds: float) -> None:
        """Raises ProviderError."""
        _refuse()

    def create_network(self, network: Network) -> str:
        """Raises ProviderError."""
        _refuse()

    def network(self, network_id: str) -> Network | None:
        """Raises ProviderError."""
        _refuse()

    def remove_network(self, network_id: str) -> None:
        """Raises ProviderError."""
        _refuse()


def _refuse() -> NoReturn:
    raise ProviderError(NEEDS_DOCKER)


def text_map(options: Any) -> dict[str, str]:
    """A mapping of texts, whatever the program wrote."""
    return {str(name): str(value) for name, value in (options or {}).items()}
