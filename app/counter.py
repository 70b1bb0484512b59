"""A number that outlives the process, the container and the server: it is in a file on the data volume."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Blueprint, abort, jsonify
from flask.typing import ResponseReturnValue

FILE_MODE = 0o644
MOST_DIGITS = 18


class Counter:
    """A count in a folder, which any number of processes and threads share. Raises OSError where the disk does.

    Raises ValueError for a file that holds no number: nobody should begin again at 0 without noticing.
    """

    def __init__(self, folder: Path) -> None:
        self._file, self._lock = folder / "counter", folder / "counter.lock"

    def value(self) -> int:
        """The count as last written; 0 where nobody has counted yet."""
        try:
            written = self._file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return 0
        if not written.isdigit() or len(written) > MOST_DIGITS:
            raise ValueError(f"{self._file} holds no number")
        return int(written)

    def add(self) -> int:
        """One more, and on the disk when this returns: the old file or the new one, never half of either."""
        with self._alone():
            count = self.value() + 1
            draft = self._file.with_suffix(".new")
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{count}\n")
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._file)
            folder = os.open(self._file.parent, os.O_RDONLY)
            try:
                os.fsync(folder)  # of the name, too
            finally:
                os.close(folder)
        return count

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Held by one thread of one process: each opens the file anew, and the kernel gives the lock to one of them."""
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, FILE_MODE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def counter_blueprint(counter: Counter | None) -> Blueprint:
    """/counter: POST adds one and answers the number, GET answers it; 404 where there is no data volume."""
    blueprint = Blueprint("counter", __name__)

    def there() -> Counter:
        if counter is None:
            abort(404, "There is no data volume: the setting dataVolumeGib gives one.")
        return counter

    @blueprint.get("/counter")
    def show() -> ResponseReturnValue:
        return jsonify(count=there().value())

    @blueprint.post("/counter")
    def add() -> ResponseReturnValue:
        return jsonify(count=there().add())

    return blueprint
