"""Envoy's admin interface, read-only: what it sees of its hosts, and its counters."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

TIMEOUT_SECONDS = 2.0
COUNTERS = (
    "upstream_rq_[2345]xx",
    "upstream_rq_completed",
    "upstream_cx_none_healthy",
    "upstream_rq_pending_failure_eject",
    "upstream_cx_destroy_remote_with_active_rq",
    "upstream_cx_connect_fail",
)


class AdminUnavailable(Exception):
    """Envoy's admin interface did not answer as it should."""


@dataclass(frozen=True, slots=True)
class HostHealth:
    """What Envoy makes of one host of a cluster."""

    is_healthy: bool
    is_pending: bool
    """No check of it has ended yet."""
    timed_out: bool
    """Its last failed check got no answer in time."""
    requests: int = 0
    """Those that it got since Envoy knows it, checks left out."""


@dataclass(frozen=True, slots=True)
class Bin:
    """A bin of a histogram: how many values, and about which."""

    value: float
    count: int


@dataclass(frozen=True, slots=True)
class ClusterStats:
    """Counters of one cluster since Envoy started. What Envoy answered in a target's stead is in balancer_errors."""

    requests: int = 0
    """Those that a target could be chosen for."""
    by_class: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Targets' responses 2xx, 3xx, 4xx, 5xx."""
    refused: int = 0
    """Connections that a target did not accept."""
    balancer_errors: int = 0
    """Requests without a target, refused ones, and those that a target broke off."""
    milliseconds: tuple[Bin, ...] = ()
    """How long responses took."""


class Admin:
    """A client for the admin interface at a Unix socket, in a folder that exists. Thread-safe."""

    def __init__(self, socket_file: Path) -> None:
        self._socket_file = socket_file
        # The address of a socket may have 107 characters and a home may be deeper: so it is reached by an open folder.
        self._folder = os.open(socket_file.parent, os.O_PATH | os.O_DIRECTORY)
        self._address = f"/proc/self/fd/{self._folder}/{socket_file.name}"
        transport = httpx.HTTPTransport(uds=self._address, trust_env=False)
        self._client = httpx.Client(transport=transport, base_url="http://envoy", timeout=TIMEOUT_SECONDS)

    def close(self) -> None:
        """Closes its connections."""
        self._client.close()
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1

    def is_ready(self) -> bool:
        """Whether Envoy has loaded what it was given and serves it."""
        try:
            return self._is_listening() and self._client.get("/ready").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _is_listening(self) -> bool:
        """Whether anybody takes connections; asked first, since httpx leaves a socket open where nobody does."""
        with socket.socket(socket.AF_UNIX) as door:
            door.settimeout(TIMEOUT_SECONDS)
            try:
                door.connect(self._address)
            except OSError:
                return False
        return True

    def hosts(self) -> dict[str, dict[tuple[str, int], HostHealth]]:
        """Health by (address, port), by cluster. Raises AdminUnavailable."""
        answer = self._json("/clusters?format=json")
        return {
            cluster["name"]: {_address(host): _health(host) for host in cluster.get("host_statuses", [])}
            for cluster in answer.get("cluster_statuses", [])
        }

    def rejected_updates(self) -> int:
        """How often Envoy refused a listener, cluster or route that it was given. Raises AdminUnavailable."""
        answer = self._json("/stats?format=json&filter=update_rejected|listener_create_failure")
        return sum(int(stat["value"]) for stat in answer["stats"] if "value" in stat)

    def cluster_stats(self) -> dict[str, ClusterStats]:
        """Counters by cluster. Raises AdminUnavailable."""
        counters = self._json(f"/stats?format=json&usedonly&filter=^cluster\\..*\\.({'|'.join(COUNTERS)})$")
        times = self._json(
            "/stats?format=json&usedonly&histogram_buckets=detailed&filter=^cluster\\..*\\.upstream_rq_time$"
        )
        values = {stat["name"]: int(stat["value"]) for stat in counters["stats"] if "value" in stat}
        histograms = {name: bins for stat in times["stats"] for name, bins in _histograms(stat)}
        names = {name.removeprefix("cluster.").rpartition(".")[0] for name in (*values, *histograms)}
        return {name: _stats(f"cluster.{name}.", values, histograms) for name in names if not _is_detail(name)}

    def _json(self, path: str) -> Any:
        try:
            return self._client.get(path).raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise AdminUnavailable(f"Envoy's admin interface at {self._socket_file}: {error}") from error


def _address(host: dict[str, Any]) -> tuple[str, int]:
    socket_address = host["address"]["socket_address"]
    return socket_address["address"], int(socket_address["port_value"])


def _health(host: dict[str, Any]) -> HostHealth:
    flags = host.get("health_status", {})
    return HostHealth(
        is_healthy=not flags.get("failed_active_health_check", False),
        is_pending=flags.get("pending_active_hc", False),
        timed_out=flags.get("active_hc_timeout", False),
        requests=sum(int(each.get("value", 0)) for each in host.get("stats", []) if each.get("name") == "rq_total"),
    )


def _histograms(stat: dict[str, Any]) -> list[tuple[str, tuple[Bin, ...]]]:
    return [
        (details["name"], tuple(Bin(entry["lower_bound"] + entry["width"] / 2, int(entry["count"])) for entry in bins))
        for details in stat.get("histograms", {}).get("details", [])
        if (bins := details.get("totals"))
    ]


def _is_detail(cluster: str) -> bool:
    """Envoy repeats its counters for requests from outside and inside."""
    return cluster.endswith((".external", ".internal"))


def _stats(prefix: str, values: dict[str, int], histograms: dict[str, tuple[Bin, ...]]) -> ClusterStats:
    two, three, four, five = (values.get(f"{prefix}upstream_rq_{digit}xx", 0) for digit in "2345")
    completed, none, refused, broken, connections = (values.get(f"{prefix}{name}", 0) for name in COUNTERS[1:])
    # Envoy counts its own 503 as the cluster's, although no target said so.
    own = none + refused + broken
    return ClusterStats(
        requests=completed - none,
        by_class=(two, three, four, max(0, five - own)),
        refused=connections,
        balancer_errors=own,
        milliseconds=histograms.get(f"{prefix}upstream_rq_time", ()),
    )
