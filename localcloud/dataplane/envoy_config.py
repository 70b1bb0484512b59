"""A Snapshot as Envoy's resources. Pure: it decides names and contents of files, xds.py writes them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from localcloud.dataplane.certificates import CertificateFiles
from localcloud.dataplane.envoy_clusters import cluster, config_source, duration, load_assignment, socket_address
from localcloud.dataplane.envoy_match import Json
from localcloud.dataplane.envoy_routes import STATEFUL_SESSION, TYPES, resource_name, route_table
from localcloud.dataplane.snapshot import Listener, LoadBalancer, Snapshot

HCM = "filters.network.http_connection_manager.v3.HttpConnectionManager"

# Where Envoy would say 503, ELBv2 says 502: the target refused, reset or broke off.
BAD_GATEWAY_FLAGS = ["UF", "UC", "UR", "UPE"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the files lie that Envoy follows."""

    folder: Path

    @property
    def listeners(self) -> Path:
        """The listener discovery file."""
        return self.folder / "listeners.json"

    @property
    def clusters(self) -> Path:
        """The cluster discovery file."""
        return self.folder / "clusters.json"

    def routes(self, name: str) -> Path:
        """The route discovery file of a listener."""
        return self.folder / f"routes-{name}.json"

    def endpoints(self, name: str) -> Path:
        """The endpoint discovery file of a cluster."""
        return self.folder / f"endpoints-{name}.json"


@dataclass(frozen=True, slots=True)
class EnvoyConfig:
    """Everything that Envoy follows, by name. Weights are in routes and targets in endpoints, so that a change of
    either touches no listener and no cluster: nothing drains, nothing is checked anew."""

    listeners: dict[str, Json]
    routes: dict[str, Json]
    clusters: dict[str, Json]
    endpoints: dict[str, Json]


def envoy_config(
    snapshot: Snapshot,
    layout: Layout,
    port_of: Callable[[str], int],
    certificate_of: Callable[[tuple[str, ...]], CertificateFiles],
) -> EnvoyConfig:
    """What makes Envoy do what snapshot says.

    port_of gives a listener ARN's local port, certificate_of the files for a certificate's domains. Only groups that
    some rule uses become clusters: ELBv2 checks no others.
    """
    used = [snapshot.groups[arn] for arn in snapshot.used_groups()]
    config = EnvoyConfig({}, {}, {}, {})
    for group in used:
        name = resource_name(group.arn)
        config.clusters[name] = cluster(group, layout.endpoints(name))
        config.endpoints[name] = load_assignment(group)
    for balancer in snapshot.load_balancers:
        for listener in balancer.listeners:
            name = resource_name(listener.arn)
            certificate = certificate_of(listener.domains) if listener.protocol == "HTTPS" else None
            config.listeners[name] = _listener(listener, balancer, layout, port_of(listener.arn), certificate)
            config.routes[name] = route_table(listener, balancer, snapshot, port_of)
    return config


def _listener(
    listener: Listener, balancer: LoadBalancer, layout: Layout, port: int, certificate: CertificateFiles | None
) -> Json:
    name = resource_name(listener.arn)
    manager = {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": _connection_manager(name, layout.routes(name), balancer.idle_timeout),
    }
    chain: Json = {"filters": [manager]}
    if certificate:
        chain["transport_socket"] = _tls(certificate)
    return {
        "name": name,
        "address": socket_address("127.0.0.1", port),
        # The port is held for us by a socket of ours with the same option: see ports.py.
        "enable_reuse_port": True,
        "filter_chains": [chain],
    }


def _connection_manager(name: str, routes: Path, idle_timeout: timedelta) -> Json:
    idle = duration(idle_timeout)
    return {
        "@type": f"{TYPES}.{HCM}",
        "stat_prefix": name,
        "rds": {"route_config_name": name, "config_source": config_source(routes)},
        "use_remote_address": True,
        "append_x_forwarded_port": True,
        # Envoy would put an address of this machine for a client on loopback: the route table adds the true one.
        "skip_xff_append": True,
        "generate_request_id": False,
        "server_header_transformation": "PASS_THROUGH",
        "common_http_protocol_options": {"idle_timeout": idle},
        "stream_idle_timeout": idle,
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "local_reply_config": {"mappers": [_bad_gateway()]},
        "http_filters": [
            # Without a state of its own it does nothing but where a route gives it one.
            _filter(STATEFUL_SESSION, "filters.http.stateful_session.v3.StatefulSession"),
            _filter("envoy.filters.http.router", "filters.http.router.v3.Router", suppress_envoy_headers=True),
        ],
    }


def _filter(name: str, kind: str, **settings: object) -> Json:
    return {"name": name, "typed_config": {"@type": f"{TYPES}.{kind}", **settings}}


def _bad_gateway() -> Json:
    return {
        "filter": {"response_flag_filter": {"flags": BAD_GATEWAY_FLAGS}},
        "status_code": 502,
        "body": {"inline_string": "502 Bad Gateway\n"},
    }


def _tls(certificate: CertificateFiles) -> Json:
    files = {
        "certificate_chain": {"filename": str(certificate.chain)},
        "private_key": {"filename": str(certificate.key)},
    }
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{TYPES}.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {"tls_certificates": [files], "alpn_protocols": ["h2", "http/1.1"]},
        },
    }
