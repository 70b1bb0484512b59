"""Unpacks a layer into a folder, and nowhere else."""

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from localcloud.images.errors import ImageError
from localcloud.images.packing import opened_gzip

LARGEST_ROOT_BYTES = 1024 * 1024 * 1024


def unpack(layer: bytes, root: Path) -> None:
    """Writes a gzipped layer's folders, files and symbolic links into root, which must be new and empty.

    Raises ImageError for a name or a link that leads out of root, and for devices, hard links, whiteouts and anything
    that comes twice. What was written until then stays: root is the caller's to throw away.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(opened_gzip(layer, LARGEST_ROOT_BYTES)), mode="r:") as archive:
            members = list(_members(archive))
            links = {name: member.linkname for name, member in members if member.issym()}
            _refuse_ways_through(members)
            for name, member in members:
                if not member.issym():
                    _write(archive, member, root / name)
    except tarfile.TarError as error:
        raise ImageError(f"the image's layer is not a tar archive: {error}") from error
    # Links come last, so that no file could be written through one, and are then judged by where they really lead.
    for name, target in links.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)
    for name in links:
        if not (root / name).resolve().is_relative_to(root.resolve()):
            raise ImageError(f"the image's layer has a link {name} that leads out of it")


def _members(archive: tarfile.TarFile) -> Iterator[tuple[PurePosixPath, tarfile.TarInfo]]:
    seen: set[PurePosixPath] = set()
    for member in archive:
        name = PurePosixPath(member.name)
        if name.is_absolute() or ".." in name.parts:
            raise ImageError(f"the image's layer has an entry {member.name!r} that leads out of it")
        if not (member.isreg() or member.isdir() or member.issym()):
            raise ImageError(f"the image's layer has an entry {member.name!r} that is no file, folder or symbolic link")
        if name.name.startswith(".wh."):
            raise ImageError(f"the image's layer has a whiteout {member.name!r}, which means nothing in a single layer")
        if name in seen:
            raise ImageError(f"the image's layer has {member.name!r} twice")
        seen.add(name)
        if name.parts:
            yield name, member


def _refuse_ways_through(members: list[tuple[PurePosixPath, tarfile.TarInfo]]) -> None:
    not_folders = {name for name, member in members if not member.isdir()}
    for name, _ in members:
        if not not_folders.isdisjoint(name.parents):
            raise ImageError(f"the image's layer has an entry {str(name)!r} below something that is no folder")


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    content = archive.extractfile(member)
    if content is None:
        raise ImageError(f"the image's layer has no content for {member.name!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("xb") as file:
        while part := content.read(1024 * 1024):
            file.write(part)
    path.chmod(0o755 if member.mode & 0o100 else 0o644)
