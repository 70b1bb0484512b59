"""Runs instances from what their user data says: the image by digest out of ECR, started by an instance driver."""

import os
import shutil
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Generic

from botocore.exceptions import BotoCoreError, ClientError

from localcloud.dataplane.leases import Lease, Leases
from localcloud.dataplane.observe import api_client
from localcloud.dataplane.runner import Birth, CannotStart
from localcloud.errors import LocalCloudError
from localcloud.images.reference import ImageReference
from localcloud.images.registry import EcrClient
from localcloud.instances.addresses import loopback_address
from localcloud.instances.container import ContainerSpec, from_user_data
from localcloud.instances.driver import DataFolder, Driver, ImageT, Launch, Running
from localcloud.instances.node import Node, node_from_user_data

LOG_TAIL_BYTES = 4096
MOST_AT_ONCE = 10
"""Parameters that SSM takes in a call."""


@dataclass(frozen=True, slots=True)
class RunningImage:
    """Implements Life: a started instance, its address and its log."""

    address: str
    running: Running
    log: Path
    lease: Lease | None = None
    """Its data volume, until it has ended."""

    @property
    def container(self) -> str:
        """Name of its container; empty for a process."""
        return self.running.container

    @property
    def pid(self) -> int | None:
        """Its first process; None as long as there is none."""
        return self.running.pid

    def is_alive(self) -> bool:
        """Whether its first process still runs."""
        return self.running.is_alive()

    def stop(self, grace: timedelta) -> None:
        """Ends it, and lets its data volume go. A second call, or one while another is at it, does nothing."""
        self.running.stop(grace)
        if self.lease:
            self.lease.release()

    def last_words(self) -> str:
        """The last line in its log."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_TAIL_BYTES))
                lines = log.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


class ImageRunner(Generic[ImageT]):
    """Implements Runner. `pull` gets an image to where the driver starts it; each instance has its folder below home.

    prepare is thread-safe; start and forget belong to one thread.
    """

    def __init__(
        self,
        driver: Driver[ImageT],
        endpoint_url: str,
        pull: Callable[[EcrClient, ImageReference], ImageT],
        home: Path,
        leases: Leases,
    ) -> None:
        self._driver = driver
        self._leases = leases
        self._endpoint_url = endpoint_url
        self._pull = pull
        self._home = home
        self._addresses: dict[str, str] = {}

    def prepare(self, birth: Birth) -> "ReadyInstance[ImageT] | Node | None":
        """Pulls the image that the user data names, unless it makes the instance a node. Raises CannotStart."""
        try:
            if node := node_from_user_data(birth.user_data):
                return node
            spec = from_user_data(birth.user_data)
            if spec is None:
                return None
            ecr = api_client("ecr", birth.region, self._endpoint_url)
            image = self._pull(ecr, spec.image)
            return ReadyInstance(self, birth, spec, image, self._secrets(birth.region, spec))
        except (LocalCloudError, ClientError, BotoCoreError, OSError) as problem:
            raise CannotStart(str(problem)) from problem

    def start(self, ready: "ReadyInstance[ImageT]") -> RunningImage:
        """Starts an instance on an address of its own. Raises CannotStart."""
        lease = self._leases.take(ready.birth, ready.spec.volume_id) if ready.spec.volume_id else None
        with ExitStack() as undo:
            if lease:
                undo.callback(lease.release)
            started = self._start(ready, lease)
            undo.pop_all()
        return started

    def _start(self, ready: "ReadyInstance[ImageT]", lease: Lease | None) -> RunningImage:
        birth, spec = ready.birth, ready.spec
        folder = self._home / birth.instance_id
        log = folder / "instance.log"
        try:
            address = loopback_address(
                birth.instance_id,
                birth.private_address,
                self._addresses,
                lambda found: can_bind(found, spec.port),
            )
            self._addresses[birth.instance_id] = address
            launch = Launch(
                instance_id=birth.instance_id,
                address=address,
                zone=birth.zone,
                spec=spec,
                image=ready.image,
                folder=folder,
                log=log,
                instance_type=birth.instance_type,
                secrets=ready.secrets,
                data=DataFolder(lease.folder, lease.handle) if lease else None,
            )
            return RunningImage(address, self._driver.start(launch), log, lease)
        except (LocalCloudError, OSError) as problem:
            raise CannotStart(str(problem)) from problem

    def _secrets(self, region: str, spec: ContainerSpec) -> dict[str, str]:
        """What the instance reads from SSM as it starts, by variable. Raises CannotStart for one that is missing."""
        names = sorted(set(spec.secrets.values()))
        if not names:
            return {}
        ssm = api_client("ssm", region, self._endpoint_url)
        found: dict[str, str] = {}
        for start in range(0, len(names), MOST_AT_ONCE):
            told = ssm.get_parameters(Names=names[start : start + MOST_AT_ONCE], WithDecryption=True)["Parameters"]
            found |= {parameter["Name"]: parameter["Value"] for parameter in told}
        missing = [name for name in names if name not in found]
        if missing:
            raise CannotStart(f"these secrets are not in SSM: {', '.join(missing)}")
        values = {variable: found[name] for variable, name in spec.secrets.items()}
        for variable, value in values.items():
            if "\0" in value:
                raise CannotStart(f"the secret {variable} holds a zero byte")
        return values

    def forget(self, instance_id: str) -> None:
        """Gives its address back and removes its home and temporary files; its log stays."""
        self._addresses.pop(instance_id, None)
        for name in ("home", "tmp"):
            shutil.rmtree(self._home / instance_id / name, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class ReadyInstance(Generic[ImageT]):
    """Implements Prepared: what to run, and it is here."""

    runner: ImageRunner[ImageT]
    birth: Birth
    spec: ContainerSpec
    image: ImageT
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Values by variable."""

    @property
    def port(self) -> int:
        """The port that it will listen on."""
        return self.spec.port

    @property
    def colour(self) -> str:
        """blue or green."""
        return self.spec.colour

    @property
    def digest(self) -> str:
        """Its image's digest."""
        return self.image.digest

    def start(self) -> RunningImage:
        """Starts it. Raises CannotStart."""
        return self.runner.start(self)


def can_bind(address: str, port: int) -> bool:
    """Whether nobody listens there yet, in whatever process."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
