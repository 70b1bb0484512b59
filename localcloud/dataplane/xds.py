"""Writes Envoy's resources as the files that it follows: only what changed, and in an order that loses no request."""

import json
from pathlib import Path

from localcloud.dataplane.envoy_config import EnvoyConfig, Layout
from localcloud.dataplane.envoy_match import Json
from localcloud.files import write_atomically

LISTENER = "type.googleapis.com/envoy.config.listener.v3.Listener"
ROUTES = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
ENDPOINTS = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"


class XdsFiles:
    """The folder that Envoy follows. Not thread-safe: one thread writes."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._written: dict[Path, bytes] = {}
        self._clusters: dict[str, Json] = {}

    def reset(self) -> None:
        """Empties the folder, for an Envoy that starts with nothing. Raises OSError."""
        self._layout.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left_over in self._layout.folder.glob("*.json"):
            left_over.unlink()
        self._written.clear()
        self._clusters.clear()
        self._write(self._layout.clusters, CLUSTER, {})
        self._write(self._layout.listeners, LISTENER, {})

    def add(self, config: EnvoyConfig) -> bool:
        """First half of a change: endpoints, and the clusters that are new or changed; none goes yet.

        True where a cluster is new: Envoy should know it before a route names it. Raises OSError.
        """
        for name, endpoints in config.endpoints.items():
            self._write(self._layout.endpoints(name), ENDPOINTS, {name: endpoints})
        is_new = bool(config.clusters.keys() - self._clusters.keys())
        self._clusters |= config.clusters
        self._write(self._layout.clusters, CLUSTER, self._clusters)
        return is_new

    def route(self, config: EnvoyConfig) -> None:
        """Second half: routes, listeners, and then the clusters that nothing uses any more go. Raises OSError."""
        for name, routes in config.routes.items():
            self._write(self._layout.routes(name), ROUTES, {name: routes})
        self._write(self._layout.listeners, LISTENER, config.listeners)
        self._clusters = dict(config.clusters)
        self._write(self._layout.clusters, CLUSTER, self._clusters)
        self._forget(config)

    def _write(self, path: Path, kind: str, resources: dict[str, Json]) -> None:
        response = {"resources": [{"@type": kind, **resource} for resource in resources.values()]}
        content = json.dumps(response, indent=1).encode()
        if self._written.get(path) != content:
            write_atomically(path, content)
            self._written[path] = content

    def _forget(self, config: EnvoyConfig) -> None:
        wanted = {self._layout.listeners, self._layout.clusters}
        wanted |= {self._layout.routes(name) for name in config.routes}
        wanted |= {self._layout.endpoints(name) for name in config.endpoints}
        for path in self._written.keys() - wanted:
            path.unlink(missing_ok=True)
            del self._written[path]
