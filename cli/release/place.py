"""What every release command starts from: an environment in the embedded cloud, as a release sees it."""

import getpass
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpx

from cli.aws import PATIENT, client
from cli.project import Project, find_project
from cli.release.program import EmbeddedProgram
from cli.steps import Steps
from localcloud.environment import stack_environment, stack_names
from localcloud.errors import LocalCloudError
from localcloud.home import CloudRecord
from localcloud.launch import running
from localcloud.status import stack_statuses
from release.adapters.dynamodb import LedgerTable
from release.adapters.dynamodb_lock import LockTable
from release.adapters.ecr import has_image
from release.adapters.elbv2 import ListenerTraffic, TargetHealth
from release.adapters.http import RouteProbe
from release.engine import World
from release.errors import LedgerMissing
from release.gates import Found
from release.ledger import Colour, InFlight, Routes
from release.ports import Clock, Watcher
from settings import of_stack, region_of

PROBE_SECONDS = 5.0


@dataclass(frozen=True)
class Place:
    """One environment, and the screen of the command that is about it."""

    project: Project
    steps: Steps
    name: str
    record: CloudRecord

    @cached_property
    def ledger(self) -> LedgerTable:
        """Its ledger. Raises LedgerMissing."""
        return LedgerTable.find(self.client("ssm"), self.client("dynamodb"), self.name)

    @cached_property
    def locks(self) -> LockTable:
        """Its lock."""
        return LockTable(self.client("dynamodb"), self.ledger)

    @cached_property
    def program(self) -> EmbeddedProgram:
        """Its program."""
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
            listener_arn=str(self.exports["listenerArn"]), group_arns={each: str(arns[each]) for each in Colour}
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
        wanted = of_stack(self.project.root, self.name)
        return ListenerTraffic(self.client("elbv2"), routes, wanted.sticky_seconds)

    def world(self, routes: Routes, clock: Clock, watcher: Watcher) -> World:
        """Everything that an engine deals with here."""
        return World(
            ledger=self.ledger,
            infrastructure=self.program,
            traffic=self.traffic(routes),
            health=TargetHealth(self.client("elbv2"), routes),
            probe=self,
            clock=clock,
            watcher=watcher,
            by=caller(),
        )

    def trouble(self, release: InFlight) -> str | None:
        """What our own requests find wrong with a release."""
        return self._probe.trouble(release)

    @cached_property
    def _probe(self) -> RouteProbe:
        parameter = self.client("ssm").get_parameter(Name=f"/teal/{self.name}/test-header", WithDecryption=True)
        url = stack_statuses(self.record, [self._region])[self.name].url
        if url is None:
            raise LedgerMissing(f"{self.name} has no listener: `teal local up {self.name}`")
        # The embedded cloud's certificates are its own, and its listeners on loopback: there is nobody to mistrust.
        asker = httpx.Client(timeout=PROBE_SECONDS, trust_env=False, verify=not url.startswith("https://127."))
        return RouteProbe(asker, url, parameter["Parameter"]["Value"])

    def client(self, service: str) -> Any:
        """boto3's client of a service."""
        return client(service, stack_environment(self.record, self.project.home, self._region), PATIENT)

    @property
    def _region(self) -> str:
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
        yield Place(project, steps, name, running(project.home))


def caller() -> str:
    """Who runs this command, for locks and histories."""
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"
