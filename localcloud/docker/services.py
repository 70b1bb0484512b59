"""Services, tasks and overlay networks of an engine in swarm mode, as its HTTP API has them: JSON in, JSON out.

Everything made here carries the cloud's mark as a label, and nothing else is ever changed or removed.
"""

import json
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

from docker.errors import APIError

from localcloud.docker.engine import LABEL, Engine
from localcloud.docker.errors import DockerError, NoSwarm
from localcloud.docker.explained import explained, is_going, is_held

Json = dict[str, Any]
POLL_SECONDS = 0.25
UPDATE_TRIES = 5
NETWORK_SECONDS = 90.0
"""Longest that a network waits for the last of its tasks, which may take their whole grace to end."""
GATEWAY = "docker_gwbridge"
"""The bridge between a swarm's containers and their machine: Docker makes one on every node."""
TASK = "com.docker.swarm.task.id"
"""Label that Swarm puts on a task's container."""
INIT = "docker swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377"


class Services:
    """What one cloud has in an engine in swarm mode. Thread-safe. Every method raises DockerError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def mark(self) -> str:
        """The cloud's."""
        return self._engine.mark

    @property
    def processors(self) -> int:
        """Those of the engine's machine."""
        return self._engine.processors

    def require_swarm(self) -> None:
        """Raises NoSwarm, with the command to run, unless the engine manages a swarm."""
        with explained("asking the engine for its swarm"):
            swarm = self._ask("GET", "/info").get("Swarm") or {}
        if swarm.get("LocalNodeState") != "active" or not swarm.get("ControlAvailable"):
            raise NoSwarm(f"the Docker engine at {self._engine.host} manages no swarm: {INIT}")

    def create(self, spec: Json) -> str:
        """Makes a service of a whole spec; its id."""
        self.require_swarm()
        with explained(f"making the service {spec['Name']}"):
            return str(self._ask("POST", "/services/create", spec)["ID"])

    def inspect(self, service_id: str) -> Json | None:
        """A service as the engine tells it; None where it is gone."""
        with explained(f"looking for the service {service_id}"):
            return self._found(f"/services/{service_id}")

    def update(self, service_id: str, spec: Json) -> None:
        """Gives a service another spec, but for its name; a count of forced updates that the spec lacks is kept."""
        for left in reversed(range(UPDATE_TRIES)):
            now = self.inspect(service_id)
            if now is None:
                raise DockerError(f"the service {service_id} is gone: `teal local up` makes it anew after a refresh")
            whole = _following(now["Spec"], spec)
            with explained(f"changing the service {whole['Name']}"):
                try:
                    self._ask("POST", f"/services/{service_id}/update", whole, version=now["Version"]["Index"])
                except APIError as error:
                    if "out of sequence" not in str(error.explanation) or not left:
                        raise
                    continue  # somebody, Swarm itself perhaps, changed it just then
            return

    def remove(self, service_id: str) -> None:
        """Removes a service. Harmless if it is gone."""
        with explained(f"removing the service {service_id}"):
            self._drop(f"/services/{service_id}")

    def list(self) -> Sequence[Mapping[str, Any]]:
        """The cloud's services; none where the engine manages no swarm."""
        return self._engine.services()

    def tasks(self, service_ids: Sequence[str]) -> Sequence[Json]:
        """Tasks of services that Swarm wants to run, whatever they do."""
        if not service_ids:
            return []
        with explained("listing tasks"):
            wanted = {"service": list(service_ids), "desired-state": ["running"]}
            return cast("Sequence[Json]", self._ask("GET", "/tasks", filters=wanted))

    def containers(self) -> Mapping[str, str]:
        """Id of the container that runs by the id of its task: known before Swarm calls the task running.

        Swarm waits for the first health check of its own; the load balancer has checks itself.
        """
        with explained("listing containers of tasks"):
            wanted = {"label": [f"{LABEL}={self.mark}", TASK], "status": ["running"]}
            found = self._ask("GET", "/containers/json", filters=wanted)
            return {str(each["Labels"][TASK]): str(each["Id"]) for each in found}

    def addresses(self) -> Mapping[str, str]:
        """Address at which this machine reaches a container, by the container's id."""
        with explained(f"looking at {GATEWAY}"):
            found = self._found(f"/networks/{GATEWAY}") or {}
        ends = (found.get("Containers") or {}).items()
        return {container: str(end["IPv4Address"]).partition("/")[0] for container, end in ends}

    def create_network(self, name: str, options: Mapping[str, str], labels: Mapping[str, str], **more: bool) -> str:
        """Makes an overlay network; its id. More: Attachable, Internal."""
        self.require_swarm()
        spec = {"Name": name, "Driver": "overlay", "Options": dict(options), "Labels": {**labels, LABEL: self.mark}}
        with explained(f"making the network {name}"):
            return str(self._ask("POST", "/networks/create", {**spec, **more})["Id"])

    def inspect_network(self, network_id: str) -> Json | None:
        """A network as the engine tells it; None where it is gone."""
        with explained(f"looking for the network {network_id}"):
            return self._found(f"/networks/{network_id}")

    def remove_network(self, network_id: str) -> None:
        """Removes a network, once the last task has left it. Harmless if it is gone."""
        deadline = time.monotonic() + NETWORK_SECONDS
        while True:
            with explained(f"removing the network {network_id}"):
                try:
                    self._drop(f"/networks/{network_id}")
                except APIError as error:
                    if not is_held(error) or time.monotonic() > deadline:
                        raise
                else:
                    return
            time.sleep(POLL_SECONDS)

    def _found(self, path: str) -> Json | None:
        try:
            return cast("Json", self._ask("GET", path))
        except APIError as error:
            if error.status_code == HTTPStatus.NOT_FOUND:
                return None
            raise

    def _drop(self, path: str) -> None:
        try:
            self._ask("DELETE", path)
        except APIError as error:
            if not is_going(error):
                raise

    def _ask(self, method: str, path: str, body: Any = None, filters: Json | None = None, **query: Any) -> Any:
        return self._engine.ask(method, path, body, {**query, **({"filters": json.dumps(filters)} if filters else {})})


def _following(now: Json, spec: Json) -> Json:
    """The spec to change to. The name stays, since Swarm renames no service; so does the count of forced updates."""
    template = {"ForceUpdate": now["TaskTemplate"].get("ForceUpdate", 0), **spec["TaskTemplate"]}
    return {**spec, "Name": now["Name"], "TaskTemplate": template}
