"""What a built toolchain consists of: every file with its size and SHA-256, in a manifest.json beside them."""

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file: its path below the toolchain's folder, size in bytes, SHA-256 in hex."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All files of one built toolchain."""

    version: str
    files: tuple[FileRecord, ...]

    @classmethod
    def of(cls, folder: Path, version: str) -> "Manifest":
        """Describes the files in folder as they are now."""
        paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
        return cls(version, tuple(_record(folder, path) for path in paths))

    @classmethod
    def read(cls, folder: Path) -> "Manifest | None":
        """The manifest that lies in folder; None where there is none, or none that can be read."""
        try:
            held = json.loads((folder / MANIFEST).read_text())
            return cls(str(held["version"]), tuple(FileRecord(**record) for record in held["files"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, folder: Path) -> None:
        """Writes the manifest into folder."""
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=1) + "\n")

    def is_complete(self, folder: Path) -> bool:
        """Every file is there in its size. Cheap: for folders that only we write, and rename whole."""
        return all(_size(folder / record.path) == record.size for record in self.files)

    def damaged(self, folder: Path) -> list[str]:
        """The paths whose files are missing or differ from the manifest; reads everything."""
        return [
            record.path
            for record in self.files
            if not (folder / record.path).is_file() or _record(folder, folder / record.path) != record
        ]


def copy_durably(source: Path, manifest: Manifest, destination: Path) -> None:
    """Copies the manifest's files, and it, to destination; all of it is on the disk when this returns."""
    for record in manifest.files:
        (destination / record.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / record.path, destination / record.path)
    manifest.write(destination)
    sync(destination)


def sync(folder: Path) -> None:
    """Waits until folder's files and directories are on the disk, so that a rename never shows half of them."""
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _record(folder: Path, path: Path) -> FileRecord:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileRecord(path.relative_to(folder).as_posix(), path.stat().st_size, digest)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
