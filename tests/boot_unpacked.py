"""What the archive in user data holds."""

import base64
import io
import tarfile


def unpacked(content: str) -> dict[str, str]:
    """Content by the path that it goes to; the archive is given in base64, as user data has it."""
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(content))) as tar:
        return {f"/{entry.name}": tar.extractfile(entry).read().decode() for entry in tar}  # type: ignore[union-attr]
