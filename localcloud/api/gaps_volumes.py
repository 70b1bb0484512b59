"""What moto's volumes lack: content, and somebody who lets them go.

While a cloud runs (keeping()), a snapshot is a copy of the volume's folder, a volume of a snapshot gets that copy, and
folders go with what they belong to. An instance of a scaling group that is terminated keeps its data volume attached
until whoever plays it has ended its processes and detaches it: moto lets go at once, while they still write.

What CreateVolume and CreateSnapshot made outlives a cloud that is killed: gaps_volumes_left.
"""

import functools
from collections.abc import Callable
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_block_store import EBSBackend
from moto.ec2.models.instances import Instance

from localcloud.api.gaps_volumes_left import LEFT_MENDS, refusal, register
from localcloud.volumes import VolumeInUse, Volumes

_kept: list[Volumes] = []
"""Those of the clouds that run in this process, which share moto's state; the last one counts."""


def install() -> None:
    """Mends moto's volumes in this process; a second call changes nothing."""
    for owner, name, mend in (*MENDS, *LEFT_MENDS):
        original = getattr(owner, name)
        if not hasattr(original, "__wrapped__"):
            setattr(owner, name, _bound(original, mend))


def keeping(volumes: Volumes) -> Callable[[], None]:
    """From now on volumes have their content there, until what is returned is called."""
    _kept.append(volumes)
    return lambda: _kept.remove(volumes)


def _bound(original: Callable[..., Any], mend: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def mended(self: Any, *arguments: Any, **named: Any) -> Any:
        if not _kept:
            return original(self, *arguments, **named)
        return mend(original, _kept[-1], self, *arguments, **named)

    return mended


def _let_go_of_own(original: Any, _: Volumes, self: Any) -> None:
    """Of an instance that is terminated: keeps what was attached to it later on."""
    mapping = self.block_device_mapping
    kept = {}
    if getattr(self, "autoscaling_group", None):
        kept = {device: one for device, one in mapping.items() if not one.delete_on_termination}
    for device in kept:
        del mapping[device]
    original(self)
    mapping.update(kept)


def _create_snapshot(original: Any, volumes: Volumes, self: Any, volume_id: str, *rest: Any, **named: Any) -> Any:
    if named.get("from_ami"):  # of which moto has hundreds, all of them blank
        return original(self, volume_id, *rest, **named)
    try:
        with volumes.still(volume_id):
            return _copied(original, volumes, self, volume_id, *rest, **named)
    except VolumeInUse as problem:
        reason = f"The embedded cloud takes snapshots of volumes that nobody writes to: {problem}"
        raise EC2ClientError("IncorrectState", reason) from problem
    except OSError as problem:
        raise refusal(f"{volume_id} could not be copied", problem) from problem


def _copied(original: Any, volumes: Volumes, self: Any, volume_id: str, *rest: Any, **named: Any) -> Any:
    snapshot = original(self, volume_id, *rest, **named)
    try:
        volumes.keep(volume_id, snapshot.id)
    except OSError:
        del self.snapshots[snapshot.id]
        raise
    return snapshot


def _create_volume(original: Any, volumes: Volumes, self: Any, *arguments: Any, **named: Any) -> Any:
    volume = original(self, *arguments, **named)
    if volume.snapshot_id:
        try:
            volumes.restore(volume.snapshot_id, volume.id)
        except OSError as problem:
            del self.volumes[volume.id]
            raise refusal(f"{volume.snapshot_id} could not be copied", problem) from problem
    return volume


def _attach(original: Any, volumes: Volumes, self: Any, volume_id: str, *rest: Any, **named: Any) -> Any:
    attachment = original(self, volume_id, *rest, **named)
    volumes.left.used(volume_id)
    return attachment


def _delete(original: Any, volumes: Volumes, self: Any, resource_id: str) -> Any:
    gone = original(self, resource_id)
    kept = volumes.left.give_back(resource_id)
    if kept:
        register(kept)
    else:
        volumes.left.forget(resource_id)
        volumes.drop(resource_id)
    return gone


MENDS: tuple[tuple[type, str, Callable[..., Any]], ...] = (
    (Instance, "teardown_defaults", _let_go_of_own),
    (EBSBackend, "create_snapshot", _create_snapshot),
    (EBSBackend, "create_volume", _create_volume),
    (EBSBackend, "attach_volume", _attach),
    (EBSBackend, "delete_volume", _delete),
    (EBSBackend, "delete_snapshot", _delete),
)
