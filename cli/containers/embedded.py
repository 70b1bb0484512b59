"""Hands for an environment in the embedded cloud, whatever its driver is."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from containers.docker import execution
from containers.docker_hands import DockerHands
from containers.errors import NotRunning
from containers.log_file import LogFile
from containers.model import Inside, Instance, Invocation, Usage
from containers.ports import Log
from containers.shells import HereShell
from localcloud.errors import LocalCloudError
from localcloud.home import CloudRecord, Home
from localcloud.instances.errors import InstanceError
from localcloud.instances.hands import InstanceProcess, usage
from localcloud.status import InstanceStatus, stack_statuses

USAGE_SECONDS = 1.0
STOP_SECONDS = 60.0
SHELL = "sh"
"""Of this machine: a process has no other."""


class EmbeddedHands:
    """Implements Hands: processes here, and Docker's containers where an instance names one."""

    def __init__(self, record: CloudRecord, region: str, stack: str, home: Home) -> None:
        self._record, self._region, self._stack, self._home = record, region, stack, home
        self._statuses: dict[str, InstanceStatus] = {}
        self._own = _environment(record.docker_host)
        self._docker = DockerHands(HereShell(self._own), lambda instance: self._statuses[instance.id].container)

    @property
    def comes_back(self) -> str:
        """By whom what was stopped is started again."""
        tasks = any(status.is_task for status in self._statuses.values())
        return "Swarm starts another task" if tasks else "its scaling group replaces it"

    @property
    def silent(self) -> Mapping[str, str]:
        """Nobody is: the cloud itself knows what runs."""
        return {}

    def instances(self) -> Sequence[Instance]:
        """Every instance of both colours."""
        found = stack_statuses(self._record, [self._region]).get(self._stack)
        if found is None:
            raise LocalCloudError(f"{self._stack} is not up: `teal local up {self._stack}`")
        self._statuses = {each.id: each for each in found.instances}
        return sorted(map(_instance, found.instances), key=lambda each: (each.colour, each.zone, each.id))

    def look(self, instances: Sequence[Instance]) -> Mapping[str, Inside]:
        """What each says of its container, by id."""
        in_docker, others = self._split(instances)
        return {**self._docker.look(in_docker), **{each.id: self._look(each) for each in others}}

    def usage(self, instances: Sequence[Instance]) -> Mapping[str, Usage]:
        """What the containers take, by id."""
        in_docker, others = self._split(instances)
        living = [InstanceProcess(each.id, pid) for each in others if (pid := self._statuses[each.id].pid)]
        processes = usage(living, USAGE_SECONDS) if living else {}
        found = {
            **self._docker.usage(in_docker),
            **{
                name: Usage(cpu_percent=each.cpu_percent, memory_bytes=each.memory_bytes, pids=each.pids)
                for name, each in processes.items()
            },
        }
        return {name: replace(each, requests=self._statuses[name].requests) for name, each in found.items()}

    def log(self, instance: Instance, since: datetime | None, tail: int | None) -> Log:
        """Its log: what the driver writes down."""
        return LogFile(self._home.instance_log(instance.id), since, tail)

    def check_entry(self) -> None:
        """Anybody can enter."""

    def invocation(self, instance: Instance, command: Sequence[str], *, has_terminal: bool) -> Invocation:
        """How to run a command inside."""
        if container := self._statuses[instance.id].container:
            words = execution(command, container, has_terminal=has_terminal)
            return Invocation(command=words, environment=self._own, folder=Path.cwd(), has_terminal=has_terminal)
        process = self._process(instance)
        # As `docker exec --tty` has it: what draws on a terminal has to know of which kind it is.
        terminal = {"TERM": os.environ.get("TERM", "xterm")} if has_terminal else {}
        return Invocation(
            command=command or (SHELL,),
            environment={**process.environment, **terminal},
            folder=process.folder,
            has_terminal=has_terminal,
            instance_pid=process.pid,
        )

    def stop(self, instance: Instance) -> None:
        """Has the container finish its requests and end."""
        if self._statuses[instance.id].container:
            self._docker.stop(instance)
        else:
            self._process(instance).stop(STOP_SECONDS)

    def kill(self, instance: Instance) -> None:
        """Ends the container at once."""
        if self._statuses[instance.id].container:
            self._docker.kill(instance)
        else:
            self._process(instance).kill()

    def _split(self, instances: Sequence[Instance]) -> tuple[list[Instance], list[Instance]]:
        """Those in Docker, and the others."""
        in_docker = [each for each in instances if self._statuses[each.id].container]
        return in_docker, [each for each in instances if each not in in_docker]

    def _look(self, instance: Instance) -> Inside:
        status = self._statuses[instance.id]
        if status.pid is None:
            return Inside(state="none", digest=status.digest)
        process = InstanceProcess(instance.id, status.pid)
        try:
            version, since = process.environment.get("TEAL_VERSION", ""), process.started
        except InstanceError:
            return Inside(state="none", digest=status.digest)
        return Inside(state="running", digest=status.digest, version=version, since=since)

    def _process(self, instance: Instance) -> InstanceProcess:
        status = self._statuses[instance.id]
        if status.pid is None:
            raise NotRunning(f"{instance.id} runs nothing now: it is {status.state}. {status.reason}".rstrip(". "))
        return InstanceProcess(instance.id, status.pid)


def _environment(docker_host: str) -> Mapping[str, str]:
    """This process's own; for Docker's client with the engine that the cloud has, whatever is chosen here."""
    if not docker_host:
        return os.environ
    own = {name: value for name, value in os.environ.items() if name != "DOCKER_CONTEXT"}  # it would come first
    return {**own, "DOCKER_HOST": docker_host}


def _instance(status: InstanceStatus) -> Instance:
    told = {name: getattr(status, name) for name in ("id", "colour", "zone", "address", "health", "state", "reason")}
    return Instance(**told, worker=status.worker, port=status.worker_port)
