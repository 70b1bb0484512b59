"""docker:index/service:Service and docker:index/network:Network: what the engine asks of them, by way of a Swarm."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from localcloud.errors import LocalCloudError
from localcloud.provider import swarm_specs
from localcloud.provider.api import Api
from localcloud.provider.durations import nanoseconds
from localcloud.provider.errors import ProviderError, UnknownProperty
from localcloud.provider.lifecycle import Checked, Difference, Found
from localcloud.provider.swarm import Network, Port, Swarm, text_map
from localcloud.provider.swarm_rows import labels_back, labels_out
from localcloud.provider.swarm_specs import Refusal, read_back, refusals, spec_of
from localcloud.provider.values import DEFAULTS, UNKNOWN, Properties, has_unknown

SERVICE = swarm_specs.TOKEN
NETWORK = "docker:index/network:Network"
NETWORK_INPUTS = frozenset({"name", "driver", "options", "attachable", "internal", "labels"})
NETWORK_OPTIONS = frozenset({"encrypted"})
CONVERGE_SECONDS = 180.0
LOCAL_ANSWERS = TypeVar("LOCAL_ANSWERS")


@dataclass(frozen=True)
class ServiceType:
    """docker:index/service:Service."""

    swarm: Swarm

    @property
    def input_names(self) -> frozenset[str]:
        """Properties that it honours."""
        return swarm_specs.INPUTS

    @property
    def required_names(self) -> frozenset[str]:
        """Properties that it must be given."""
        return frozenset({"taskSpec"})

    @property
    def output_names(self) -> frozenset[str]:
        """Everything that it tells."""
        return swarm_specs.OUTPUTS

    def check(self, urn: str, news: Properties, olds: Properties, seed: bytes) -> Checked:
        """Fills in name and replicas, and says what is not honoured."""
        inputs = _named(urn, {name: value for name, value in news.items() if name != DEFAULTS}, olds, seed)
        if "mode" not in inputs:
            inputs |= {"mode": {"replicated": {"replicas": 1}}, DEFAULTS: [*inputs.get(DEFAULTS, []), "mode"]}
        shown = {name: value for name, value in inputs.items() if name != DEFAULTS}
        return Checked(inputs, tuple(refusals(shown)))

    def diff(self, olds: Properties, news: Properties, ignored: frozenset[str]) -> Difference:
        """Everything but the name is changed in place; who logs in to the registry is no change."""
        hidden = ignored | {DEFAULTS, "auth"}
        return _difference(olds, news, hidden, frozenset({"name"}))

    def planned(self, inputs: Properties, state: Properties | None = None) -> Properties:
        """Outputs as a preview tells them: the inputs."""
        return _shown(inputs)

    def create(self, api: Api, inputs: Properties) -> tuple[str, Properties]:
        """Makes the service, once its image is in the engine. Raises ProviderError."""
        name, spec, port = _service(inputs)
        made = _told(lambda: self.swarm.create_service(name, spec, port))
        self._await(made, inputs)
        return made, _shown(inputs)

    def read(self, api: Api, resource_id: str, inputs: Properties, state: Properties) -> Found | None:
        """The service as it is in the engine. Raises ProviderError on an import: what is played is not there."""
        if not inputs:
            raise ProviderError(f"{SERVICE} cannot be imported: much of it is not in the engine")
        spec = _told(lambda: self.swarm.service(resource_id))
        if spec is None:
            return None
        found = read_back(inputs, spec)
        return Found(found, _shown(found))

    def update(self, api: Api, resource_id: str, olds: Properties, news: Properties, state: Properties) -> Properties:
        """Changes the service in place; Swarm replaces its tasks as updateConfig says."""
        name, spec, port = _service(news)
        _told(lambda: self.swarm.update_service(resource_id, name, spec, port))
        self._await(resource_id, news)
        return _shown(news)

    def delete(self, api: Api, resource_id: str, inputs: Properties, state: Properties) -> None:
        """Removes the service, and Swarm its tasks."""
        _told(lambda: self.swarm.remove_service(resource_id))

    def _await(self, service_id: str, inputs: Properties) -> None:
        wanted = inputs.get("convergeConfig")
        if wanted is not None:
            seconds = nanoseconds(wanted["timeout"]) / 1e9 if "timeout" in wanted else CONVERGE_SECONDS
            _told(lambda: self.swarm.await_converged(service_id, seconds))


@dataclass(frozen=True)
class NetworkType:
    """docker:index/network:Network, of driver overlay."""

    swarm: Swarm

    @property
    def input_names(self) -> frozenset[str]:
        """Properties that it honours."""
        return NETWORK_INPUTS

    @property
    def required_names(self) -> frozenset[str]:
        """Properties that it must be given."""
        return frozenset({"driver"})

    @property
    def output_names(self) -> frozenset[str]:
        """Everything that it tells."""
        return NETWORK_INPUTS | {"scope"}

    def check(self, urn: str, news: Properties, olds: Properties, seed: bytes) -> Checked:
        """Fills in a name, and says what is not honoured."""
        inputs = _named(urn, {name: value for name, value in news.items() if name != DEFAULTS}, olds, seed)
        return Checked(inputs, tuple(_network_refusals(inputs)))

    def diff(self, olds: Properties, news: Properties, ignored: frozenset[str]) -> Difference:
        """The engine changes no network: every change needs another."""
        return _difference(olds, news, ignored | {DEFAULTS}, NETWORK_INPUTS)

    def planned(self, inputs: Properties, state: Properties | None = None) -> Properties:
        """Outputs as a preview tells them: the inputs."""
        return {**_shown(inputs), "scope": "swarm"}

    def create(self, api: Api, inputs: Properties) -> tuple[str, Properties]:
        """Makes the network. Raises ProviderError."""
        wanted = Network(
            name=str(inputs["name"]),
            options=text_map(inputs.get("options")),
            labels=labels_out(inputs.get("labels")),
            is_attachable=bool(inputs.get("attachable")),
            is_internal=bool(inputs.get("internal")),
        )
        made = _told(lambda: self.swarm.create_network(wanted))
        return made, self.planned(inputs)

    def read(self, api: Api, resource_id: str, inputs: Properties, state: Properties) -> Found | None:
        """The network as it is in the engine. Raises ProviderError on an import."""
        if not inputs:
            raise ProviderError(f"{NETWORK} cannot be imported: make it anew")
        found = _told(lambda: self.swarm.network(resource_id))
        if found is None:
            return None
        actual = {
            "name": found.name,
            "options": dict(found.options),
            "labels": labels_back(found.labels),
            "attachable": found.is_attachable,
            "internal": found.is_internal,
        }
        kept = {name: _seen(value, actual.get(name, value)) for name, value in inputs.items()}
        return Found(kept, self.planned(kept))

    def update(self, api: Api, resource_id: str, olds: Properties, news: Properties, state: Properties) -> Properties:
        """Never asked for: every change needs another network."""
        raise ProviderError(f"{NETWORK} can't be changed in place")

    def delete(self, api: Api, resource_id: str, inputs: Properties, state: Properties) -> None:
        """Removes the network."""
        _told(lambda: self.swarm.remove_network(resource_id))


def _service(inputs: Properties) -> tuple[str, swarm_specs.Spec, Port | None]:
    ports = (inputs.get("endpointSpec") or {}).get("ports")
    port = Port(target=int(ports[0]["targetPort"]), published=int(ports[0]["publishedPort"])) if ports else None
    return str(inputs["name"]), spec_of(inputs), port


def _network_refusals(inputs: Properties) -> Iterator[Refusal]:
    for name in sorted(inputs.keys() - NETWORK_INPUTS - {DEFAULTS}):
        yield name, str(UnknownProperty(NETWORK, name))
    if inputs.get("driver") not in ("overlay", UNKNOWN):
        yield "driver", f"driver of {NETWORK} must be 'overlay' here, got {inputs.get('driver')!r}"
    options = inputs.get("options")
    for name in sorted(options.keys() - NETWORK_OPTIONS) if isinstance(options, dict) else ():
        yield "options", str(UnknownProperty(NETWORK, f"options.{name}"))


def _named(urn: str, inputs: Properties, olds: Properties, seed: bytes) -> Properties:
    """The inputs with a name: the one from before where we gave that, as pulumi-docker does."""
    if "name" in inputs:
        return inputs
    if "name" in olds.get(DEFAULTS, []):
        return {**inputs, "name": olds["name"], DEFAULTS: ["name"]}
    suffix = hashlib.sha256(seed or urn.encode()).hexdigest()[:7]
    return {**inputs, "name": f"{urn.rsplit('::', 1)[-1]}-{suffix}", DEFAULTS: ["name"]}


def _difference(olds: Properties, news: Properties, hidden: frozenset[str], replacing: frozenset[str]) -> Difference:
    names = (olds.keys() | news.keys()) - hidden
    changed = sorted(name for name in names if has_unknown(news.get(name)) or olds.get(name) != news.get(name))
    replaces = tuple(name for name in changed if name in replacing)
    return Difference(tuple(changed), replaces)


def _seen(declared: Any, actual: Any) -> Any:
    """What was declared where it still holds."""
    if isinstance(declared, list):
        return declared if labels_out(declared) == labels_out(actual) else actual
    return declared if declared == actual else actual


def _shown(inputs: Properties) -> Properties:
    return {name: value for name, value in inputs.items() if name != DEFAULTS}


def _told(ask: Callable[[], LOCAL_ANSWERS]) -> LOCAL_ANSWERS:
    """What was asked for; what the engine says instead is the provider's error."""
    try:
        return ask()
    except LocalCloudError as error:
        raise ProviderError(str(error)) from error
