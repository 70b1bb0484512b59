"""Folders that stand for EBS volumes and their snapshots, each below the cloud's home by its id.

Beside a folder there is a record of what it is (left.Record), by which a later cloud knows it.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from localcloud.errors import LocalCloudError
from localcloud.files import write_atomically
from localcloud.left import Disk, Left, Record

FOLDER_MODE = 0o777
"""Whoever an image runs as may write; the home above is for its owner only."""
ID = re.compile(r"(vol|snap)-[0-9a-f]+")
DRAFT, GONE = ".new", ".gone"
"""What a folder's name ends with while it is being copied, or removed."""


class VolumeInUse(LocalCloudError):
    """Something that runs on this machine has the volume."""


class Volumes:
    """The folders of one cloud. Raises LocalCloudError for an id that is none; OSError where the disk does."""

    def __init__(self, volumes: Path, snapshots: Path) -> None:
        self._volumes, self._snapshots = volumes, snapshots
        self.left = Left()
        self._strays: tuple[Disk, ...] = ()

    def folder(self, volume_id: str) -> Path:
        """A volume's content; made when missing, which is blank."""
        found = self._place(volume_id)
        found.mkdir(parents=True, exist_ok=True)
        found.chmod(FOLDER_MODE)  # whatever the umask
        return found

    def lock(self, volume_id: str) -> int:
        """A file descriptor with the volume's lock, which whoever inherits it holds, too, as long as it runs.

        The kernel gives the lock back with the last copy of the descriptor. Raises VolumeInUse while somebody has it.
        """
        self._volumes.mkdir(parents=True, exist_ok=True)
        file = self._place(volume_id).with_suffix(".lock")
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise VolumeInUse(f"{volume_id} is in use by another instance") from None
        return handle

    @contextmanager
    def still(self, volume_id: str) -> Iterator[None]:
        """Nothing is written to a volume during the block. Raises VolumeInUse while something has it."""
        handle = self.lock(volume_id)
        try:
            yield
        finally:
            os.close(handle)

    def keep(self, volume_id: str, snapshot_id: str) -> None:
        """Copies a volume, which must be still, into a snapshot; one that was never used has nothing to copy."""
        _copy(self._place(volume_id), self._place(snapshot_id))

    def restore(self, snapshot_id: str, volume_id: str) -> None:
        """Fills a new volume from a snapshot; of a blank one there is no copy."""
        _copy(self._place(snapshot_id), self._place(volume_id))

    def drop(self, resource_id: str) -> None:
        """Removes a volume or a snapshot; harmless where there is none. Half of one is never seen."""
        place = self._place(resource_id)
        place.with_suffix(".json").unlink(missing_ok=True)
        if place.exists():
            gone = place.with_suffix(GONE)
            shutil.rmtree(gone, ignore_errors=True)
            place.replace(gone)
            shutil.rmtree(gone, ignore_errors=True)
        place.with_suffix(".lock").unlink(missing_ok=True)

    def write(self, record: Record) -> None:
        """Keeps what is known of a volume or snapshot; it outlives a power loss."""
        file = self._place(record.id).with_suffix(".json")
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, record.model_dump_json(indent=1).encode(), 0o600, lasts=True)

    def is_recorded(self, resource_id: str) -> bool:
        """Whether there is a record of it: there is none of disks that come and go with their server."""
        return self._place(resource_id).with_suffix(".json").exists()

    def take_stock(self) -> list[Record]:
        """What an earlier cloud left, volumes first; from now on `left` has the volumes. To be called once, at first.

        What that cloud was copying or removing when it ended is removed.
        """
        for home in (self._volumes, self._snapshots):
            for leftover in (*home.glob(f"*{DRAFT}"), *home.glob(f"*{GONE}")):
                if leftover.is_dir():
                    shutil.rmtree(leftover, ignore_errors=True)
                else:
                    leftover.unlink(missing_ok=True)
        records = self.records()
        known = {record.id for record in records}
        self._strays = tuple(Disk(name) for name in self._folders() if name not in known)
        self.left.begin(records)
        return records

    def unclaimed(self) -> list[Disk]:
        """What an earlier cloud left and nobody has taken over; and folders that no record tells of."""
        return [*(Disk.of(record) for record in self.left.records()), *self._strays]

    def disks(self) -> list[Disk]:
        """All that there is, whoever's it is."""
        records = self.records()
        known = {record.id for record in records}
        return [*map(Disk.of, records), *(Disk(name) for name in self._folders() if name not in known)]

    def records(self) -> list[Record]:
        """Every record that can be read, those of volumes first."""
        files = [*sorted(self._volumes.glob("vol-*.json")), *sorted(self._snapshots.glob("snap-*.json"))]
        return [record for record in map(_read, files) if record is not None]

    def _folders(self) -> list[str]:
        found = (*self._volumes.glob("vol-*"), *self._snapshots.glob("snap-*"))
        return sorted(each.name for each in found if ID.fullmatch(each.name) and each.is_dir())

    def _place(self, resource_id: str) -> Path:
        if not ID.fullmatch(resource_id):
            raise LocalCloudError(f"{resource_id!r} is no id of a volume or snapshot")
        return (self._volumes if resource_id.startswith("vol-") else self._snapshots) / resource_id


def _read(file: Path) -> Record | None:
    """A record; None for one that is not whole, or of another thing than its name says."""
    try:
        record = Record.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return record if f"{record.id}.json" == file.name and ID.fullmatch(record.id) else None


def _copy(source: Path, target: Path) -> None:
    """A whole copy or none: it appears under its name once it is complete, and on the disk itself."""
    if not source.is_dir():
        return
    draft = target.with_suffix(DRAFT)
    shutil.rmtree(draft, ignore_errors=True)
    try:
        shutil.copytree(source, draft, symlinks=True, copy_function=_copy_file)
        draft.chmod(FOLDER_MODE)
        draft.replace(target)
    except OSError:  # a full disk, or what can't be copied: shutil.Error is one, too
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _copy_file(source: str, target: str) -> None:
    shutil.copy2(source, target)
    handle = os.open(target, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
