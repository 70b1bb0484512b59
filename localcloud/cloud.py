"""An embedded cloud, assembled: API, providers, load balancer and instances in one process."""

import json
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType

from localcloud.api import (
    gaps_autoscaling,
    gaps_data,
    gaps_dynamodb,
    gaps_ec2,
    gaps_elbv2,
    gaps_hooks,
    gaps_iam,
    gaps_route53,
    gaps_volumes,
    refusals_ec2,
)
from localcloud.api.gaps_volumes_left import bring_back
from localcloud.api.recorder import recording
from localcloud.api.routes import answering, signalling
from localcloud.api.server import ApiServer
from localcloud.dataplane.image_runner import ImageRunner
from localcloud.dataplane.leases import Leases
from localcloud.dataplane.observe import USER_AGENT, api_client
from localcloud.dataplane.plane import DataPlane
from localcloud.dataplane.runner import Runner
from localcloud.dataplane.tasks import Task
from localcloud.errors import CloudStartFailed, LocalCloudError
from localcloud.home import MARK, DriverName, Home
from localcloud.images import moto_gap, pull_front
from localcloud.images.cache import pull
from localcloud.instances import leash
from localcloud.instances.process import ProcessDriver
from localcloud.launch import STATUS_PATH
from localcloud.provider import aws, docker
from localcloud.provider.docker_builds import Builder, Packer
from localcloud.provider.servicer import serve
from localcloud.provider.swarm import NoSwarm, Swarm
from localcloud.volumes import Volumes

REPAIRS = (
    *(gaps_autoscaling, gaps_data, gaps_dynamodb, gaps_ec2, gaps_elbv2, gaps_hooks, gaps_iam, gaps_route53),
    *(gaps_volumes, refusals_ec2, moto_gap),
)
"""What moto lacks, or lets pass, and AWS does not."""
GRACE_SECONDS = 1.0
"""How long a provider call that is under way may go on when the cloud stops."""


@dataclass(frozen=True)
class Means:
    """What a driver brings: who runs instances, builds images and runs services, and the services' tasks."""

    runner: Runner
    builder: Builder
    swarm: Swarm = field(default_factory=NoSwarm)
    tasks: Callable[[], Sequence[Task]] = tuple


class Cloud:
    """A cloud that answers as long as the `with` block lasts. Raises CloudStartFailed when a part does not come up."""

    def __init__(
        self,
        home: Home,
        project: Path,
        regions: Sequence[str],
        *,
        driver: DriverName = DriverName.PROCESS,
        records_calls: bool = False,
    ) -> None:
        """Takes the folder that it keeps its things in, the project to build from, and the regions that it runs.

        One that records calls writes every request to its API into the home's calls_file.
        """
        self._home, self._project, self._regions = home, project, regions
        self._driver, self._records_calls = driver, records_calls
        self._parts = ExitStack()
        self._volumes = Volumes(home.volumes, home.snapshots)
        self._plane: DataPlane | None = None
        self.providers: dict[str, int] = {}
        self.api_url = ""
        self.docker_host = ""

    def __enter__(self) -> "Cloud":
        with self._parts as parts:
            self._start()
            self._parts = parts.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parts.close()

    def require_alive(self) -> None:
        """Raises LocalCloudError once nobody looks after instances and load balancer any more."""
        if self._plane is None or not self._plane.is_alive:
            raise LocalCloudError("the load balancer's loop ended by itself, so the embedded cloud ends, too")

    def living(self) -> frozenset[str]:
        """Ids of the instances and tasks that there are."""
        return frozenset(instance.id for instance in self._plane.status()) if self._plane else frozenset()

    def _start(self) -> None:
        for repair in REPAIRS:
            repair.install()
        images = (moto_gap.blobs, pull_front.pulls)
        around = [*images, answering(STATUS_PATH, self._status), signalling(self._changed, USER_AGENT)]
        if self._records_calls:
            around.append(recording(self._home.calls_file))
        self._parts.callback(gaps_volumes.keeping(self._volumes))
        try:
            bring_back(self._volumes)
        except OSError as error:
            raise CloudStartFailed(f"the data volumes that are here could not be read: {error}") from error
        api = self._parts.enter_context(ApiServer(around))
        self.api_url = api.url
        self._leases = Leases(self._volumes, api.url)
        means = self._containers(api.url) if self._driver is DriverName.DOCKER else self._processes(api.url)
        launcher = (sys.executable, "-S", "-E", leash.__file__, str(os.getpid()))
        regions, tasks = self._regions, means.tasks
        plane = DataPlane(api.url, regions, self._home.envoy, means.runner, tasks=tasks, leash=launcher)
        try:
            plane.start()
        except (OSError, TimeoutError) as error:
            raise CloudStartFailed(f"the load balancer did not start: {error}") from error
        self._parts.callback(plane.stop)
        self._plane = plane
        for package in (aws.package(api.url), docker.package(api.url, self._project, means.builder, means.swarm)):
            server, port = serve(package)
            self._parts.callback(server.stop, GRACE_SECONDS)
            self.providers[package.name] = port

    def _processes(self, api_url: str) -> "Means":
        driver = ProcessDriver(environment=_mark())
        self._parts.callback(driver.close)
        pulling = partial(pull, cache=self._home.images)
        return Means(ImageRunner(driver, api_url, pulling, self._home.instances, self._leases), Packer(self._project))

    def _containers(self, api_url: str) -> "Means":
        """Raises DockerError, also where no engine answers."""
        # Here, since most clouds do without Docker, and its client library takes its time.
        from localcloud.docker.builder import EngineBuilder
        from localcloud.docker.driver import DockerDriver
        from localcloud.docker.engine import Engine
        from localcloud.docker.services import Services
        from localcloud.docker.swarm import EngineSwarm
        from localcloud.docker.tasks import TaskWatch

        engine, registry = Engine(os.environ.get(MARK) or secrets.token_hex(8)), api_url.removeprefix("http://")
        driver = DockerDriver(engine, registry)
        self._parts.callback(driver.close)
        self.docker_host = engine.host
        watch = TaskWatch(engine, self._home.instance_log)
        self._parts.callback(watch.stop)
        ecr = partial(api_client, "ecr", endpoint_url=api_url)
        return Means(
            ImageRunner(driver, api_url, driver.pull, self._home.instances, self._leases),
            EngineBuilder(self._project, self._home.build_log, engine.host),
            EngineSwarm(Services(engine), driver, registry, ecr, watch.begin),
            watch.tasks,
        )

    def _changed(self) -> None:
        if self._plane:
            self._plane.wake()

    def _status(self) -> bytes:
        """What status.PlaneStatus reads."""
        instances = [asdict(instance) for instance in self._plane.status()] if self._plane else []
        listeners = [asdict(listener) for listener in self._plane.listeners()] if self._plane else []
        left = [asdict(disk) for disk in self._volumes.unclaimed()]
        return json.dumps({"instances": instances, "listeners": listeners, "left": left}).encode()


def _mark() -> dict[str, str]:
    """By which an instance is known as this cloud's; without one where no daemon has set it."""
    return {MARK: os.environ[MARK]} if MARK in os.environ else {}
