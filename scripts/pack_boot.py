"""Packs the scripts that run on servers into components/boot_files.json, gzip in base64 by name, for user data.

Packed once and kept, not at each run: other builds of zlib pack the same text differently, and then a preview on one
machine would find a change where one on another does not.
"""

import base64
import gzip
import json
import sys
from pathlib import Path

COMPONENTS = Path(__file__).resolve().parent.parent / "components"
PACKED = COMPONENTS / "boot_files.json"
SCRIPTS = ("instance_boot.py", "volume_boot.py")


def main() -> int:
    """Packs anew what has changed."""
    before: dict[str, str] = json.loads(PACKED.read_text(encoding="utf-8")) if PACKED.exists() else {}
    now = {name: packed(before.get(name, ""), (COMPONENTS / name).read_bytes()) for name in SCRIPTS}
    PACKED.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
    return 0


def packed(before: str, content: bytes) -> str:
    """The content, packed; as it was where that unpacks to the same."""
    if before and gzip.decompress(base64.b64decode(before)) == content:
        return before
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


if __name__ == "__main__":
    sys.exit(main())
