"""Follows the tasks of a cloud's services, and writes down what their containers print."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from localcloud.dataplane.runner import accepts_connections
from localcloud.dataplane.tasks import Task
from localcloud.docker.engine import Engine
from localcloud.docker.errors import DockerError
from localcloud.docker.services import Services
from localcloud.docker.swarm import Labels

LOG = structlog.get_logger(__name__)

LOOK_SECONDS = 0.2
STOP_SECONDS = 5.0
TROUBLED = ("pending", "assigned", "accepted", "rejected", "failed", "orphaned", "remove")
"""States of a task in which what Swarm says of it is worth telling."""
Json = Mapping[str, Any]


class TaskWatch:
    """The tasks as they were a moment ago. Looks only once it was told that there are services. Thread-safe."""

    def __init__(self, engine: Engine, log_of: Callable[[str], Path]) -> None:
        """log_of gives the file that a task's output goes to, by the task's name."""
        self._engine, self._services, self._log_of = engine, Services(engine), log_of
        self._tasks: tuple[Task, ...] = ()
        self._listening: set[str] = set()
        self._followed: set[str] = set()
        self._begun, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="tasks", daemon=True)
        self._thread.start()

    def tasks(self) -> Sequence[Task]:
        """Every task that Swarm wants to run."""
        return self._tasks

    def begin(self) -> None:
        """There are services from now on."""
        self._begun.set()

    def stop(self) -> None:
        """Looks no more."""
        self._stopping.set()
        self._begun.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        self._begun.wait()
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self._look()
            except DockerError as problem:
                LOG.warning("the swarm's tasks are not known", problem=str(problem))
                self._stopping.wait(1.0)

    def _look(self) -> None:
        services = {str(each["ID"]): each for each in self._services.list()}
        told = self._services.tasks(list(services))
        containers = self._services.containers() if told else {}
        addresses = self._services.addresses() if containers else {}
        tasks = [
            _task(each, services[each["ServiceID"]], containers.get(each["ID"], ""), addresses)
            for each in told
            if each["ServiceID"] in services
        ]
        self._listening &= {task.container for task in tasks}
        self._tasks = tuple(self._heard(task) for task in tasks)
        for task in self._tasks:
            if task.container and task.container not in self._followed:
                self._followed.add(task.container)
                threading.Thread(target=self._follow, args=(task,), name=f"log-{task.id}", daemon=True).start()

    def _heard(self, task: Task) -> Task:
        """The task, listening once it has been seen to."""
        if task.runs and task.container not in self._listening and accepts_connections(task.address, task.port):
            self._listening.add(task.container)
        return replace(task, is_listening=task.container in self._listening)

    def _follow(self, task: Task) -> None:
        log = self._log_of(task.id)
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            self._engine.follow(task.container, log)
        except (DockerError, OSError) as problem:
            LOG.info("a task's output is followed no more", task=task.id, problem=str(problem))


def _task(told: Json, service: Json, container: str, addresses: Mapping[str, str]) -> Task:
    """A task as Swarm tells it, with its service, its container if that runs, and addresses by container."""
    spec, status = service["Spec"], told["Status"]
    labels = Labels.of(spec)
    container_spec = told["Spec"]["ContainerSpec"]
    return Task(
        id=f"{spec['Name']}.{told.get('Slot', 0)}.{told['ID']}",
        service=labels.service,
        colour=str((container_spec.get("Labels") or {}).get("teal.colour", "")),
        digest=str(container_spec["Image"]).partition("@")[2],
        published=labels.published,
        port=labels.port,
        address=addresses.get(container, ""),
        container=container,
        pid=(status.get("ContainerStatus") or {}).get("PID") or None,
        state=str(status["State"]),
        reason=_reason(status),
    )


def _reason(status: Json) -> str:
    return (
        " ".join(str(status.get("Err") or status.get("Message") or "").split()) if status["State"] in TROUBLED else ""
    )
