"""Target groups as Envoy clusters, and their targets as endpoints. Pure.

What makes a cluster behave as an ELBv2 target group does:
- A new target takes traffic after its first passed check: Envoy needs one for a new host, whatever the threshold is.
- The group fails open: Envoy sends to all hosts, new ones too, while fewer than healthy_panic_threshold percent are
  healthy. It is a whole number; 1 means "none of them" for any group of up to a hundred targets.
- The unhealthy threshold counts wrong answers, too: Envoy gives up on a host at once for a status that is not listed as
  retriable.
- After a failed check the next comes soon, not after a whole interval. There ELBv2 is slower; but a server that starts
  within a second, as here, would wait for its second check for longer than it takes to be replaced.
- A deregistered target leaves the endpoints: its requests in flight go on, and its connections close after them.
"""

from datetime import timedelta
from pathlib import Path

from localcloud.dataplane.envoy_match import Json
from localcloud.dataplane.envoy_routes import TYPES, resource_name
from localcloud.dataplane.snapshot import Algorithm, HealthCheck, Target, TargetGroup, TargetState

NO_LIMIT = 1_000_000
LONGEST_DOUBT = timedelta(seconds=1)
CHECKER_AGENT = "ELB-HealthChecker/2.0"

LB_POLICIES = {
    Algorithm.ROUND_ROBIN: ("ROUND_ROBIN", "round_robin_lb_config"),
    Algorithm.LEAST_OUTSTANDING: ("LEAST_REQUEST", "least_request_lb_config"),
    Algorithm.WEIGHTED_RANDOM: ("RANDOM", ""),
}


def cluster(group: TargetGroup, endpoints: Path) -> Json:
    """The Cluster of a target group whose endpoints are in a file of their own."""
    policy, policy_settings = LB_POLICIES[group.algorithm]
    resource: Json = {
        "name": resource_name(group.arn),
        "type": "EDS",
        "eds_cluster_config": {"eds_config": config_source(endpoints)},
        "connect_timeout": "10s",
        "lb_policy": policy,
        "common_lb_config": {
            "healthy_panic_threshold": {"value": 1},
            # By default changes of health are gathered for a second before they count.
            "update_merge_window": "0s",
        },
        "ignore_health_on_host_removal": True,
        "health_checks": [health_check(group.health_check)],
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": HTTP1_UPSTREAM},
        # Envoy's own default is 1,024 of each; ELBv2 has no such limit.
        "circuit_breakers": {
            "thresholds": [{"max_connections": NO_LIMIT, "max_pending_requests": NO_LIMIT, "max_requests": NO_LIMIT}]
        },
    }
    if group.slow_start and policy_settings:
        window = {"slow_start_config": {"slow_start_window": duration(group.slow_start)}}
        resource[policy_settings] = window
    if group.protocol == "HTTPS":
        resource["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {"@type": f"{TYPES}.transport_sockets.tls.v3.UpstreamTlsContext"},
        }
    return resource


HTTP1_UPSTREAM: Json = {
    "@type": f"{TYPES}.upstreams.http.v3.HttpProtocolOptions",
    "explicit_http_config": {"http_protocol_options": {}},
    "common_http_protocol_options": {"idle_timeout": "60s"},
}


def health_check(check: HealthCheck) -> Json:
    """The HealthCheck of a target group."""
    interval, soon = duration(check.interval), duration(min(check.interval, LONGEST_DOUBT))
    return {
        "timeout": duration(check.timeout),
        "interval": interval,
        "unhealthy_interval": soon,
        # These two are for a group without traffic; else it is checked every 60 s only.
        "no_traffic_interval": soon,
        "no_traffic_healthy_interval": interval,
        "healthy_threshold": check.healthy_threshold,
        "unhealthy_threshold": check.unhealthy_threshold,
        # A connection for each check, as ELBv2 does: a kept one would hide a server that accepts no more.
        "reuse_connection": False,
        "http_health_check": {
            "path": check.path,
            "expected_statuses": [{"start": low, "end": high + 1} for low, high in check.statuses],
            "retriable_statuses": [{"start": 100, "end": 600}],
            "request_headers_to_add": [
                {"header": {"key": "user-agent", "value": CHECKER_AGENT}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            ],
        },
    }


def load_assignment(group: TargetGroup) -> Json:
    """The ClusterLoadAssignment of a target group: its ready targets."""
    ready = [target for target in group.targets if target.state is TargetState.READY]
    endpoints = [_endpoint(target, group.health_check.port) for target in ready]
    return {"cluster_name": resource_name(group.arn), "endpoints": [{"lb_endpoints": endpoints}] if endpoints else []}


def _endpoint(target: Target, check_port: int | None) -> Json:
    endpoint: Json = {"address": socket_address(target.address, target.port)}
    if check_port:
        endpoint["health_check_config"] = {"port_value": check_port}
    return {"endpoint": endpoint}


def socket_address(address: str, port: int) -> Json:
    """An Address."""
    return {"socket_address": {"address": address, "port_value": port}}


def config_source(path: Path) -> Json:
    """A ConfigSource that reads a file and reads it again whenever another is renamed onto it."""
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}


def duration(value: timedelta) -> str:
    """A Duration: seconds, to the millisecond.

    >>> duration(timedelta(milliseconds=1500))
    '1.500s'
    """
    return f"{value.total_seconds():.3f}s"
