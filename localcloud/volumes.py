"""Folders that stand for EBS volumes and their snapshots, each below the cloud's home by its id."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from localcloud.errors import LocalCloudError

FOLDER_MODE = 0o777
"""Whoever an image runs as may write; the home above is for its owner only."""
ID = re.compile(r"(vol|snap)-[0-9a-f]+")


class VolumeInUse(LocalCloudError):
    """Something that runs on this machine has the volume."""


class Volumes:
    """The folders of one cloud. Raises LocalCloudError for an id that is none; OSError where the disk does."""

    def __init__(self, volumes: Path, snapshots: Path) -> None:
        self._volumes, self._snapshots = volumes, snapshots

    def folder(self, volume_id: str) -> Path:
        """A volume's content; made when missing, which is blank."""
        found = self._place(self._volumes, volume_id)
        found.mkdir(parents=True, exist_ok=True)
        found.chmod(FOLDER_MODE)  # whatever the umask
        return found

    def lock(self, volume_id: str) -> int:
        """A file descriptor with the volume's lock, which whoever inherits it holds, too, as long as it runs.

        The kernel gives the lock back with the last copy of the descriptor. Raises VolumeInUse while somebody has it.
        """
        self._volumes.mkdir(parents=True, exist_ok=True)
        file = self._place(self._volumes, volume_id).with_suffix(".lock")
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
        _copy(self._place(self._volumes, volume_id), self._place(self._snapshots, snapshot_id))

    def restore(self, snapshot_id: str, volume_id: str) -> None:
        """Fills a new volume from a snapshot; of a blank one there is no copy."""
        _copy(self._place(self._snapshots, snapshot_id), self._place(self._volumes, volume_id))

    def drop(self, resource_id: str) -> None:
        """Removes a volume or a snapshot; harmless where there is none."""
        home = self._volumes if resource_id.startswith("vol-") else self._snapshots
        place = self._place(home, resource_id)
        shutil.rmtree(place, ignore_errors=True)
        place.with_suffix(".lock").unlink(missing_ok=True)

    @staticmethod
    def _place(home: Path, resource_id: str) -> Path:
        if not ID.fullmatch(resource_id):
            raise LocalCloudError(f"{resource_id!r} is no id of a volume or snapshot")
        return home / resource_id


def _copy(source: Path, target: Path) -> None:
    """A whole copy or none: it appears under its name once it is complete."""
    if not source.is_dir():
        return
    draft = target.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(source, draft, symlinks=True)
    draft.chmod(FOLDER_MODE)
    draft.replace(target)
