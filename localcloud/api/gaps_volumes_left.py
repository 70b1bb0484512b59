"""Volumes and snapshots that outlive a cloud which is killed; moto's state is in memory and does not.

A record beside each one's folder says what it is. The next cloud registers it under its own id, and a volume that is
made with the same owner as one that was left becomes that one: so whoever declared it finds its content again.
Disks that come and go with a server have no record, nor have those of machine images.
"""

from collections.abc import Callable, Iterable
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import Snapshot, Volume
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.tags import TagResponse

from localcloud.left import Record
from localcloud.volumes import Volumes


def bring_back(volumes: Volumes) -> None:
    """Registers what an earlier cloud left. To be called once, before anybody asks the API. Raises OSError."""
    for record in volumes.take_stock():
        register(record)


def register(record: Record) -> None:
    """Makes moto know a volume or snapshot that there is."""
    backend = ec2_backends[record.account][record.region]
    if record.is_volume:
        backend.volumes[record.id] = _volume(backend, record.id, record)
    else:
        backend.snapshots[record.id] = _snapshot(backend, record)
    backend.tags[record.id] = dict(record.tags)


def refusal(doing: str, problem: OSError) -> EC2ClientError:
    """What the API says where the disk does not take something."""
    # copytree has a list of what went wrong, each with its reason at the end.
    told = problem.args[0][0][-1] if problem.args and isinstance(problem.args[0], list) else problem.strerror or problem
    return EC2ClientError("InternalError", f"The embedded cloud's disk: {doing}: {' '.join(str(told).split())}")


def _volume(backend: Any, volume_id: str, record: Record) -> Any:
    volume = Volume(
        backend,
        volume_id,
        record.size_gib,
        backend.get_zone_by_name(record.zone),
        snapshot_id=record.source or None,
        encrypted=record.encrypted,
        kms_key_id=record.key or None,
        volume_type=record.type,
        iops=record.iops,
        throughput=record.throughput,
    )
    volume.create_time = record.created
    return volume


def _snapshot(backend: Any, record: Record) -> Any:
    """Beside the volume that it is of, which may be no more."""
    volume = _volume(backend, record.source, record.model_copy(update={"source": ""}))
    made = Snapshot(
        backend, record.id, volume, record.description, encrypted=record.encrypted, kms_key_id=record.key or None
    )
    made.start_time = record.created
    return made


def _of_volume(volume: Any) -> Record:
    return Record(
        id=volume.id,
        created=volume.create_time,
        source=volume.snapshot_id or "",
        **_shared(volume, volume),
        type=volume.volume_type or "",
        iops=_number(volume.iops),
        throughput=_number(volume.throughput),
    )


def _of_snapshot(snapshot: Any) -> Record:
    return Record(
        id=snapshot.id,
        created=snapshot.start_time,
        source=snapshot.volume.id,
        description=snapshot.description or "",
        **_shared(snapshot, snapshot.volume),
    )


def _shared(made: Any, volume: Any) -> dict[str, Any]:
    backend = made.ec2_backend
    return {
        "account": backend.account_id,
        "region": backend.region_name,
        "zone": volume.zone.name if volume.zone else "",
        "size_gib": int(volume.size),
        "tags": dict(backend.tags.get(made.id, {})),
        "encrypted": bool(made.encrypted),
        "key": made.kms_key_id or "",
    }


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _create_volume(original: Any, volumes: Volumes, self: Any) -> Any:
    """The new volume or, under its own id and with its content, the one that its owner had in an earlier cloud."""
    answer = original(self)
    volume = answer.result
    backend, made = volume.ec2_backend, volume.id
    kept = volumes.left.claim(_of_volume(volume))
    if kept:
        _rename(backend, volume, kept.id)
    try:
        volumes.write(_of_volume(volume))
    except OSError as problem:
        _unregister(backend.volumes, volume)
        if kept and volumes.left.give_back(kept.id):
            register(kept)
        volumes.drop(made)
        raise refusal(f"{made} could not be written down", problem) from problem
    if kept:
        volumes.drop(made)
    return answer


def _rename(backend: Any, volume: Any, name: str) -> None:
    backend.volumes[name] = backend.volumes.pop(volume.id)
    backend.tags[name] = backend.tags.pop(volume.id)
    volume.id = name


def _unregister(those: dict[str, Any], made: Any) -> None:
    those.pop(made.id, None)
    made.ec2_backend.tags.pop(made.id, None)


def _create_snapshot(original: Any, volumes: Volumes, self: Any) -> Any:
    answer = original(self)
    _write_snapshots(volumes, [answer.result])
    return answer


def _create_snapshots(original: Any, volumes: Volumes, self: Any) -> Any:
    answer = original(self)
    _write_snapshots(volumes, answer.result["Snapshots"])
    return answer


def _write_snapshots(volumes: Volumes, made: Iterable[Any]) -> None:
    """After the content: what has a record is whole."""
    for snapshot in made:
        try:
            volumes.write(_of_snapshot(snapshot))
        except OSError as problem:
            _unregister(snapshot.ec2_backend.snapshots, snapshot)
            volumes.drop(snapshot.id)
            raise refusal(f"{snapshot.id} could not be written down", problem) from problem


def _modify_volume(original: Any, volumes: Volumes, self: Any) -> Any:
    answer = original(self)
    _write_again(volumes, self.ec2_backend, [self._get_param("VolumeId")])
    return answer


def _tag(original: Any, volumes: Volumes, self: Any) -> Any:
    answer = original(self)
    _write_again(volumes, self.ec2_backend, self._get_param("Resources", []))
    return answer


def _write_again(volumes: Volumes, backend: Any, changed: Iterable[str]) -> None:
    for name in changed:
        volume, snapshot = backend.volumes.get(name), backend.snapshots.get(name)
        if not (volume or snapshot) or not volumes.is_recorded(name):
            continue
        record = _of_volume(volume) if volume else _of_snapshot(snapshot)
        volumes.left.change(record)
        try:
            volumes.write(record)
        except OSError as problem:
            raise refusal(f"{name} could not be written down", problem) from problem


LEFT_MENDS: tuple[tuple[type, str, Callable[..., Any]], ...] = (
    (ElasticBlockStore, "create_volume", _create_volume),
    (ElasticBlockStore, "create_snapshot", _create_snapshot),
    (ElasticBlockStore, "create_snapshots", _create_snapshots),
    (ElasticBlockStore, "modify_volume", _modify_volume),
    (TagResponse, "create_tags", _tag),
    (TagResponse, "delete_tags", _tag),
)
