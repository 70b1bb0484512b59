"""An environment as a release sees it, wherever it is."""

import getpass
import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cli.aws import HASTY, PATIENT
from cli.steps import Steps
from config.stack_files import region_of
from release.adapters.autoscaling import size_of
from release.adapters.dynamodb import LedgerTable
from release.adapters.dynamodb_hands import HandTable
from release.adapters.dynamodb_lock import LockTable
from release.adapters.ebs import EbsVolume
from release.adapters.ebs_snapshots import EbsSnapshots
from release.adapters.ecr import has_image
from release.adapters.elbv2 import ListenerTraffic, TargetHealth
from release.alarms import why_not_quiet
from release.engine import World
from release.errors import LedgerMissing, MetricsUnread
from release.gates import Found
from release.ledger import Colour, InFlight, Plan, Routes
from release.ports import Clock, Hooks, Judge, Watcher

if TYPE_CHECKING:
    from botocore.config import Config

    from config.settings import Settings
    from release.adapters.cloudwatch import ColourAlarms


OnEvent = Callable[[Any], None]
"""Hears one of Pulumi's engine events; its classes take half a second to load."""


class Program(Protocol):
    """The environment's Pulumi program."""

    def apply(self, release_id: str) -> None:
        """Runs it on behalf of a release. Raises InfrastructureFailed."""

    def up(self, policy_packs: Sequence[Path]) -> Mapping[str, Any]:
        """Runs it, judged by policy packs, and returns its exports. Raises what one_line foresees."""

    def look(self, on_refresh: OnEvent, on_preview: OnEvent) -> None:
        """Compares state with cloud, then cloud with program, and tells each; changes nothing."""

    def exports(self) -> Mapping[str, Any]:
        """What it exported when it last ran."""


class Company(Judge, Hooks, Protocol):
    """Who has a say in a release."""


@dataclass(frozen=True)
class Place(ABC):
    """One environment, and the screen of the command that is about it.

    The program, the probe and the hooks are loaded once they are asked: Pulumi and an HTTP client take as long as a
    second, and the way back needs neither until its traffic is moved.
    """

    root: Path
    """The project."""
    steps: Steps
    name: str
    tells_json: bool = field(default=False, kw_only=True)
    """Whether results are lines of JSON."""
    _clients: dict[str, Any] = field(default_factory=dict, kw_only=True)

    @cached_property
    @abstractmethod
    def program(self) -> Program:
        """Its program."""

    @property
    @abstractmethod
    def way_up(self) -> str:
        """The command that brings it up."""

    @cached_property
    @abstractmethod
    def url(self) -> str:
        """Where its service answers. Raises LedgerMissing where it does not yet."""

    @property
    @abstractmethod
    def variables(self) -> Mapping[str, str]:
        """The environment of a process that is to reach it."""

    @abstractmethod
    def new_client(self, service: str, region: str | None = None, config: "Config" = PATIENT) -> Any:
        """A client of an AWS service, in its region or another, patient or not."""

    @cached_property
    def ledger(self) -> LedgerTable:
        """Its ledger. Raises LedgerMissing."""
        return LedgerTable.find(self.client("ssm"), self.client("dynamodb"), self.name)

    @cached_property
    def locks(self) -> LockTable:
        """Its lock."""
        return LockTable(self.client("dynamodb"), self.ledger)

    @cached_property
    def marks(self) -> HandTable:
        """What was done by hand in it."""
        return HandTable(self.client("dynamodb"), self.ledger)

    @cached_property
    def exports(self) -> Mapping[str, Any]:
        """What its program exports. Raises LedgerMissing where it has not run."""
        found = self.program.exports()
        if "listenerArn" not in found:
            raise LedgerMissing(f"{self.name} is not up: `{self.way_up}`")
        return found

    @property
    def gap_guess(self) -> timedelta:
        """How long a data volume may take from one colour's server to the other's, where that was never seen."""
        return timedelta(minutes=2)

    @property
    def routes(self) -> Routes:
        """Where its traffic is turned, by its program's exports."""
        arns = self.exports["targetGroupArns"]
        return Routes(
            listener_arn=str(self.exports["listenerArn"]),
            group_arns={each: str(arns[each]) for each in Colour},
            sticky_seconds=self.settings.sticky_seconds,
        )

    def found(self, plan: Plan, routes: Routes) -> Found:
        """What the gates look at before a release."""
        repository = str(self.exports["repositoryUrl"]).partition("/")[2]
        holder = self.locks.holder()
        return Found(
            state=self.ledger.read(),
            weights=self.traffic(routes).weights(),
            healthy=self.health(routes).healthy(),
            not_quiet=self._not_quiet(plan.despite_alarms),
            has_image=has_image(self.client("ecr"), repository, plan.digest),
            lock_holder=str(holder) if holder else None,
            volume_trouble=self._volume_trouble(plan.data_volume, routes) if plan.data_volume else None,
        )

    def traffic(self, routes: Routes) -> ListenerTraffic:
        """Its listener."""
        return ListenerTraffic(self.client("elbv2"), routes)

    def health(self, routes: Routes) -> TargetHealth:
        """The load balancer's own checks."""
        return TargetHealth(self.client("elbv2"), routes)

    @cached_property
    def alarms(self) -> "ColourAlarms":
        """The alarms that its program made; none where it has not run since it began to tell them."""
        from release.adapters.cloudwatch import ColourAlarms  # the way back has no use for it

        names = self.exports.get("alarmNames", {})
        return ColourAlarms(self.client("cloudwatch"), {each: list(names.get(each.value, ())) for each in Colour})

    @property
    def data_volume(self) -> str:
        """Id of its data volume, by its program's exports; empty for none."""
        return str(self.exports.get("dataVolumeId") or "")

    def data(self, volume_id: str) -> EbsVolume:
        """A data volume of its."""
        return EbsVolume(self.client("ec2"), volume_id)

    def snapshots(self, volume_id: str) -> EbsSnapshots:
        """Snapshots of a data volume that releases have made. Nobody waits long for an answer about them."""
        return EbsSnapshots(lambda: self._hasty_ec2, volume_id)

    @cached_property
    def _hasty_ec2(self) -> Any:
        return self.new_client("ec2", config=HASTY)

    def _volume_trouble(self, volume_id: str, routes: Routes) -> str | None:
        ours = self.health(routes).servers().values()
        return self.data(volume_id).trouble(frozenset().union(*ours))

    def _not_quiet(self, despite: Collection[str]) -> str | None:
        try:
            return why_not_quiet(self.alarms.read(), despite)
        except MetricsUnread as error:
            return str(error)

    def size_of(self, colour: Colour) -> int:
        """Servers that a colour is to have by now: the ledger's, or more where scaling has added some."""
        if "serviceNames" in self.exports:  # a swarm's tasks, which nothing scales
            return self.ledger.read().side(colour).capacity
        return size_of(self.client("autoscaling"), str(self.exports["scalingGroupNames"][colour]))

    def world(self, release: InFlight, company: Company, clock: Clock, watcher: Watcher) -> World:
        """Everything that an engine deals with here, for a release on which the company has a say."""
        routes, volume_id = release.routes, release.plan.data_volume
        return World(
            ledger=self.ledger,
            infrastructure=self,
            traffic=self.traffic(routes),
            health=self.health(routes),
            data=self.data(volume_id) if volume_id else None,
            snapshots=self.snapshots(volume_id) if volume_id else None,
            judge=company,
            hooks=company,
            clock=clock,
            watcher=watcher,
            by=caller(),
        )

    def apply(self, release_id: str) -> None:
        """Runs its program on behalf of a release. Raises InfrastructureFailed."""
        self.program.apply(release_id)

    def client(self, service: str) -> Any:
        """The client of an AWS service; one a service."""
        if service not in self._clients:
            self._clients[service] = self.new_client(service)
        return self._clients[service]

    @cached_property
    def region(self) -> str:
        """Its AWS region."""
        return region_of(self.root, self.name)

    @cached_property
    def settings(self) -> "Settings":
        """What its stack file sets. Raises SettingsError."""
        from config.settings import of_stack

        return of_stack(self.root, self.name)

    def check_settings(self) -> None:
        """Raises SettingsError for a stack file that is wrong, before anybody is asked anything."""
        self.settings  # noqa: B018  # read once, and kept

    @cached_property
    def secret(self) -> str:
        """The value that opens its test route."""
        found = self.client("ssm").get_parameter(Name=f"/teal/{self.name}/test-header", WithDecryption=True)
        return str(found["Parameter"]["Value"])


def caller() -> str:
    """Who runs this command, for locks and histories."""
    return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"
