"""Packs a folder into an image, so that the same files and labels give the same digest on any machine."""

import gzip
import io
import shlex
import stat
import struct
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from localcloud.images.errors import ImageError
from localcloud.images.ignore import IgnoreRules, parse_ignore
from localcloud.images.oci import Image, ImageConfig, assemble, digest_of

WORKING_DIRECTORY = "/srv/app"
BYTECODE = "__pycache__"
STORED_BLOCK = 0xFFFF


def pack(source: Path, labels: Mapping[str, str]) -> Image:
    """The image of source as it stands: its files in /srv/app, run by the `web` line of its Procfile.

    Left out are what .dockerignore names and Python's bytecode. Raises ImageError for a folder without a Procfile and
    for anything that is neither file nor folder, OSError for what cannot be read.
    """
    if not source.is_dir():
        raise ImageError(f"{source} is not a folder to pack an image from")
    config = ImageConfig(
        command=web_command(source), working_directory=WORKING_DIRECTORY, labels=dict(labels), environment={}
    )
    tarball = _tarball(source)
    return assemble(config, stored_gzip(tarball), digest_of(tarball))


def web_command(source: Path) -> tuple[str, ...]:
    """The words of the `web:` line of source's Procfile. No shell runs it. Raises ImageError where there is none."""
    procfile = source / "Procfile"
    lines = procfile.read_text(encoding="utf-8").splitlines() if procfile.is_file() else []
    for line in lines:
        process, colon, command = line.partition(":")
        if colon and process.strip() == "web" and command.strip():
            return tuple(shlex.split(command))
    raise ImageError(f"{procfile} has no line 'web: COMMAND', so the image would not know what to run")


def stored_gzip(content: bytes) -> bytes:
    """Content in gzip's frame, stored and not compressed: one zlib compresses differently from the next."""
    frame = io.BytesIO()
    frame.write(b"\x1f\x8b\x08" + bytes(6) + b"\xff")  # deflate, no name, time 0, system unknown
    starts = range(0, max(len(content), 1), STORED_BLOCK)
    for start in starts:
        block = content[start : start + STORED_BLOCK]
        frame.write(struct.pack("<BHH", start == starts[-1], len(block), len(block) ^ 0xFFFF))
        frame.write(block)
    frame.write(struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF))
    return frame.getvalue()


def opened_gzip(layer: bytes, longest_bytes: int) -> bytes:
    """What a gzipped layer holds. Raises ImageError for one that is broken or unpacks to more than longest_bytes."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(layer)) as opened:
            content = opened.read(longest_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ImageError(f"the image's layer is not gzip: {error}") from error
    if len(content) > longest_bytes:
        raise ImageError(f"the image's layer unpacks to more than {longest_bytes} bytes")
    return content


def _tarball(source: Path) -> bytes:
    root = PurePosixPath(WORKING_DIRECTORY.lstrip("/"))
    files = {root / path.relative_to(source).as_posix(): path for path in _files(source, _rules(source))}
    folders = {folder for name in files for folder in name.parents if folder.name} | {root, *root.parents}
    entries = [(str(name), files.get(name)) for name in (folders | set(files)) if name.name]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive:
        for name, path in sorted(entries, key=lambda entry: entry[0].encode()):
            _add(archive, name, path)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, path: Path | None) -> None:
    """Adds a file, or a folder where path is None; of the file's own attributes only `executable` is kept."""
    entry = tarfile.TarInfo(name)  # owner, group and time are 0
    if path is None:
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(entry)
        return
    content = path.read_bytes()
    entry.size = len(content)
    entry.mode = 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644
    archive.addfile(entry, io.BytesIO(content))


def _rules(source: Path) -> IgnoreRules:
    ignore = source / ".dockerignore"
    return parse_ignore(ignore.read_text(encoding="utf-8").splitlines() if ignore.is_file() else [])


def _files(source: Path, rules: IgnoreRules) -> Iterator[Path]:
    """Every file to pack; a folder without one is not packed, since version control does not keep it either."""
    for path in source.rglob("*"):
        relative = path.relative_to(source)
        if BYTECODE in relative.parts or rules.leaves_out(relative.as_posix()):
            continue
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            yield path
        elif not stat.S_ISDIR(mode):
            raise ImageError(f"{path} is neither a file nor a folder, and an image without Docker holds nothing else")
