"""The scripts and units that servers are given by user data, packed: in plain they would be longer than EC2 takes."""

import base64
import bz2
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

FOLDER = "/usr/local/lib/teal/"
UNIT_FOLDER = "/etc/systemd/system/"
ARCHIVE_FILE = FOLDER + "boot.tar.bz2"
UNPACK = ("python3", "-c", f"import tarfile; tarfile.open('{ARCHIVE_FILE}').extractall('/')")
"""Command that puts each file at its place."""

_HERE = Path(__file__).parent


def written(path: str, content: str) -> dict[str, str]:
    """An entry of cloud-init's write_files."""
    return {"path": path, "owner": "root:root", "permissions": "0644", "content": content}


def packed(names: Sequence[str]) -> dict[str, str]:
    """The entry of write_files that brings these files of ours."""
    return {**written(ARCHIVE_FILE, base64.b64encode(archive(names)).decode()), "encoding": "b64"}


def archive(names: Sequence[str]) -> bytes:
    """These files of ours, each at its place, as tar.bz2.

    By bzip2, since it gives the same bytes on every machine: zlib has implementations that differ, and user data that
    differs is another version of the launch template.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in names:
            content = (_HERE / name).read_bytes()
            entry = tarfile.TarInfo((UNIT_FOLDER if name.endswith(".service") else FOLDER).lstrip("/") + name)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return bz2.compress(buffer.getvalue())
