"""A container image small enough to make in a test: busybox, and a web server that becomes ready after a moment."""

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
START = """#!/bin/busybox sh
echo "a container of version $TEAL_VERSION in $TEAL_ZONE"
[ -z "$TEAL_DATA" ] || echo "$TEAL_INSTANCE" >> "$TEAL_DATA/starts"
/bin/busybox sleep 2
trap 'kill $!; exit' TERM
/bin/busybox httpd -f -p 8080 -h /www &
wait
"""
GREETING = "a container of version 7.1 in eu-west-1a"
"""What it prints first."""


@dataclass(frozen=True)
class Image:
    """Its manifest's digest, and all that a registry serves of it, by digest."""

    digest: str
    blobs: dict[str, bytes]


def image(busybox: Path) -> Image:
    """The image around a static busybox; the same bytes give the same digest."""
    layer = _layer(busybox.read_bytes())
    packed = gzip.compress(layer, mtime=0)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Cmd": ["/bin/busybox", "sh", "/start"],
                "Labels": {"org.opencontainers.image.version": "7.1"},
                "User": "10001:10001",
            },
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _pointer("application/vnd.docker.container.image.v1+json", config),
            "layers": [_pointer("application/vnd.docker.image.rootfs.diff.tar.gzip", packed)],
        }
    ).encode()
    return Image(_digest(manifest), {_digest(blob): blob for blob in (manifest, config, packed)})


def _layer(busybox: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, mode, content in (
            ("bin/busybox", 0o755, busybox),
            ("start", 0o755, START.encode()),
            ("www/readyz", 0o644, b"ready\n"),
        ):
            entry = tarfile.TarInfo(path)
            entry.mode, entry.size = mode, len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _pointer(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "size": len(content), "digest": _digest(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
