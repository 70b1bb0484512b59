"""An embedded cloud, assembled: API, providers, load balancer and instances in one process."""

import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
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
    refusals_ec2,
)
from localcloud.api.recorder import recording
from localcloud.api.routes import answering, signalling
from localcloud.api.server import ApiServer
from localcloud.dataplane.image_runner import ImageRunner
from localcloud.dataplane.observe import USER_AGENT
from localcloud.dataplane.plane import DataPlane
from localcloud.errors import CloudStartFailed, LocalCloudError
from localcloud.home import MARK, Home
from localcloud.images import moto_gap
from localcloud.instances import leash
from localcloud.instances.process import ProcessDriver
from localcloud.launch import STATUS_PATH
from localcloud.provider import aws, docker
from localcloud.provider.servicer import serve

REPAIRS = (
    *(gaps_autoscaling, gaps_data, gaps_dynamodb, gaps_ec2, gaps_elbv2, gaps_hooks, gaps_iam, gaps_route53),
    *(refusals_ec2, moto_gap),
)
"""What moto lacks, or lets pass, and AWS does not."""
GRACE_SECONDS = 1.0
"""How long a provider call that is under way may go on when the cloud stops."""


class Cloud:
    """A cloud that answers as long as the `with` block lasts. Raises CloudStartFailed when a part does not come up."""

    def __init__(self, home: Home, project: Path, regions: Sequence[str], *, records_calls: bool = False) -> None:
        """Takes the folder that it keeps its things in, the project to build from, and the regions that it runs.

        One that records calls writes every request to its API into the home's calls_file.
        """
        self._home, self._project, self._regions = home, project, regions
        self._records_calls = records_calls
        self._parts = ExitStack()
        self._plane: DataPlane | None = None
        self.providers: dict[str, int] = {}
        self.api_url = ""

    def __enter__(self) -> "Cloud":
        try:
            self._start()
        except BaseException:
            self._parts.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._parts.close()

    def require_alive(self) -> None:
        """Raises LocalCloudError once nobody looks after instances and load balancer any more."""
        if self._plane is None or not self._plane.is_alive:
            raise LocalCloudError("the load balancer's loop ended by itself, so the embedded cloud ends, too")

    def _start(self) -> None:
        for repair in REPAIRS:
            repair.install()
        around = [moto_gap.blobs, answering(STATUS_PATH, self._status), signalling(self._changed, USER_AGENT)]
        if self._records_calls:
            around.append(recording(self._home.calls_file))
        api = self._parts.enter_context(ApiServer(around))
        self.api_url = api.url
        driver = ProcessDriver(environment=_mark())
        self._parts.callback(driver.close)
        runner = ImageRunner(driver, api.url, self._home.images, self._home.instances)
        launcher = (sys.executable, "-S", "-E", leash.__file__, str(os.getpid()))
        plane = DataPlane(api.url, self._regions, self._home.envoy, runner, leash=launcher)
        try:
            plane.start()
        except (OSError, TimeoutError) as error:
            raise CloudStartFailed(f"the load balancer did not start: {error}") from error
        self._parts.callback(plane.stop)
        self._plane = plane
        for package in (aws.package(api.url), docker.package(api.url, self._project)):
            server, port = serve(package)
            self._parts.callback(server.stop, GRACE_SECONDS)
            self.providers[package.name] = port

    def _changed(self) -> None:
        if self._plane:
            self._plane.wake()

    def _status(self) -> bytes:
        """What status.PlaneStatus reads."""
        instances = [asdict(instance) for instance in self._plane.status()] if self._plane else []
        listeners = [asdict(listener) for listener in self._plane.listeners()] if self._plane else []
        return json.dumps({"instances": instances, "listeners": listeners}).encode()


def _mark() -> dict[str, str]:
    """By which an instance is known as this cloud's; without one where no daemon has set it."""
    return {MARK: os.environ[MARK]} if MARK in os.environ else {}
