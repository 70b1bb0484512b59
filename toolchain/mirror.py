"""A folder of built toolchains, filled on one machine for others that reach nothing."""

import shutil
import tempfile
from pathlib import Path

from toolchain.errors import MirrorBroken
from toolchain.manifest import Manifest, copy_durably


def take(mirror: Path, key: str, workspace: Path) -> Path:
    """Copies key's toolchain from mirror into workspace, checks every file, and returns its folder.

    Raises MirrorBroken when it is not there or a checksum differs.
    """
    source = mirror / key
    manifest = Manifest.read(source)
    if not manifest:
        held = sorted(path.name for path in mirror.iterdir() if path.is_dir()) if mirror.is_dir() else []
        raise MirrorBroken(
            f"TEAL_TOOLCHAIN_MIRROR={mirror} has no {key} (it has: {', '.join(held) or 'nothing'}): fill it with"
            f" 'teal toolchain export {mirror}' on a like machine with this version of Teal"
        )
    try:
        damaged = manifest.damaged(source)
    except OSError as error:
        raise MirrorBroken(f"{error.filename} cannot be read ({error.strerror}): make it readable") from error
    if damaged:
        raise MirrorBroken(f"in {source} these files are missing or damaged: {', '.join(damaged)}; export it again")
    made = workspace / "made"
    copy_durably(source, manifest, made)
    return made


def fill(mirror: Path, key: str, toolchain: Path) -> Path:
    """Copies a built toolchain's folder to mirror and returns its place there; whole or not at all.

    Raises MirrorBroken when mirror cannot be written, or the toolchain is damaged itself.
    """
    manifest = Manifest.read(toolchain)
    if not manifest or manifest.damaged(toolchain):
        raise MirrorBroken(f"{toolchain} is damaged: remove it and build it again")
    target = mirror / key
    try:
        mirror.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=mirror) as workspace:
            made = Path(workspace, key)
            copy_durably(toolchain, manifest, made)
            if target.exists():
                shutil.rmtree(target)
            made.rename(target)
    except OSError as error:
        raise MirrorBroken(f"{mirror} cannot be filled ({error.strerror or error})") from error
    return target
