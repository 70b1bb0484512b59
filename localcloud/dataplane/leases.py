"""What a server does with its data volume, played: it attaches it before its container starts, and detaches it after.

Two things keep a second writer away: the attachment at the API, as on AWS, and a lock of this machine's kernel, which
the instance's processes hold themselves, so that it outlives whatever goes wrong around them.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.dataplane.observe import api_client
from localcloud.dataplane.runner import Birth, CannotStart, VolumeHeld
from localcloud.volumes import VolumeInUse, Volumes

LOG = structlog.get_logger(__name__)

DEVICE = "/dev/sdf"
FREE_SECONDS = 10.0
"""How long the lock may stay taken once an instance has been ended."""
POLL_SECONDS = 0.05
GONE = ("terminated", "shutting-down")


class Lease:
    """A data volume that one instance has. Thread-safe."""

    def __init__(self, folder: Path, handle: int, detach: Callable[[], None]) -> None:
        self.folder, self.handle = folder, handle
        """The volume's content, and the descriptor of its lock, for the instance to inherit."""
        self._detach = detach
        self._releasing = threading.Lock()
        self._is_released = False

    def release(self) -> None:
        """Detaches the volume, once nothing of the instance has it any more; a second call does nothing.

        Raises VolumeInUse where something of it goes on: then the volume stays attached.
        """
        with self._releasing:
            if not self._is_released:
                self._is_released = True
                os.close(self.handle)
                self._detach()


class Leases:
    """Attaches and detaches data volumes for whoever starts instances. Thread-safe."""

    def __init__(self, volumes: Volumes, endpoint_url: str) -> None:
        self._volumes, self._endpoint_url = volumes, endpoint_url
        self._clients: dict[str, Any] = {}

    def take(self, birth: Birth, volume_id: str) -> Lease:
        """Attaches a volume to an instance. Raises VolumeHeld while another one has it, CannotStart where none can."""
        try:
            handle = self._volumes.lock(volume_id)
        except VolumeInUse as problem:
            raise VolumeHeld(str(problem)) from problem
        with ExitStack() as undo:
            undo.callback(os.close, handle)
            try:
                self._attach(birth, volume_id)
                folder = self._volumes.folder(volume_id)
            except (ClientError, BotoCoreError, OSError) as problem:
                raise CannotStart(str(problem)) from problem
            undo.pop_all()
        return Lease(folder, handle, partial(self._detach, birth, volume_id))

    def _detach(self, birth: Birth, volume_id: str) -> None:
        try:
            handle = self._lock_after(birth, volume_id)
            if handle is None:
                return
            try:
                self._client(birth.region).detach_volume(VolumeId=volume_id, InstanceId=birth.instance_id)
            finally:
                os.close(handle)
        except (ClientError, BotoCoreError) as problem:
            # Detached by hand, or deleted. Whoever wants it next finds who has it, and that nobody holds the lock.
            LOG.warning("a data volume was not detached", volume=volume_id, problem=str(problem))

    def _lock_after(self, birth: Birth, volume_id: str) -> int | None:
        """The lock, once nothing of an instance has it; None where another instance was quicker and has both.

        Raises VolumeInUse where something of the instance goes on.
        """
        deadline = time.monotonic() + FREE_SECONDS
        while True:
            try:
                return self._volumes.lock(volume_id)
            except VolumeInUse:
                if self._holder(birth.region, volume_id) != birth.instance_id:
                    return None
                if time.monotonic() > deadline:
                    raise
            time.sleep(POLL_SECONDS)

    def _attach(self, birth: Birth, volume_id: str) -> None:
        """With the lock in hand, an instance that the API says has the volume is either this one, or over."""
        ec2 = self._client(birth.region)
        holder = self._holder(birth.region, volume_id)
        if holder == birth.instance_id:
            return
        if holder and self._is_over(birth.region, holder):
            ec2.detach_volume(VolumeId=volume_id, InstanceId=holder)
        elif holder:
            raise VolumeHeld(f"{holder} has {volume_id}")
        ec2.attach_volume(VolumeId=volume_id, InstanceId=birth.instance_id, Device=DEVICE)

    def _holder(self, region: str, volume_id: str) -> str:
        """The instance that the API says has a volume; empty for none. Raises ClientError for one that is not there."""
        found = self._client(region).describe_volumes(VolumeIds=[volume_id])["Volumes"]
        attachments = found[0].get("Attachments", []) if found else []
        return str(attachments[0]["InstanceId"]) if attachments else ""

    def _is_over(self, region: str, instance_id: str) -> bool:
        reservations = self._client(region).describe_instances(InstanceIds=[instance_id])["Reservations"]
        states = [one["State"]["Name"] for reservation in reservations for one in reservation["Instances"]]
        return all(state in GONE for state in states)

    def _client(self, region: str) -> Any:
        if region not in self._clients:
            self._clients[region] = api_client("ec2", region, self._endpoint_url)
        return self._clients[region]
