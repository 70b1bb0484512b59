"""What every release command starts from: an environment in the embedded cloud, as a release sees it."""

import getpass
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.aws import client
from cli.parameters import Parameters
from cli.project import Project, find_project
from cli.steps import Steps
from localcloud.environment import stack_environment, stack_names
from localcloud.errors import LocalCloudError
from localcloud.home import CloudRecord
from release.adapters.dynamodb import LedgerTable
from release.adapters.dynamodb_lock import LockTable
from release.adapters.ecr import has_image
from release.adapters.elbv2 import ListenerTraffic, TargetHealth
from release.engine import World
from release.errors import LedgerMissing
from release.gates import Found
from release.ledger import Colour, InFlight, Routes
from release.ports import Clock, Watcher
from stack_files import region_of

if TYPE_CHECKING:
    from cli.release.probe import EmbeddedProbe
    from cli.release.program import EmbeddedProgram


@dataclass(frozen=True)
class Place:
    """One environment, and the screen of the command that is about it.

    The program and the probe are loaded once they are asked: Pulumi and an HTTP client take as long as a second, and
    the way back needs neither until its traffic is moved.
    """

    project: Project
    steps: Steps
    name: str
    record: CloudRecord
    _clients: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def ledger(self) -> LedgerTable:
        """Its ledger. Raises LedgerMissing."""
        return LedgerTable.find(Parameters(self._environment), self.client("dynamodb"), self.name)

    @cached_property
    def locks(self) -> LockTable:
        """Its lock."""
        return LockTable(self.client("dynamodb"), self.ledger)

    @cached_property
    def program(self) -> "EmbeddedProgram":
        """Its program."""
        from cli.release.program import EmbeddedProgram

        return EmbeddedProgram(self.project, self.name, self.record)

    @cached_property
    def exports(self) -> Mapping[str, Any]:
        """What its program exports. Raises LedgerMissing where it has not run."""
        found = self.program.stack().exports()
        if "listenerArn" not in found:
            raise LedgerMissing(f"{self.name} is not up: `teal local up {self.name}`")
        return found

    @property
    def routes(self) -> Routes:
        """Where its traffic is turned, by its program's exports."""
        arns = self.exports["targetGroupArns"]
        return Routes(
            listener_arn=str(self.exports["listenerArn"]),
            group_arns={each: str(arns[each]) for each in Colour},
            sticky_seconds=self.program.settings.sticky_seconds,
        )

    def found(self, digest: str, routes: Routes) -> Found:
        """What the gates look at before a release of a digest."""
        repository = str(self.exports["repositoryUrl"]).partition("/")[2]
        holder = self.locks.holder()
        return Found(
            state=self.ledger.read(),
            weights=self.traffic(routes).weights(),
            healthy=TargetHealth(self.client("elbv2"), routes).healthy(),
            has_image=has_image(self.client("ecr"), repository, digest),
            lock_holder=str(holder) if holder else None,
        )

    def traffic(self, routes: Routes) -> ListenerTraffic:
        """Its listener."""
        return ListenerTraffic(self.client("elbv2"), routes)

    def world(self, routes: Routes, clock: Clock, watcher: Watcher) -> World:
        """Everything that an engine deals with here."""
        return World(
            ledger=self.ledger,
            infrastructure=self,
            traffic=self.traffic(routes),
            health=TargetHealth(self.client("elbv2"), routes),
            probe=self,
            clock=clock,
            watcher=watcher,
            by=caller(),
        )

    def apply(self, release_id: str) -> None:
        """Runs its program on behalf of a release. Raises InfrastructureFailed."""
        self.program.apply(release_id)

    def trouble(self, release: InFlight) -> str | None:
        """What our own requests find wrong with a release."""
        return self._probe.trouble(release)

    @cached_property
    def _probe(self) -> "EmbeddedProbe":
        from cli.release.probe import EmbeddedProbe

        return EmbeddedProbe(self.record, self.region, self.name, self.client("ssm"))

    def client(self, service: str) -> Any:
        """The client of an AWS service; one a service."""
        if service not in self._clients:
            self._clients[service] = client(service, self._environment)
        return self._clients[service]

    @cached_property
    def _environment(self) -> Mapping[str, str]:
        return stack_environment(self.record, self.project.home, self.region)

    @cached_property
    def region(self) -> str:
        """Its AWS region."""
        return region_of(self.project.root, self.name)


@contextmanager
def place_of(name: str) -> Iterator[Place]:
    """The environment of that name, with progress on the screen.

    Raises LocalCloudError for an unknown one, CloudNotRunning where no embedded cloud runs.
    """
    project = find_project()
    known = stack_names(project.root)
    if name not in known:
        raise LocalCloudError(f"there is no environment {name!r}: there are {', '.join(known) or 'none'}")
    with project.steps() as steps:
        yield Place(project, steps, name, project.home.running())


def caller() -> str:
    """Who runs this command, for locks and histories."""
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"
