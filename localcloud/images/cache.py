"""Keeps pulled images unpacked, one folder a digest, for processes to run from.

CACHE/HEX/manifest.json, config.json, rootfs/   complete, or not there at all
CACHE/HEX.lock                                  held by the one who pulls
CACHE/HEX.RANDOM.part/                          being made; left behind by who was killed, swept by who comes next
"""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from localcloud.images.errors import ImageError
from localcloud.images.oci import ImageConfig, digest_of, read_config, read_manifest
from localcloud.images.reference import ImageReference
from localcloud.images.registry import EcrClient, fetch_blob, fetch_manifest
from localcloud.images.unpacking import unpack

LOCK_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackedImage:
    """An image on disk, ready to run. rootfs is shared by all who run it: nobody may write there."""

    digest: str
    rootfs: Path
    config: ImageConfig


def pull(client_ecr: EcrClient, reference: ImageReference, cache: Path) -> UnpackedImage:
    """The image that reference names, from cache, or else from ECR with every digest checked.

    Several may pull the same at once, in threads or processes: one does, the others wait, for two minutes at most.
    Raises ImageError; OSError where cache cannot be written.
    """
    folder = cache / reference.digest.removeprefix("sha256:")
    if (unpacked := _open(folder, reference.digest)) is not None:
        return unpacked
    cache.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{folder}.lock", timeout=LOCK_SECONDS):
            if (unpacked := _open(folder, reference.digest)) is None:
                _fill(client_ecr, reference, folder)
                unpacked = _open(folder, reference.digest)
    except Timeout as error:
        raise ImageError(f"{reference.digest} is being pulled by someone else for over {LOCK_SECONDS:g} s") from error
    if unpacked is None:
        raise ImageError(f"{reference.digest} was removed from {cache} while it was being pulled")
    return unpacked


def _fill(client_ecr: EcrClient, reference: ImageReference, folder: Path) -> None:
    for left_over in folder.parent.glob(f"{folder.name}.*.part"):
        shutil.rmtree(left_over)
    manifest_blob = fetch_manifest(client_ecr, reference)
    manifest = read_manifest(manifest_blob)
    config_blob = fetch_blob(client_ecr, reference, manifest.config_digest)
    read_config(config_blob)
    layer = fetch_blob(client_ecr, reference, manifest.layer_digest)
    part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        (part / "manifest.json").write_bytes(manifest_blob)
        (part / "config.json").write_bytes(config_blob)
        (part / "rootfs").mkdir()
        unpack(layer, part / "rootfs")
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)  # there only when something above failed


def _open(folder: Path, digest: str) -> UnpackedImage | None:
    """The image in folder, or None where there is none. Raises ImageError for one that was changed."""
    try:
        manifest = (folder / "manifest.json").read_bytes()
        config = (folder / "config.json").read_bytes()
    except FileNotFoundError:
        return None
    if digest_of(manifest) != digest or digest_of(config) != read_manifest(manifest).config_digest:
        raise ImageError(f"{folder} was changed after it was pulled; remove it, and it is pulled anew")
    return UnpackedImage(digest=digest, rootfs=folder / "rootfs", config=read_config(config))
