"""Writing a file so that a reader sees the old one or the new one, never half of it."""

import os
from pathlib import Path


def write_atomically(path: Path, content: bytes, mode: int = 0o644, *, lasts: bool = False) -> None:
    """Writes content beside path, then renames it there; mode holds from the first byte. Raises OSError.

    One that lasts is on the disk itself before it has its name: what a power loss leaves is the old or the new one.
    """
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if lasts:
                file.flush()
                os.fsync(descriptor)
        beside.replace(path)
        if lasts:
            _sync_folder(path.parent)
    except OSError:  # a full disk: half of it would keep what room there is
        beside.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Has the names of its files on the disk itself."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
