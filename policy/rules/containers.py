"""Containers: tasks of ECS, and what user data runs with docker."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policy.documents import boot_script, many, parsed
from policy.model import Resource
from policy.rule import Found, Severity, rule
from policy.rules.servers import SERVERS, secrets_in
from policy.types import LAUNCH_CONFIGURATION, TASK

RUNNERS = (TASK, *SERVERS, LAUNCH_CONFIGURATION)
_DOCKER_RUN = re.compile(r"\bdocker (container )?run\b")
_PUNCTUATION = re.compile(r"""["'\[\](),=+\\\s]+""")


@dataclass(frozen=True, slots=True)
class Runs:
    """How containers are run."""

    shares_host: bool
    is_privileged: bool
    is_read_only: bool
    has_secrets: bool
    has_log_driver: bool


def runs(resource: Resource) -> Iterator[Runs]:
    """How each container of a task is run, or those of a server that `docker run` starts. Raises Undecided."""
    if resource.type == TASK:
        shares = resource.text("pidMode") == "host"
        found = many(parsed(resource.get("containerDefinitions")))
        return (_in_task(each, shares_host=shares) for each in found if isinstance(each, Mapping))
    script = boot_script(resource)
    words = _PUNCTUATION.sub(" ", script)  # so that a command line reads the same in a shell and in a list
    return iter([_by_docker(words)] if _DOCKER_RUN.search(words) else [])


def _in_task(container: Mapping[str, Any], *, shares_host: bool) -> Runs:
    environment = [f"{each.get('name')}={each.get('value')}" for each in many(container.get("environment"))]
    return Runs(
        shares_host=shares_host,
        is_privileged=bool(container.get("privileged")),
        is_read_only=bool(container.get("readonlyRootFilesystem")),
        has_secrets=any(True for line in environment for _ in secrets_in(line)),
        has_log_driver=bool((container.get("logConfiguration") or {}).get("logDriver")),
    )


def _by_docker(words: str) -> Runs:
    def says(pattern: str) -> bool:
        return re.search(rf"(?<!\S)(?:{pattern})(?!\S)", words) is not None

    variables = re.findall(r"(?<!\S)(?:--env|-e) (\w+) (\S+)", words)
    return Runs(
        shares_host=says("--pid host"),
        is_privileged=says("--privileged( true)?") and not says("--privileged false"),
        is_read_only=says("--read-only") and not says("--read-only false"),
        has_secrets=any(True for name, value in variables for _ in secrets_in(f"{name}={value}")),
        has_log_driver=says(r"--log-driver \S+") and not says("--log-driver none"),
    )


def _any(resource: Resource, is_wrong: Callable[[Runs], bool], what: str) -> Found:
    if any(is_wrong(each) for each in runs(resource)):
        yield what


@rule(
    "container-own-processes", 50, *RUNNERS,
    title="Containers do not see the host's processes",
    reason="One that does can look into, and stop, everything beside it.",
    remedy="Leave --pid host (pidMode host) out.",
    severity=Severity.HIGH,
)  # fmt: skip
def container_own_processes(resource: Resource) -> Found:
    """Forbids the host's process namespace."""
    return _any(resource, lambda each: each.shares_host, "a container shares the host's processes")


@rule(
    "container-unprivileged", 50, *RUNNERS,
    title="Containers are not privileged",
    reason="A privileged one is the host's root.",
    remedy="Leave --privileged out; add the one capability that is needed.",
    severity=Severity.CRITICAL,
)  # fmt: skip
def container_unprivileged(resource: Resource) -> Found:
    """Forbids privileged mode."""
    return _any(resource, lambda each: each.is_privileged, "a container is privileged")


@rule(
    "container-read-only", 50, *RUNNERS,
    title="Containers cannot write to their own file system",
    reason="What breaks in then has nowhere to put its tools.",
    remedy="Add --read-only (readonlyRootFilesystem) and a tmpfs for what must be written.",
)  # fmt: skip
def container_read_only(resource: Resource) -> Found:
    """Asks for a read-only root."""
    return _any(resource, lambda each: not each.is_read_only, "a container may write to its root file system")


@rule(
    "container-no-secrets", 50, *RUNNERS,
    title="Containers get no secrets as plain variables",
    reason="Whoever may describe the task or the server reads them.",
    remedy="Name the secret's ARN (secrets), or let the program fetch it by its role.",
    severity=Severity.HIGH,
)  # fmt: skip
def container_no_secrets(resource: Resource) -> Found:
    """Looks for what keys, tokens and passwords look like in variables."""
    return _any(resource, lambda each: each.has_secrets, "a variable of a container seems to hold a secret")


@rule(
    "container-logs", 50, *RUNNERS,
    title="Containers' output goes somewhere",
    reason="Otherwise it goes with the container.",
    remedy="Add --log-driver (logConfiguration).",
    severity=Severity.LOW,
)  # fmt: skip
def container_logs(resource: Resource) -> Found:
    """Asks for a log driver."""
    return _any(resource, lambda each: not each.has_log_driver, "a container has no log driver")
