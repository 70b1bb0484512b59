"""A log whose earlier parts are NAME.1, the latest of them, NAME.2 and so on, as whoever writes it bounds it.

It is bounded by copying: the copy becomes NAME.1, then the log is emptied and goes on from its beginning.
"""

from pathlib import Path

HEAD_BYTES = 512
MOST_PARTS = 9
Identity = tuple[int, int, int]
"""What a part is known by, whatever its number is by now: device, inode, and when it was written, in nanoseconds."""
Parts = list[tuple[Path, Identity]]
"""The earlier parts, the latest first."""


class RotatedLog:
    """Reads a log from its oldest part on, and then what is added, also when it was emptied in between."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._latest: Identity | None = None
        """The latest part when it was read last."""

    def added(self) -> bytes:
        """All of it at first, then what was added since; nothing of a log that is not there yet. Raises OSError."""
        while True:
            older = self._older()
            read, offset = self._read(older)
            if self._older() == older:  # nothing moved meanwhile
                self._offset, self._latest = offset, older[0][1] if older else None
                return read

    def _read(self, older: Parts) -> tuple[bytes, int]:
        """What is new, and how far into the log that goes."""
        known = [identity for _, identity in older]
        behind = known.index(self._latest) if self._latest in known else len(known)
        is_gone = self._latest is not None and self._latest not in known
        offset = 0 if is_gone else self._offset  # of the part that was being read, which may be gone, too
        found = []
        for path, _ in reversed(older[:behind]):
            found.append(_content(path, offset))
            offset = 0
        if _size(self._path) < offset:  # emptied by hand
            offset = 0
        last = _content(self._path, offset)
        return b"".join((*found, last)), offset + len(last)

    def _older(self) -> Parts:
        paths = (self._path.with_name(f"{self._path.name}.{number}") for number in range(1, MOST_PARTS + 1))
        found = [(path, identity) for path in paths if (identity := _identity(path))]
        return found[1:] if self._is_being_emptied(found) else found

    def _is_being_emptied(self, older: Parts) -> bool:
        """Whether the latest part is the copy of a log that still has the same content."""
        if not older or older[0][1] == self._latest:
            return False
        path = older[0][0]
        return _size(self._path) >= _size(path) > 0 and _head(self._path) == _head(path)


def _identity(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _head(path: Path) -> bytes:
    return _content(path, 0, HEAD_BYTES)


def _content(path: Path, offset: int, most: int = -1) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(most)
    except FileNotFoundError:
        return b""
