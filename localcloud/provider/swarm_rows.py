"""What of docker:index/service:Service goes where in the engine's API (ServiceSpec), and what is played. Pure data.

A row says where in the engine's spec a property goes. A played property has no row: the embedded cloud itself does what
it asks for, and only for the values that it can do it for; its Played says how. Everything else is an error.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.provider.durations import nanoseconds, written
from localcloud.provider.values import Properties

OWN_LABELS = "teal.cloud"
"""Labels that are this one, or begin with it and a full stop, are the embedded cloud's own."""
MOUNT_KEYS = frozenset({"target", "type", "readOnly", "tmpfsOptions"})
TMPFS_KEYS = {"sizeBytes": "SizeBytes", "mode": "Mode"}
PORT_KEYS = frozenset({"targetPort", "publishedPort", "publishMode", "protocol", "name"})
NETWORK_KEYS = {"id": "Target", "aliases": "Aliases"}
AWSLOGS = frozenset({"awslogs-group", "awslogs-region", "awslogs-stream", "awslogs-create-group", "tag", "mode"})
BUFFERED = "max-buffer-size"
WORKERS_ONLY = "node.role==worker"
ZONE_SPREAD = "spread=node.labels.zone"


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Row:
    """Where a property goes, and its value there and back."""

    where: str
    out: Callable[[Any], Any] = _as_it_is
    back: Callable[[Any], Any] = _as_it_is


@dataclass(frozen=True, slots=True)
class Played:
    """A property that the embedded cloud acts out itself."""

    how: str
    problem: Callable[[Any], str]
    """Why it can't be acted out with a value; "" where it can."""


def labels_out(pairs: Any) -> Any:
    """Pulumi's list of labels as the engine's mapping."""
    return {pair["label"]: pair.get("value", "") for pair in pairs or []}


def labels_back(labels: Any) -> Any:
    """The engine's labels, without the embedded cloud's own."""
    return [{"label": name, "value": value} for name, value in sorted((labels or {}).items()) if not is_own(name)]


def is_own(label: str) -> bool:
    """Whether a label is the embedded cloud's."""
    return label == OWN_LABELS or label.startswith(f"{OWN_LABELS}.")


def _variables(env: Any) -> Any:
    return [f"{name}={value}" for name, value in sorted((env or {}).items())]


def _variables_back(env: Any) -> Any:
    return {name: value for name, _, value in (each.partition("=") for each in env or [])}


def _mount(mount: Mapping[str, Any]) -> Any:
    options = {TMPFS_KEYS[key]: value for key, value in (mount.get("tmpfsOptions") or {}).items()}
    made = {"Type": mount["type"], "Target": mount["target"]} | ({"ReadOnly": True} if mount.get("readOnly") else {})
    return made | ({"TmpfsOptions": options} if options else {})


def _mount_back(mount: Mapping[str, Any]) -> Any:
    options = mount.get("TmpfsOptions") or {}
    made: Properties = {"type": mount["Type"], "target": mount["Target"]}
    if mount.get("ReadOnly"):
        made["readOnly"] = True
    named = {key: options[theirs] for key, theirs in TMPFS_KEYS.items() if theirs in options}
    return made | ({"tmpfsOptions": named} if named else {})


def _network(network: Mapping[str, Any]) -> Any:
    return {theirs: network[key] for key, theirs in NETWORK_KEYS.items() if key in network}


def _network_back(network: Mapping[str, Any]) -> Any:
    return {key: network[theirs] for key, theirs in NETWORK_KEYS.items() if network.get(theirs)}


def _each(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda values: [change(value) for value in values or []]


_DURATION = (nanoseconds, written)
_RATIO = (float, str)
_CHECK = {
    "tests": Row("Test"),
    "interval": Row("Interval", *_DURATION),
    "timeout": Row("Timeout", *_DURATION),
    "startPeriod": Row("StartPeriod", *_DURATION),
    "retries": Row("Retries"),
}
_UPDATE = {
    "parallelism": Row("Parallelism"),
    "delay": Row("Delay", *_DURATION),
    "failureAction": Row("FailureAction"),
    "monitor": Row("Monitor", *_DURATION),
    "maxFailureRatio": Row("MaxFailureRatio", *_RATIO),
    "order": Row("Order"),
}
_RESTART = {
    "condition": Row("Condition"),
    "delay": Row("Delay", *_DURATION),
    "maxAttempts": Row("MaxAttempts"),
    "window": Row("Window", *_DURATION),
}
_CONTAINER = {
    "image": Row("Image"),
    "env": Row("Env", _variables, _variables_back),
    "labels": Row("Labels", labels_out, labels_back),
    "mounts": Row("Mounts", _each(_mount), _each(_mount_back)),
    "readOnly": Row("ReadOnly"),
    "stopGracePeriod": Row("StopGracePeriod", *_DURATION),
    "stopSignal": Row("StopSignal"),
    "user": Row("User"),
    "commands": Row("Command"),
    "args": Row("Args"),
    "dir": Row("Dir"),
    "hostname": Row("Hostname"),
    "init": Row("Init"),
}


def _below(pulumi: str, engine: str, rows: Mapping[str, Row]) -> dict[str, Row]:
    return {f"{pulumi}.{name}": Row(f"{engine}.{row.where}", row.out, row.back) for name, row in rows.items()}


ROWS: Mapping[str, Row] = {
    "labels": Row("Labels", labels_out, labels_back),
    "mode.replicated.replicas": Row("Mode.Replicated.Replicas"),
    "endpointSpec.mode": Row("EndpointSpec.Mode"),
    **_below("updateConfig", "UpdateConfig", _UPDATE),
    **_below("rollbackConfig", "RollbackConfig", _UPDATE),
    **_below("taskSpec.containerSpec", "TaskTemplate.ContainerSpec", _CONTAINER),
    **_below("taskSpec.containerSpec.healthcheck", "TaskTemplate.ContainerSpec.Healthcheck", _CHECK),
    **_below("taskSpec.restartPolicy", "TaskTemplate.RestartPolicy", _RESTART),
    "taskSpec.resources.limits.memoryBytes": Row("TaskTemplate.Resources.Limits.MemoryBytes"),
    "taskSpec.resources.limits.nanoCpus": Row("TaskTemplate.Resources.Limits.NanoCPUs"),
    "taskSpec.networksAdvanceds": Row("TaskTemplate.Networks", _each(_network), _each(_network_back)),
    "taskSpec.forceUpdate": Row("TaskTemplate.ForceUpdate"),
}
"""By property, nested ones with full stops."""
LEFT_ALONE = ("taskSpec.forceUpdate",)
"""What nobody takes back where no program declares it: a count that only ever rises."""


def _fits(wanted: Any, told: str) -> Callable[[Any], str]:
    return lambda value: "" if value == wanted else f"must be {told} here, got {value!r}"


def _no_more(keys: frozenset[str]) -> Callable[[Any], str]:
    def problem(value: Any) -> str:
        more = sorted((value or {}).keys() - keys)
        return f"may hold {', '.join(sorted(keys))} here, and not {', '.join(more)}" if more else ""

    return problem


def _port_problem(ports: Any) -> str:
    if len(ports) != 1:
        return f"must be one port here, got {len(ports)}"
    [port] = ports
    if problem := _no_more(PORT_KEYS)(port):
        return problem
    if not {"targetPort", "publishedPort"} <= port.keys():
        return "must have targetPort and publishedPort"
    if (port.get("publishMode"), port.get("protocol", "tcp")) != ("host", "tcp"):
        return "must be published in mode host, by tcp: the load balancer's targets are workers"
    return ""


def _spread_problem(prefs: Any) -> str:
    return "" if prefs == [ZONE_SPREAD] else f"must be {ZONE_SPREAD!r} alone here, got {prefs!r}"


def _any_text(value: Any) -> str:
    return "" if isinstance(value, str) else f"must be a text, got {value!r}"


PLAYED: Mapping[str, Played] = {
    "name": Played("in the engine a few characters are added, so that clouds do not meet", _any_text),
    "auth": Played(
        "nobody logs in to the embedded ECR", _no_more(frozenset({"serverAddress", "username", "password"}))
    ),
    "convergeConfig": Played(
        "the provider waits, but looks more often than told", _no_more(frozenset({"delay", "timeout"}))
    ),
    "endpointSpec.ports": Played("nothing is published; the load balancer goes to the tasks themselves", _port_problem),
    "taskSpec.logDriver.name": Played("a file of the cloud's home holds the log", _fits("awslogs", "'awslogs'")),
    "taskSpec.logDriver.options": Played("a file of the cloud's home holds the log", _no_more(AWSLOGS | {BUFFERED})),
    "taskSpec.placement.constraints": Played(
        "the one node of the engine stands for all workers", _fits([WORKERS_ONLY], f"[{WORKERS_ONLY!r}]")
    ),
    "taskSpec.placement.maxReplicas": Played("a worker takes at most one task of a service", _fits(1, "1")),
    "taskSpec.placement.prefs": Played("tasks go to workers of every zone in turn", _spread_problem),
    "taskSpec.containerSpec.capDrops": Played("a task never has a capability", _fits(["ALL"], "['ALL']")),
}
"""By property, as ROWS."""
