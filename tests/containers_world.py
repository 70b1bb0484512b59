"""An image of two layers, for tests of what copies images."""

import hashlib
import json
from datetime import UTC, datetime
from typing import IO, Any

from containers.oci_files import Blob, Manifest, read_manifest

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def blob_of(content: bytes) -> Blob:
    return Blob(digest=f"sha256:{hashlib.sha256(content).hexdigest()}", size=len(content))


BLOBS = {blob_of(content).digest: content for content in (b'{"os": "linux"}', b"layer one", b"layer two")}


def manifest_of(**changes: Any) -> Manifest:
    config, *layers = ({"digest": digest, "size": len(content)} for digest, content in BLOBS.items())
    content = json.dumps({"schemaVersion": 2, "config": config, "layers": layers, **changes}).encode()
    return read_manifest(content, blob_of(content).digest)


def fetch(blob: Blob, into: IO[bytes]) -> None:
    into.write(BLOBS[blob.digest])
