"""Images in files: a folder in the layout of the Open Container Initiative, or a tar archive of one."""

import hashlib
import io
import json
import re
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from containers.errors import BadImage
from ecr.transfer import INDEX_TYPES, MANIFEST_TYPE

LAYOUT_FILE, INDEX_FILE = "oci-layout", "index.json"
LAYOUT = {"imageLayoutVersion": "1.0.0"}
MOST_MANIFEST_BYTES = 4 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """What a manifest says of one of its blobs."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A manifest of one image, as it was written: its digest is the image's."""

    content: bytes
    digest: str
    media_type: str
    config: Blob
    layers: tuple[Blob, ...]

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """All that a registry keeps beside it, each once."""
        return tuple({blob.digest: blob for blob in (self.config, *self.layers)}.values())

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(blob.size for blob in self.blobs)


def read_manifest(content: bytes, digest: str) -> Manifest:
    """The manifest with a digest. Raises BadImage for another one, for an index, for what is none."""
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if found != digest:
        raise BadImage(f"the manifest {digest} arrived as {found}: it was changed or cut short")
    document = _document(content, f"the manifest {digest}")
    if "manifests" in document:
        raise BadImage(f"{digest} is an index of images for several platforms, not one image")
    media_type = str(document.get("mediaType") or MANIFEST_TYPE)
    try:
        config, layers = _blob(document["config"]), tuple(_blob(layer) for layer in document["layers"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadImage(f"the manifest {digest} does not name a config and layers") from error
    return Manifest(content=content, digest=digest, media_type=media_type, config=config, layers=layers)


class Layout:
    """An image in files. `open_file` opens one by its path in the layout, and raises KeyError without it."""

    def __init__(self, where: Path, open_file: Callable[[str], IO[bytes]]) -> None:
        self._where, self._open_file = where, open_file

    def manifest(self, digest: str | None) -> Manifest:
        """The image of that digest, or the only one. Raises BadImage where there is none, or several to choose from."""
        try:
            with self._open_file(INDEX_FILE) as file:
                index = _document(file.read(MOST_MANIFEST_BYTES), f"{INDEX_FILE} in {self._where}")
        except KeyError as error:
            hint = "an archive of `docker save` before Docker 25 is none; skopeo makes one of it"
            raise BadImage(f"{self._where} is no image in OCI layout, since it has no {INDEX_FILE} ({hint})") from error
        known = [str(each.get("digest")) for each in index.get("manifests", ()) if isinstance(each, dict)]
        if digest is None and len(known) != 1:
            raise BadImage(f"{self._where} holds {len(known)} images, say which: {', '.join(known) or 'none'}")
        wanted = digest or known[0]
        if wanted not in known or not DIGEST.fullmatch(wanted):
            raise BadImage(f"{self._where} has no image {wanted}: it holds {', '.join(known) or 'none'}")
        with self.blob(wanted) as file:
            return read_manifest(file.read(MOST_MANIFEST_BYTES), wanted)

    def blob(self, digest: str) -> IO[bytes]:
        """The blob with a digest, not checked yet. Raises BadImage where there is none."""
        try:
            return self._open_file(f"blobs/{digest.replace(':', '/', 1)}")
        except KeyError as error:
            raise BadImage(f"{self._where} lacks {digest}, which its image is made of") from error

    def check(self, manifest: Manifest) -> None:
        """Reads every blob of an image once. Raises BadImage for one whose digest or size is not what it should be."""
        for blob in manifest.blobs:
            with self.blob(blob.digest) as file:
                check_blob(blob, file)


def check_blob(blob: Blob, file: IO[bytes]) -> None:
    """Raises BadImage where a file is not the blob that it should be."""
    seen, size = hashlib.sha256(), 0
    while part := file.read(CHUNK_BYTES):
        seen.update(part)
        size += len(part)
    found = f"sha256:{seen.hexdigest()}"
    if found != blob.digest or size != blob.size:
        raise BadImage(
            f"{blob.digest} of {blob.size} bytes is {found} of {size} bytes here: it was changed or cut short"
        )


@contextmanager
def opened(path: Path) -> Iterator[Layout]:
    """The layout in a folder or an archive. Raises BadImage for what is neither, OSError for what can't be read."""
    if path.is_dir():

        def in_folder(name: str) -> IO[bytes]:
            if not (path / name).is_file():
                raise KeyError(name)
            return (path / name).open("rb")

        yield Layout(path, in_folder)
        return
    try:
        with tarfile.open(path) as archive:

            def in_archive(name: str) -> IO[bytes]:
                found = archive.extractfile(_member(archive, name))
                if found is None:
                    raise KeyError(name)
                return found

            yield Layout(path, in_archive)
    except tarfile.TarError as error:
        raise BadImage(f"{path} is neither a folder nor a tar archive: {error}") from error


def write(path: Path, manifest: Manifest, fetch: Callable[[Blob, IO[bytes]], None]) -> None:
    """Writes an image to a new path: an archive if it ends in .tar, else a folder. All of it, or nothing.

    `fetch` writes a blob, and each is checked. Raises BadImage, FileExistsError, OSError.
    """
    if path.exists():
        raise FileExistsError(17, "is there already", str(path))
    part = path.with_name(f".{path.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        _fill(part / "layout", manifest, fetch)
        if path.suffix == ".tar":
            _pack(part / "layout", part / "archive")
            (part / "archive").rename(path)
        else:
            (part / "layout").rename(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(folder: Path, manifest: Manifest, fetch: Callable[[Blob, IO[bytes]], None]) -> None:
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for blob in manifest.blobs:
        where = blobs / blob.digest.partition(":")[2]
        with where.open("wb") as file:
            fetch(blob, file)
        with where.open("rb") as file:
            check_blob(blob, file)
    (blobs / manifest.digest.partition(":")[2]).write_bytes(manifest.content)
    about = {"mediaType": manifest.media_type, "digest": manifest.digest, "size": len(manifest.content)}
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPES[0], "manifests": [about]}
    (folder / INDEX_FILE).write_text(json.dumps(index))
    (folder / LAYOUT_FILE).write_text(json.dumps(LAYOUT))


def _pack(folder: Path, archive: Path) -> None:
    """The same folder gives the same archive: no times, no owners, one order."""
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as made:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = tarfile.TarInfo(str(path.relative_to(folder)))
            entry.size, entry.mode = path.stat().st_size, 0o644
            with path.open("rb") as file:
                made.addfile(entry, file)


def _member(archive: tarfile.TarFile, name: str) -> tarfile.TarInfo:
    try:
        return archive.getmember(name)
    except KeyError:
        return archive.getmember(f"./{name}")  # as `tar -C folder .` writes it


def _blob(told: Mapping[str, Any]) -> Blob:
    digest, size = str(told["digest"]), int(told["size"])
    if not DIGEST.fullmatch(digest) or size < 0:
        raise ValueError(digest)
    return Blob(digest=digest, size=size)


def _document(content: bytes, what: str) -> dict[str, Any]:
    try:
        document = json.load(io.BytesIO(content))
    except ValueError as error:
        raise BadImage(f"{what} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise BadImage(f"{what} is not a JSON object")
    return document
